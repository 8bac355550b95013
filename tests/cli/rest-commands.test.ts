import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OperationSnapshot } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, type Workplace, createWorkplace } from './command.js'
import { LossyProxy } from '../kit/lossy-proxy.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

/** A machine that is busy takes its time to start several processes in turn. */

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace()
  await place.serve('--no-demo')
})

afterAll(() => place?.close())

function lines<T = Record<string, unknown>>({ stdout }: Outcome): T[] {
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

describe('holdfast operation', () => {
  it('begins, reports, and ends; start prints the id and nothing else', async () => {
    const started = await place.run(
      'operation',
      'start',
      '--kind',
      'import',
      '--total',
      '10',
      '--phase',
      'a',
      '--phase',
      'b:3',
    )
    const id = started.stdout.trim()
    expect(started).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^import-[\w-]+\n$/) as string })
    const reported = await place.run('operation', 'report', id, '--phase', 'b', '--done', '5', '--item', 'x.csv')
    expect(lines<OperationSnapshot>(reported)).toMatchObject([
      { id, progress: { done: 5, item: 'x.csv', phase: { index: 2 } } },
    ])
    const ended = await place.run('operation', 'complete', id, '--result', '{"rows":10}')
    expect(lines(ended)).toMatchObject([{ state: 'completed', result: { rows: 10 } }])
    const again = await place.run('operation', 'fail', id, 'no')
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toMatch(/^holdfast: .* not failed: .*\(already_ended\)\n$/)
  })

  it('tells a worker to stop with 3', async () => {
    await place.run('operation', 'start', 'asked', '--kind', 'job')
    expect(lines(await place.run('operation', 'cancel', 'asked'))).toMatchObject([{ cancelRequested: true }])
    expect((await place.run('operation', 'heartbeat', 'asked')).code).toBe(3)
    expect(lines(await place.run('operation', 'cancelled', 'asked'))).toMatchObject([{ state: 'cancelled' }])
  })

  it('lists by state, and takes up what waits', async () => {
    await place.run('operation', 'start', 'queue-1', '--kind', 'queue', '--queued', '--metadata', '{"batch":7}')
    const queued = await place.run('operation', 'list', '--state', 'queued', '--kind', 'queue')
    expect(lines(queued)).toMatchObject([{ id: 'queue-1', metadata: { batch: 7 } }])
    expect(lines(await place.run('operation', 'attempt', 'queue-1'))).toMatchObject([{ state: 'running' }])
    expect(lines(await place.run('operation', 'list', '--state', 'queued'))).toEqual([])
  })

  it('says what is wrong', async () => {
    expect(await place.run('operation', 'report', 'asked')).toMatchObject({ code: 2 })
    expect((await place.run('operation', 'start', '--metadata', '[]')).stderr).toContain(
      '--metadata must be a JSON object',
    )
    expect((await place.run('operation', 'report', 'asked', '--done', 'x')).stderr).toContain('It must be a number')
    const missing = await place.run('operation', 'show', 'nothing')
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('no operation nothing to show')
    const away = await place.run('operation', 'list', '--url', 'http://127.0.0.1:65111')
    expect(away.code).toBe(1)
    expect(away.stderr).toMatch(/^holdfast: cannot reach http:\/\/127\.0\.0\.1:65111 .*npx holdfast serve\n$/)
  })
})

describe('holdfast key', () => {
  it('makes a key that may what it was made for, rotates and revokes it', async () => {
    const flags = ['--grant', 'room:*=subscribe,presence', '--permission', 'operations.own', '--expires-in', '90d']
    const [made] = lines<{ id: string; key: string }>(await place.run('key', 'create', 'importer', ...flags))
    expect(made?.key).toMatch(/^hf_/)
    const { id, key } = made ?? { id: '', key: '' }
    expect(lines(await place.run('key', 'list'))).toMatchObject([
      { id, name: 'importer', permissions: ['operations.own'] },
    ])
    expect(await place.run('operation', 'start', 'by-key', '--token', key)).toMatchObject({ code: 0 })
    const [next] = lines<{ key: string }>(await place.run('key', 'rotate', id, '--overlap', '0s'))
    expect((await place.run('operation', 'show', 'by-key', '--token', key)).stderr).toContain('unauthenticated')
    expect(lines(await place.run('operation', 'show', 'by-key', '--token', next?.key ?? ''))).toMatchObject([
      { owner: `key:${id}` },
    ])
    const followed = place.start('presence', 'room:keys', '--watch', '--token', next?.key ?? '')
    await followed.printed(/"joined"/)
    expect(lines(await place.run('key', 'revoke', id))).toEqual([{ id, revoked: true }])
    expect(await followed.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('closed: Token revoked') as string,
    })
    expect((await place.run('key', 'revoke', id)).stderr).toContain('not_found')
  })

  it('makes and revokes one key where the answer is lost on the way', async () => {
    const proxy = await LossyProxy.start((place.env['HOLDFAST_URL'] ?? '').replace(/^ws(.*)\/ws$/, 'http$1'))
    proxy.lose('POST /api/v1/keys')
    const [made] = lines<{ id: string; key: string }>(await place.run('key', 'create', 'lost', '--url', proxy.origin))
    const { id, key } = made ?? { id: '', key: '' }
    expect([proxy.hasLost, key]).toEqual([true, expect.stringContaining(`hf_${id}`)])
    proxy.lose(`DELETE /api/v1/keys/${id}`)
    expect(lines(await place.run('key', 'revoke', id, '--url', proxy.origin))).toEqual([{ id, revoked: true }])
    proxy.close()
    const names = lines<{ name: string }>(await place.run('key', 'list')).map(({ name }) => name)
    expect([proxy.hasLost, names]).toEqual([true, []])
  })

  it('makes one for the configuration without a server', async () => {
    const offline = await createWorkplace()
    const made = await offline.run('key', 'make', '--tenant', 'acme', '--permission', 'operations')
    const [{ key = '', ...entry } = {}] = lines<{ key?: string; id?: string; hash?: string }>(made)
    expect(entry).toMatchObject({ tenant: 'acme', grants: {}, permissions: ['operations'] })
    const hashing = offline.start('key', 'hash')
    hashing.child.stdin.end(`${key}\n`)
    expect(lines(await hashing.ended)).toEqual([{ id: entry.id, hash: entry.hash }])
    const file = join(offline.directory, 'holdfast.yaml')
    await writeFile(file, `auth:\n  apiKeys:\n    - ${JSON.stringify(entry)}\n`)
    const { url, running } = await offline.serve('--config', file, '--no-demo')
    expect(await offline.run('operation', 'start', '--token', key, '--url', url)).toMatchObject({ code: 0 })
    running.child.kill('SIGKILL')
    await offline.close()
  })
})

