import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Holdfast, type OperationSnapshot } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, type Workplace, createWorkplace } from '../cli/command.js'

const PROGRAM = fileURLToPath(new URL('../../examples/directory-scan/scan.mjs', import.meta.url))
const WAIT = { timeout: 20_000, interval: 50 }
const FILES = 400

let place: Workplace
let url: string
let server: Running
let tree: string
/** Tokens by user and tenant. */
const tokens: Record<string, string> = {}

beforeAll(async () => {
  place = await createWorkplace()
  place.env['HOLDFAST_DATA_DIR'] = join(place.directory, 'data')
  ;({ url, running: server } = await place.serve('--no-demo'))
  for (const [name, tenant, ...rights] of [
    ['ada', 'acme', '--permission', 'operations.own'],
    ['ben', 'acme', '--permission', 'operations.own'],
    ['ada-elsewhere', 'globex', '--permission', 'operations'],
    ['worker', 'acme', '--permission', 'operations'],
  ] as const) {
    const user = name === 'ada-elsewhere' ? 'ada' : name
    const { stdout, stderr } = await place.run('token', '--tenant', tenant, '--user', user, ...rights)
    expect(stderr).toBe('')
    tokens[name] = stdout.trim()
  }
  tree = await mkdtemp(join(tmpdir(), 'holdfast-scan-'))
  await mkdir(join(tree, 'below', 'deeper'), { recursive: true })
  const plant = (at: number): Promise<void> =>
    writeFile(join(tree, at % 2 ? '' : 'below/deeper', `${at}.txt`), 'x'.repeat(10))
  await Promise.all(Array.from({ length: FILES }, (_, at) => plant(at)))
})

afterAll(async () => {
  await place?.close()
  await rm(tree, { recursive: true, force: true })
})

interface Scan {
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
  kill(signal: 'SIGKILL' | 'SIGINT'): void
}

function scan(id: string, as: string, directory: string, ...more: string[]): Scan {
  return scanAt(url, id, tokens[as] ?? '', directory, ...more)
}

function scanAt(at: string, id: string, token: string, directory: string, ...more: string[]): Scan {
  const args = [PROGRAM, directory, '--url', at, '--id', id, ...more]
  const child = spawn(process.execPath, args, { env: { ...process.env, HOLDFAST_TOKEN: token } })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  const ended = new Promise<Awaited<Scan['ended']>>((resolve) => {
    child.once('close', (code) => resolve({ code, ...output }))
  })
  return { ended, kill: (signal) => void child.kill(signal) }
}

async function ask(method: string, path: string, as: string, body?: object): Promise<{ status: number; body: object }> {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens[as]}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as object }
}

async function snapshotOf(id: string): Promise<OperationSnapshot | undefined> {
  const { status, body } = await ask('GET', `operations/${id}`, 'ada')
  return status === 200 ? (body as OperationSnapshot) : undefined
}

const doneOf = async (id: string): Promise<number> => {
  const snapshot = await snapshotOf(id)
  return snapshot?.progress.phase?.name === 'scanning' ? snapshot.progress.done : 0
}

/** A client of one user, and every snapshot that it is told. */
function watch(id: string, as: string): { seen: OperationSnapshot[]; done: Promise<unknown>; client: Holdfast } {
  const client = new Holdfast(`${url.replace('http', 'ws')}/ws`, { token: tokens[as] ?? '' })
  const operation = client.operation(id)
  const seen: OperationSnapshot[] = []
  operation.on('progress', ({ snapshot }) => seen.push(snapshot))
  return { seen, done: operation.done, client }
}

describe('the scan of a directory', () => {
  it('tells how far it is and where, and ends with what it found', async () => {
    const running = scan('scan-1', 'ada', tree, '--files-per-second', '400')
    await expect.poll(() => snapshotOf('scan-1'), WAIT).toBeDefined()
    const { seen, done, client } = watch('scan-1', 'ada')
    const result = { totalFiles: FILES, totalSize: FILES * 10, warnings: [], warningCount: 0 }
    expect(await done).toEqual(result)
    const { code, stdout } = await running.ended
    expect({ code, printed: JSON.parse(stdout) as object }).toEqual({ code: 0, printed: result })
    const scanning = seen.filter(({ progress }) => progress.phase?.name === 'scanning')
    expect(scanning.some(({ progress }) => progress.total === FILES && progress.item?.endsWith('.txt'))).toBe(true)
    expect(scanning[0]?.progress.phase).toEqual({ name: 'scanning', index: 2, count: 2 })
    const percents = seen.map(({ progress }) => progress.percent ?? 0)
    expect(percents).toEqual(percents.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toMatchObject({
      owner: 'ada',
      kind: 'directory-scan',
      state: 'completed',
      metadata: { path: tree },
    })
    client.disconnect()
  })

  it('goes on after what it cannot read, and says so', async () => {
    const gone = await mkdtemp(join(tmpdir(), 'holdfast-scan-'))
    await mkdir(join(gone, 'closed'))
    await Promise.all(Array.from({ length: 150 }, (_, at) => writeFile(join(gone, `${at}.txt`), '')))
    const running = scan('scan-2', 'ada', gone, '--files-per-second', '100')
    await expect.poll(() => doneOf('scan-2'), WAIT).toBeGreaterThan(0)
    await rm(join(gone, 'closed'), { recursive: true })
    const { code, stdout } = await running.ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ totalFiles: 150, warnings: ['closed: ENOENT'], warningCount: 1 })
    expect((await snapshotOf('scan-2'))?.progress.message).toBe('1 warning, the last: closed: ENOENT')
    await rm(gone, { recursive: true })
  })

  it('fails where there is no such directory', async () => {
    const { code, stderr } = await scan('scan-3', 'ada', join(tree, 'nowhere')).ended
    expect(code).toBe(1)
    expect(stderr).toContain('ENOENT')
    expect(await snapshotOf('scan-3')).toMatchObject({ state: 'failed', error: { code: 'ENOENT' } })
  })

  it('stops when it is cancelled by whoever watches, or by Ctrl-C', async () => {
    const watched = scan('scan-4', 'ada', tree, '--files-per-second', '40')
    const interrupted = scan('scan-5', 'ada', tree, '--files-per-second', '40')
    for (const id of ['scan-4', 'scan-5']) await expect.poll(() => doneOf(id), WAIT).toBeGreaterThan(0)
    expect((await ask('POST', 'operations/scan-4/cancel', 'ada', {})).status).toBe(202)
    interrupted.kill('SIGINT')
    for (const { ended } of [watched, interrupted]) expect((await ended).code).toBe(130)
    for (const id of ['scan-4', 'scan-5']) expect((await snapshotOf(id))?.state).toBe('cancelled')
  })

  it('is begun for somebody else by a worker that may', async () => {
    const { code } = await scan('scan-6', 'worker', tree, '--owner', 'ada').ended
    expect(code).toBe(0)
    expect(await snapshotOf('scan-6')).toMatchObject({ owner: 'ada', state: 'completed' })
    const refused = await scan('scan-7', 'ben', tree, '--owner', 'ada').ended
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('permission') as string })
  })
})

