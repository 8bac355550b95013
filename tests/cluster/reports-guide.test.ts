import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OperationSnapshot } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisConnection } from './kit/redis-connection.js'
import { RedisServer } from './kit/redis-server.js'

// What docs/guides/reports.md has readers type is typed here.

const GUIDE = readFileSync(new URL('../../docs/guides/reports.md', import.meta.url), 'utf8')
const run = promisify(execFile)

/** As much of the package `redis` of Python as the guide uses, for machines that do not have it. */
const REDIS_FOR_PYTHON = `
import subprocess, urllib.parse

class Redis:
    @classmethod
    def from_url(cls, url):
        client = cls()
        client.port = urllib.parse.urlparse(url).port
        return client

    def xadd(self, key, fields):
        words = [word for pair in fields.items() for word in pair]
        subprocess.run(["redis-cli", "-p", str(self.port), "XADD", key, "*", *words], check=True)
`

/** The blocks of the guide in a language, in order. */
function blocks(language: string): string[] {
  return [...GUIDE.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, is, text = '']) =>
    is === language ? [text] : [],
  )
}

describe('the guide of reports', () => {
  let redis: RedisServer
  let node: NodeProcess

  beforeAll(async () => {
    redis = await RedisServer.start()
    node = await NodeProcess.start({ node: 'n1', engine: { redis: redis.url } })
  }, 60_000)

  afterAll(async () => {
    await node.stop()
    await redis.stop()
  })

  const shell = (text: string): Promise<{ stdout: string }> =>
    run('sh', ['-e', '-c', text.replaceAll(/^redis-cli /gm, `redis-cli -e -p ${redis.port} `)])

  const ended = (id: string): Promise<OperationSnapshot> =>
    eventually(`${id} has ended`, async () => {
      const snapshot = await node.ask('getOperation', { tenant: 'acme', id })
      return snapshot?.endedAt !== undefined && snapshot
    })

  it('reports with redis-cli what watchers then see', async () => {
    await shell(blocks('sh')[0] ?? '')
    const { state, label, progress, result } = await ended('import-42')
    expect({ state, label, result }).toEqual({ state: 'completed', label: undefined, result: { imported: 300 } })
    expect(progress).toMatchObject({ total: 300, unit: 'rows', message: 'Reading customers' })
  })

  it('reports from Python', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-python-'))
    try {
      writeFileSync(join(folder, 'redis.py'), REDIS_FOR_PYTHON)
      writeFileSync(join(folder, 'worker.py'), blocks('python')[0] ?? '')
      await run('python3', ['worker.py'], { cwd: folder, env: { ...process.env, REDIS_URL: redis.url } })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const { state, progress, result } = await ended('nightly-7')
    expect({ state, result }).toEqual({ state: 'completed', result: { files: 3 } })
    expect(progress).toMatchObject({ done: 3, total: 3, percent: 100, item: 'returns.csv' })
  })

  it('shows what was refused, and why', async () => {
    const [leave = '', look = ''] = (blocks('sh')[1] ?? '').trim().split('\n')
    await shell(leave)
    const told = await eventually('it is there', async () => {
      const { stdout } = await shell(look)
      return stdout.includes('reason') && stdout
    })
    expect(told).toContain('doen is not a member')
  })

  it('makes a user who can report and do nothing else', async () => {
    await shell(blocks('sh')[2] ?? '')
    const worker = await RedisConnection.open(redis.port)
    await worker.command('AUTH', 'worker', 'a long password')
    const about = ['tenant', 'acme', 'operation', 'of-a-worker']
    await worker.command(
      'XADD',
      'holdfast:reports',
      '*',
      ...about,
      'do',
      'create',
      'data',
      '{"kind": "k", "owner": "u7"}',
    )
    await worker.command('XADD', 'holdfast:reports', '*', ...about, 'do', 'complete')
    expect(await ended('of-a-worker')).toMatchObject({ state: 'completed', owner: 'u7' })
    await expect(worker.command('XRANGE', 'holdfast:reports', '-', '+')).rejects.toThrow('NOPERM')
    await expect(worker.command('KEYS', '*')).rejects.toThrow('NOPERM')
    worker.close()
  })
})