describe('the other commands', () => {
  it('history prints what is stored, over several pages', async () => {
    for (const n of [1, 2, 3]) await place.run('publish', 'room:pages', String(n))
    const newest = lines<{ data: number; offset: number }>(await place.run('history', 'room:pages', '--limit', '2'))
    expect(newest.map(({ data }) => data)).toEqual([2, 3])
    const refused = await place.run('history', 'user:bob')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('no history of user:bob')
  })

  it('presence prints who is there, and who comes and goes', async () => {
    const watching = place.start('presence', 'room:here', '--watch', '--user', 'ada')
    await watching.printed(/"joined","user":"ada"/)
    const [now] = lines<{ members: { user: string }[] }>(await place.run('presence', 'room:here'))
    expect(now).toMatchObject({ members: [{ user: 'ada', connections: 1 }], counts: { members: 1, connections: 1 } })
    const other = place.start('presence', 'room:here', '--watch', '--user', 'bob')
    await watching.printed(/"joined","user":"bob"/)
    other.child.kill('SIGINT')
    watching.child.kill('SIGINT')
    expect((await watching.ended).code).toBe(130)
  })

  it('openapi prints both documents without a server', async () => {
    const rest = JSON.parse((await place.run('openapi')).stdout) as { openapi: string; paths: object }
    expect(rest.openapi).toMatch(/^3\.1/)
    expect(Object.keys(rest.paths).length).toBeGreaterThan(10)
    expect(JSON.parse((await place.run('openapi', '--asyncapi')).stdout)).toMatchObject({ asyncapi: '3.0.0' })
  })

  it('config says whether a server would start, and what it would start with, without secrets', async () => {
    const other = await createWorkplace({ HOLDFAST_SECRET: SECRET, REDIS_URL: 'redis://me:word@redis:6379' })
    expect(lines(await other.run('config', 'check'))).toMatchObject([{ ok: true, engine: 'redis' }])
    const file = join(other.directory, 'holdfast.yaml')
    await writeFile(file, `host: 0.0.0.0\nlimits:\n  channelsMax: 7\nwebhooks:\n  secret: ${SECRET}\n`)
    const printed = await other.run('config', 'print', '--config', file)
    expect(lines(printed)).toMatchObject([
      {
        port: { value: 0, source: 'PORT' },
        host: { value: '0.0.0.0', source: `host in ${file}` },
        path: { source: 'default' },
        secret: { value: '…' },
        engine: { value: { redis: 'redis://…@redis:6379' } },
      },
    ])
    expect(printed.stdout).not.toMatch(new RegExp(`${SECRET}|word`))
    await writeFile(file, 'limits:\n  channelsMax: many\n')
    const wrong = await other.run('config', 'check', '--config', file)
    await other.close()
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong.stderr).toContain('limits.channelsMax')
  })

  it('doctor finds nothing wrong where nothing is, and says what to do where something is', async () => {
    const well = await place.run('doctor')
    expect(well.code).toBe(0)
    const checks = lines<{ check: string; state: string }>(well)
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([])
    expect(checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['secret', 'Node', 'engine', 'WebSocket', 'token']),
    )
    const ill = await createWorkplace({
      HOLDFAST_ENV: 'production',
      HOLDFAST_SECRET: SECRET,
      REDIS_URL: 'redis://127.0.0.1:65112',
      HOLDFAST_URL: 'http://127.0.0.1:65111',
    })
    const found = await ill.run('doctor')
    await ill.close()
    expect(found.code).toBe(1)
    const failed = lines<{ check: string; state: string; remedy: string }>(found).filter(({ state }) => state !== 'ok')
    expect(failed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'origins', state: 'warn' }),
        expect.objectContaining({ check: 'Redis 127.0.0.1:65112', state: 'fail' }),
        expect.objectContaining({ check: 'server', state: 'fail' }),
      ]),
    )
    expect(failed.every(({ remedy }) => remedy.length > 10)).toBe(true)
  })
})
