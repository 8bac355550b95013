import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Holdfast, createHoldfast } from '@holdfast/server'
import { type Workplace, createWorkplace } from '../cli/command.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { SECRET } from '../kit/server-process.js'
import { ROOT } from '../source-tree.js'
import { parseYaml } from './manifests.js'

// The examples of the guides are compiled by tests/docs.test.ts. Here they are run.

// Processes start slowly on a machine that tests other things.
vi.setConfig({ testTimeout: 60_000 })

const folder = join(ROOT, 'tmp', 'guides')
const cleanups: (() => unknown)[] = []
let redis: RedisServer
let place: Workplace

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  redis = await RedisServer.start()
  place = await createWorkplace({ HOLDFAST_SECRET: SECRET })
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  vi.unstubAllEnvs()
})

afterAll(async () => {
  await place?.close()
  await redis?.stop()
})

/** The blocks of a language on a page under `docs/`, in order. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8')
  return Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')),
    ([, code = '']) => code,
  )
}

/** Runs an example as a module, in an environment of its own, and answers the node that it makes. */
async function run(name: string, code: string, env: Record<string, string>): Promise<Holdfast> {
  for (const [variable, value] of Object.entries({ HOLDFAST_SECRET: SECRET, PORT: '0', ...env })) {
    vi.stubEnv(variable, value)
  }
  const file = join(folder, `${name}.ts`)
  writeFileSync(file, `${code}\nexport { holdfast }\n`)
  const { holdfast } = (await import(file)) as { holdfast: Holdfast }
  cleanups.push(() => holdfast.close())
  return holdfast
}

/** The command of a guide, without `npx`, on a free port, with what differs here. */
function commandOf(page: string, changes: Readonly<Record<string, string>> = {}): string[] {
  const line = blocks(page, 'sh').find((block) => block.includes('npx holdfast serve')) ?? ''
  const changed = Object.entries(changes).reduce((text, [from, to]) => text.replace(from, to), line)
  return changed.trim().split(' ').slice(3)
}

describe('the guide to Redis', () => {
  it('has an example that shares what is published between two nodes', async () => {
    const [example = ''] = blocks('guides/redis.md', 'ts')
    const one = await run('redis-one', example, { REDIS_URL: redis.url })
    const two = await run('redis-two', example, { REDIS_URL: redis.url })
    await one.tenant('acme').publish('room:1', 'chat', 'hello')
    const { messages } = await two.tenant('acme').history('room:1')
    expect(messages.map(({ data }) => data)).toEqual(['hello'])
    expect(two.stats().engine).toMatchObject({ name: 'redis', problem: undefined })
  })

  it('has an example of a channel that goes on without it', async () => {
    const [, example = ''] = blocks('guides/redis.md', 'ts')
    const node = await run('redis-local', example, { REDIS_URL: redis.url })
    await node.start()
    await redis.kill()
    cleanups.push(() => redis.restart())
    const acme = node.tenant('acme')
    await expect(acme.publish('support:1', 'chat', 'help')).resolves.toMatchObject({ duplicate: false })
    await expect(acme.publish('room:1', 'chat', 'lost?')).rejects.toMatchObject({ code: 'engine_unavailable' })
  })

  it('has a command that serves', async () => {
    const { running } = await place.serve(...commandOf('guides/redis.md', { 'redis://127.0.0.1:6379': redis.url }))
    await running.printed(/redis engine/)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  it('names addresses that the server takes', () => {
    const text = readFileSync(join(ROOT, 'docs', 'guides', 'redis.md'), 'utf8')
    const addresses = Array.from(text.matchAll(/^\| `(redis[^`]+)`/gm), ([, address = '']) => address)
    expect(addresses).toHaveLength(4)
    for (const address of addresses) {
      expect(() => createHoldfast({ auth: { secret: SECRET }, engine: { redis: address } })).not.toThrow()
    }
  })
})

describe('the guide to the disk', () => {
  it('has an example that remembers', async () => {
    const [example = ''] = blocks('guides/disk.md', 'ts')
    const env = { HOLDFAST_DATA_DIR: join(folder, 'data') }
    const first = await run('disk-first', example, env)
    await first.tenant('acme').publish('room:1', 'chat', 'hello')
    await first.close()
    const second = await run('disk-second', example, env)
    const { messages } = await second.tenant('acme').history('room:1')
    expect(messages.map(({ data }) => data)).toEqual(['hello'])
  })

  it('has a command that serves', async () => {
    const { running } = await place.serve(...commandOf('guides/disk.md'))
    await running.printed(/disk engine/)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })
})

describe('the guide to workers', () => {
  it('has a command that serves with one for each core', async () => {
    const { running } = await place.serve(...commandOf('guides/workers.md', { 'redis://127.0.0.1:6379': redis.url }))
    await running.printed(/redis engine, \d+ workers?/)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })
})

describe('the guide to deploying', () => {
  it('has a command that checks HAProxy', async () => {
    const block = blocks('guides/deploy.md', 'sh').find((one) => one.startsWith('haproxy -c')) ?? ''
    const [line = ''] = block.split('\n')
    const [program = '', ...args] = line.split(' ')
    const env = {
      PATH: `${process.env['PATH']}:/usr/sbin`,
      HOLDFAST_NODE_1: '127.0.0.1:1',
      HOLDFAST_NODE_2: '127.0.0.1:2',
    }
    await expect(promisify(execFile)(program, args, { cwd: ROOT, env })).resolves.toBeDefined()
  })

  it('has settings that the server takes', () => {
    const [settings = ''] = blocks('guides/deploy.md', 'yaml')
    const { drain } = parseYaml<{ drain: object }>(settings)
    expect(() => createHoldfast({ auth: { secret: SECRET }, drain })).not.toThrow()
  })
})

describe('the reference of the settings', () => {
  it('has a mapping of an engine that the server takes', () => {
    const [settings = ''] = blocks('reference/configuration.md', 'yaml')
    const { engine } = parseYaml<{ engine: { redis: string } }>(settings)
    expect(() => createHoldfast({ auth: { secret: SECRET }, engine })).not.toThrow()
  })
})
