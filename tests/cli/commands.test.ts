import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Holdfast } from '@holdfast/client'
import { type Workplace, createWorkplace } from './command.js'

/** So many that a gentle index outlasts the start of two more processes on a busy machine. */
const INDEXED_FILES = 4_000

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

describe('the command line', () => {
  let place: Workplace

  beforeEach(async () => {
    place = await createWorkplace()
  })

  afterEach(() => place.close())

  it('explains itself, every command with examples', async () => {
    for (const command of [[], ['serve'], ['run'], ['operation'], ['operation', 'report'], ['key', 'create']]) {
      const { code, stdout } = await place.run(...command, '--help')
      expect(code).toBe(0)
      expect(stdout).toContain('Examples:')
    }
    expect((await place.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('ends with 2 on wrong usage, and says what is wrong', async () => {
    expect(await place.run('token', '--tenant', 't')).toMatchObject({ code: 2, stdout: '' })
    expect((await place.run('dance')).stderr).toContain("unknown command 'dance'")
    const { code, stderr } = await place.run('serve', '--port', '80a')
    expect(code).toBe(2)
    expect(stderr).toBe('holdfast: --port must be an integer from 0 to 65535, received "80a"\n')
    expect(await place.run('publish', 'room:1', '{')).toMatchObject({ code: 2, stdout: '' })
    expect(await place.run('token', '--tenant', 't', '--user', 'u', '--ttl', 'soon')).toMatchObject({
      code: 2,
      stdout: '',
    })
  })

  it('prints a token and nothing else, and keeps the secret that it made', async () => {
    const first = await place.run(
      'token',
      '--tenant',
      'acme',
      '--user',
      'ada',
      '--role',
      'editor',
      '--role',
      'admin',
      '--ttl',
      '15m',
    )
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const claims = JSON.parse(Buffer.from(first.stdout.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      number
    >
    expect(claims).toMatchObject({ tenant: 'acme', sub: 'ada', roles: ['editor', 'admin'] })
    expect((claims['exp'] ?? 0) - (claims['iat'] ?? 0)).toBe(900)
    const file = join(place.directory, '.holdfast/secret')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const secret = await readFile(file, 'utf8')
    await place.run('token', '--tenant', 'acme', '--user', 'ada')
    expect(await readFile(file, 'utf8')).toBe(secret)
  })

  it('refuses production without a secret, and with a short or known one', async () => {
    place.env['HOLDFAST_ENV'] = 'production'
    expect((await place.run('serve')).stderr).toContain('HOLDFAST_SECRET must be set in production')
    place.env['HOLDFAST_SECRET'] = 'short'
    expect((await place.run('serve')).stderr).toContain('HOLDFAST_SECRET must be at least 32 bytes, received 5')
    place.env['HOLDFAST_SECRET'] = 'changeme'.repeat(8)
    expect(await place.run('serve')).toMatchObject({ code: 2, stdout: '' })
  })

  it('names where a wrong address of the server came from', async () => {
    place.env['HOLDFAST_URL'] = 'ftp://127.0.0.1:8000'
    expect((await place.run('listen', 'room:1')).stderr).toContain('HOLDFAST_URL must be an address such as ws://')
    const { code, stderr } = await place.run('listen', 'room:1', '--url', 'nowhere')
    expect(code).toBe(2)
    expect(stderr).toContain('--url must be an address such as ws://')
    const site = await place.run('listen', 'room:1', '--url', 'http://127.0.0.1:1')
    expect(site.stderr).toContain('cannot reach ws://127.0.0.1:1/ws')
  })

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await place.run('serve', '--port', String(port))
    expect(code).toBe(1)
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken by another program; choose another with --port`)
    await new Promise((resolve) => other.close(resolve))
  })

  it('says that no server answers', async () => {
    const { code, stderr } = await place.run('publish', 'room:1', '1', '--url', 'ws://127.0.0.1:1/ws')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^holdfast: cannot reach ws:\/\/127\.0\.0\.1:1\/ws .*npx holdfast serve\n$/)
  })

  it('runs by a file: rules, port and secret', async () => {
    const file = join(place.directory, 'holdfast.yaml')
    await writeFile(
      file,
      `port: 0\nsecret: ${SECRET}\nchannels:\n  "doc:*": { publish: member, history: { size: 5, ttl: 1m } }\n`,
    )
    await place.serve('--config', file)
    expect(await place.run('publish', 'doc:1', '1', '--config', file)).toMatchObject({ code: 0 })
    expect((await place.run('publish', 'room:1', '1', '--config', file)).stderr).toContain('permission_denied')
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('drains and ends with 0 on %s', async (signal) => {
    const { running } = await place.serve()
    running.child.kill(signal)
    expect((await running.ended).code).toBe(0)
  })
})

describe('the commands that talk to a server', () => {
  let place: Workplace
  let url: string

  beforeAll(async () => {
    place = await createWorkplace()
    const files = join(place.directory, 'node_modules/some')
    await mkdir(files, { recursive: true })
    await Promise.all(
      Array.from({ length: INDEXED_FILES }, (_, n) => writeFile(join(files, `${n}.txt`), 'line\n'.repeat(n % 7))),
    )
    ;({ url } = await place.serve())
  })

  afterAll(() => place.close())

  /** A page of the demo, as far as the server can tell. */
  async function visitor(user: string): Promise<Holdfast> {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/demo/token`, { method: 'POST', headers, body: JSON.stringify({ user }) })
    const { token } = (await response.json()) as { token: string }
    return new Holdfast(place.env['HOLDFAST_URL'] ?? '', { token })
  }

  async function startIndex(pace: string): Promise<{ id: string; client: Holdfast }> {
    const client = await visitor('ada')
    const { operation } = await client.call<{ operation: string }>('demo.index', { pace })
    return { id: operation, client }
  }

  it('publish prints where the message stands, and a key publishes once', async () => {
    const first = await place.run('publish', 'room:keys', '{"n":1}', '--tenant', 'demo', '--key', 'k1')
    const second = await place.run('publish', 'room:keys', '{"n":1}', '--tenant', 'demo', '--key', 'k1')
    expect(JSON.parse(first.stdout)).toMatchObject({ offset: 1, duplicate: false })
    expect(JSON.parse(second.stdout)).toEqual({ ...(JSON.parse(first.stdout) as object), duplicate: true })
  })

  it('publish ends with 1 where it is refused', async () => {
    const { code, stdout, stderr } = await place.run('publish', 'secret:1', '1', '--tenant', 'demo')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('not published to secret:1')
    const wrong = await place.run('publish', 'room:1', '1', '--token', 'wrong')
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.stderr).toMatch(/^holdfast: ws:\/\/[\d.:]+\/ws refused: Invalid authentication token\n$/)
  })

  it('says that the server has another secret, not that there is no server', async () => {
    const stranger = await createWorkplace({ HOLDFAST_URL: place.env['HOLDFAST_URL'] ?? '' })
    const { code, stderr } = await stranger.run('publish', 'room:1', '1')
    await stranger.close()
    expect(code).toBe(1)
    expect(stderr).toContain('refused: Invalid authentication token. The server has another secret')
  })

  it('listen prints what was and what comes as lines of JSON, and ends with 130 on Ctrl-C', async () => {
    await place.run('publish', 'room:listen', '{"text":"before"}', '--event', 'chat')
    const listener = place.start('listen', 'room:listen', '--since', 'newest:10')
    await listener.printed(/before/)
    await place.run('publish', 'room:listen', '{"text":"after"}', '--event', 'chat')
    await listener.printed(/after/)
    listener.child.kill('SIGINT')
    const { code, stdout } = await listener.ended
    expect(code).toBe(130)
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(messages).toMatchObject([
      { offset: 1, event: 'chat', data: { text: 'before' }, from: { user: 'cli' } },
      { offset: 2, event: 'chat', data: { text: 'after' } },
    ])
  })

  it('listen ends with 1 where it may not', async () => {
    const { code, stderr } = await place.run('listen', 'user:somebody-else')
    expect(code).toBe(1)
    expect(stderr).toContain('not listening to user:somebody-else')
  })

  it('watch shows an operation to its end and ends with 0', async () => {
    const { id, client } = await startIndex('gentle')
    const { code, stdout } = await place.run('watch', id)
    client.disconnect()
    expect(code).toBe(0)
    const lines = stdout.trim().split('\n')
    expect(lines.some((line) => line.includes('2/3 Reading'))).toBe(true)
    expect(lines.at(-1)).toMatch(/100% .* completed after \d+(\.\d)? s$/)
  })

  it('watch --json prints snapshots whose version rises and whose percentage never falls', async () => {
    const { id, client } = await startIndex('gentle')
    const { code, stdout } = await place.run('watch', id, '--json')
    client.disconnect()
    expect(code).toBe(0)
    const snapshots = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Snapshot)
    expect(snapshots.at(-1)).toMatchObject({ id, state: 'completed', result: { files: INDEXED_FILES } })
    const versions = snapshots.map(({ version }) => version)
    const percents = snapshots.map(({ progress }) => progress.percent ?? 0)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
    expect(percents).toEqual(percents.toSorted((a, b) => a - b))
    expect(snapshots.length).toBeGreaterThan(5)
  })

  it('watch ends with 3 when the operation is cancelled, and with 130 on Ctrl-C', async () => {
    const { id, client } = await startIndex('gentle')
    const watched = place.start('watch', id)
    const left = place.start('watch', id)
    await Promise.all([watched.printed(/Reading/), left.printed(/Reading/)])
    left.child.kill('SIGINT')
    expect(await left.ended).toMatchObject({ code: 130, stderr: '' })
    await client.operation(id).cancel()
    expect((await watched.ended).code).toBe(3)
    client.disconnect()
  })

  it('watch ends with 1 and clear words for an operation that is not there or not for us', async () => {
    const { code, stderr } = await place.run('watch', 'nothing-here')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^holdfast: there is no operation nothing-here at .* that user cli of tenant demo may watch\n$/,
    )
    const { id, client } = await startIndex('full')
    expect(await place.run('watch', id, '--tenant', 'other')).toMatchObject({ code: 1, stdout: '' })
    client.disconnect()
  })

  it('an index stops within 100 ms of a cancel', async () => {
    const delays: number[] = []
    while (delays.length < 3 && Math.min(...delays) >= 100) {
      const { id, client } = await startIndex('gentle')
      const job = client.operation(id)
      const { done } = job
      await expect.poll(() => job.snapshot?.progress.phase?.name).toBe('Reading')
      const askedAt = performance.now()
      await job.cancel()
      await expect(done).rejects.toMatchObject({ code: 'operation_cancelled' })
      delays.push(performance.now() - askedAt)
      client.disconnect()
    }
    expect(Math.min(...delays)).toBeLessThan(100)
  })

  it('an index stays inside the directory that the server was started in', async () => {
    const client = await visitor('ada')
    await expect(client.call('demo.index', { path: '/etc' })).rejects.toThrow('lies outside')
    await expect(client.call('demo.index', { path: '../..' })).rejects.toThrow('lies outside')
    await expect(client.call('demo.index', { path: 5 })).rejects.toMatchObject({ code: 'bad_request' })
    client.disconnect()
  })
})

interface Snapshot {
  readonly version: number
  readonly progress: { readonly percent?: number }
}