describe('who else asks for it', () => {
  it.each([
    ['another user of the tenant', 'ben'],
    ['the same name in another tenant, whatever it may there', 'ada-elsewhere'],
  ])('%s hears what those hear who ask for one that does not exist', async (_who, as) => {
    const id = `scan-of-ada-${as}`
    const running = scan(id, 'ada', tree, '--files-per-second', '100')
    await expect.poll(() => doneOf(id), WAIT).toBeGreaterThan(0)
    for (const [method, path, body] of [
      ['GET', ''],
      ['GET', '/events'],
      ['PATCH', '', { done: 1 }],
      ['POST', '/cancel', {}],
      ['POST', '/complete', {}],
      ['POST', '/attempts', { force: true }],
    ] as const) {
      const theirs = await ask(method, `operations/${id}${path}`, as, body)
      const none = await ask(method, `operations/nowhere${path}`, as, body)
      expect({ path, ...theirs }).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
      expect(theirs.body).toEqual(none.body)
    }
    const { done, client, seen } = watch(id, as)
    await expect(done).rejects.toMatchObject({ code: 'not_found' })
    client.disconnect()
    expect(seen).toEqual([])
    expect((await running.ended).code).toBe(0)
    expect((await snapshotOf(id))?.state).toBe('completed')
  })
})

describe('what breaks while it runs', () => {
  it('survives a server that is killed and started again, and is told of by one end', async () => {
    const running = scan('scan-8', 'ada', tree, '--files-per-second', '60')
    await expect.poll(() => doneOf('scan-8'), WAIT).toBeGreaterThan(50)
    const { seen, done, client } = watch('scan-8', 'ada')
    await client.ready()
    server.child.kill('SIGKILL')
    await server.ended
    ;({ running: server } = await place.serve('--no-demo', '--port', new URL(url).port))
    expect(await running.ended).toMatchObject({ code: 0, stderr: 'Operation scan-8\n' })
    expect(await done).toMatchObject({ totalFiles: FILES })
    expect(await snapshotOf('scan-8')).toMatchObject({ state: 'completed', attempt: 1 })
    expect(seen.filter(({ state }) => state === 'completed')).toHaveLength(1)
    client.disconnect()
  })

  it('begins again, where it is, at a server that has forgotten it', async () => {
    const memory = await createWorkplace()
    try {
      const { url: at, running: first } = await memory.serve('--no-demo')
      const { stdout } = await memory.run(
        'token',
        '--tenant',
        'acme',
        '--user',
        'ada',
        '--permission',
        'operations.own',
      )
      const running = scanAt(at, 'scan-10', stdout.trim(), tree, '--files-per-second', '100')
      const found = async (): Promise<OperationSnapshot> => {
        const headers = { authorization: `Bearer ${stdout.trim()}` }
        return (await (await fetch(`${at}/api/v1/operations/scan-10`, { headers })).json()) as OperationSnapshot
      }
      await expect.poll(async () => (await found()).progress?.done, WAIT).toBeGreaterThan(50)
      first.child.kill('SIGKILL')
      await first.ended
      await memory.serve('--no-demo', '--port', new URL(at).port)
      expect(await running.ended).toMatchObject({ code: 0, stderr: 'Operation scan-10\n' })
      expect(await found()).toMatchObject({ state: 'completed', result: { totalFiles: FILES } })
    } finally {
      await memory.close()
    }
  })

  it('is taken up again, as its next attempt, by the same command after it was killed itself', async () => {
    const first = scan('scan-9', 'ada', tree, '--files-per-second', '60')
    await expect.poll(() => doneOf('scan-9'), WAIT).toBeGreaterThan(50)
    first.kill('SIGKILL')
    await first.ended
    expect(await scan('scan-9', 'ada', tree).ended).toMatchObject({ code: 0, stderr: 'Operation scan-9\n' })
    expect(await snapshotOf('scan-9')).toMatchObject({ state: 'completed', attempt: 2 })
    const { code, stderr } = await scan('scan-9', 'ada', tree).ended
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('id') as string })
  })
})
