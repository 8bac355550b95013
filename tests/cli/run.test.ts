import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OperationSnapshot } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { type Workplace, createWorkplace } from './command.js'

/** A machine that is busy takes its time to start several processes in turn. */

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace()
  await place.serve('--no-demo')
})

afterAll(() => place?.close())

async function show(id: string): Promise<OperationSnapshot> {
  return JSON.parse((await place.run('operation', 'show', id)).stdout) as OperationSnapshot
}

async function alive(pattern: string): Promise<boolean> {
  return promisify(execFile)('pgrep', ['-f', pattern]).then(
    () => true,
    () => false,
  )
}

describe('holdfast run', () => {
  it('passes on what the command prints, and completes with its status', async () => {
    const script = 'for i in 1 2 3 4; do echo "$i/4"; echo "note $i" >&2; sleep 0.3; done'
    const ran = await place.run('run', '--id', 'good', '--label', 'Four steps', '--', 'sh', '-c', script)
    expect(ran).toMatchObject({ code: 0, stdout: '1/4\n2/4\n3/4\n4/4\n' })
    expect(ran.stderr).toContain('note 4')
    expect(ran.stderr).toContain('holdfast: good: watch it with: npx holdfast watch good')
    expect(ran.stderr).not.toContain('\u001B')
    expect(await show('good')).toMatchObject({
      state: 'completed',
      label: 'Four steps',
      progress: { done: 4, total: 4, percent: 100 },
      result: { exitCode: 0, durationSeconds: expect.any(Number) as number },
    })
  })

  it('fails with the status of the command, and with the signal that ended it', async () => {
    const failed = await place.run('run', '--id', 'bad', '--quiet', '--', 'sh', '-c', 'echo no such table; exit 7')
    expect(failed).toMatchObject({ code: 7, stdout: '' })
    expect(await show('bad')).toMatchObject({
      state: 'failed',
      error: { code: 'exit_7', message: 'The command ended with status 7: no such table' },
    })
    expect(await place.run('run', '--id', 'killed', '--', 'sh', '-c', 'kill -9 $$')).toMatchObject({ code: 137 })
    expect(await show('killed')).toMatchObject({ state: 'failed', error: { code: 'signal_SIGKILL' } })
    expect(await place.run('run', '--', 'no-such-command')).toMatchObject({ code: 127 })
  })

  it('follows a tar of a large tree by its checkpoints', async () => {
    const tree = join(place.directory, 'tree')
    await mkdir(tree)
    await Promise.all(Array.from({ length: 400 }, (_, n) => writeFile(join(tree, `${n}`), Buffer.alloc(50_000, n))))
    const tar = ['tar', '-cf', 'tree.tar', '--checkpoint=100', 'tree']
    const run = place.start('run', '--id', 'tar', '--total', '2000', '--', ...tar)
    expect(await run.ended).toMatchObject({ code: 0 })
    const { progress, state } = await show('tar')
    expect(state).toBe('completed')
    expect(progress).toMatchObject({ total: 2000, unit: 'checkpoints' })
    expect(progress.done).toBeGreaterThan(500)
  })

  it('follows an npm ci', async () => {
    const project = join(place.directory, 'project')
    await mkdir(join(project, 'part'), { recursive: true })
    await writeFile(join(project, 'part/package.json'), '{"name":"part","version":"1.0.0"}')
    await writeFile(
      join(project, 'package.json'),
      '{"name":"whole","version":"1.0.0","dependencies":{"part":"file:part"}}',
    )
    const install = ['npm', '--prefix', project, '--offline', '--no-audit', '--no-fund']
    await promisify(execFile)(install[0] ?? '', [...install.slice(1), 'install', '--package-lock-only'], {
      cwd: project,
    })
    expect(await place.run('run', '--id', 'npm', '--', ...install, 'ci')).toMatchObject({ code: 0 })
    expect(await readFile(join(project, 'node_modules/part/package.json'), 'utf8')).toContain('part')
    const { state, progress } = await show('npm')
    expect(state).toBe('completed')
    expect(progress.message).toMatch(/added 1 package/)
  })

  it('reads by a pattern, counts lines, and knows phases', async () => {
    const script = 'echo "== copy"; echo "row 5 of 10"; sleep 0.6; echo "== check"; echo "row 2 of 10"'
    const flags = ['--pattern', 'row (?<done>\\d+) of (?<total>\\d+)', '--phase-pattern', '^== (.*)']
    const watched = place.start(
      'run',
      '--id',
      'pattern',
      '--phase',
      'copy',
      '--phase',
      'check:3',
      ...flags,
      '--',
      'sh',
      '-c',
      script,
    )
    expect(await watched.ended).toMatchObject({ code: 0 })
    expect((await show('pattern')).progress.phase).toMatchObject({ name: 'check', index: 2, count: 2 })
    await place.run('run', '--id', 'lines', '--total', '3', '--count-lines', '--', 'sh', '-c', 'echo a; echo b; echo c')
    expect((await show('lines')).progress).toMatchObject({ done: 3, total: 3 })
  })

  it('stops everything that it has started when a watcher cancels, and ends with 3', async () => {
    const run = place.start('run', '--id', 'stop', '--', 'sh', '-c', 'echo begun; sleep 8931 & sleep 8931')
    await run.printed(/begun/)
    await expect.poll(async () => (await place.run('operation', 'cancel', 'stop')).code, { timeout: 20_000 }).toBe(0)
    expect((await run.ended).code).toBe(3)
    expect(await alive('sleep 8931')).toBe(false)
    expect((await show('stop')).state).toBe('cancelled')
  })

  it('stops on Ctrl-C, kills what does not stop in time, and ends with 130', async () => {
    const script = 'trap "" INT TERM; echo begun; while :; do sleep 0.1; done'
    const run = place.start('run', '--id', 'deaf', '--grace', '300ms', '--', 'sh', '-c', script)
    await run.printed(/begun/)
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(130)
    expect((await show('deaf')).state).toBe('cancelled')
  })

  it('takes up an operation that waits for a worker', async () => {
    await place.run('operation', 'start', 'waiting', '--kind', 'import', '--queued')
    expect(await place.run('run', '--id', 'waiting', '--', 'true')).toMatchObject({ code: 0 })
    expect(await show('waiting')).toMatchObject({ state: 'completed', kind: 'import' })
  })

  it('runs the command without a server, unless it is told not to', async () => {
    const away = ['--url', 'http://127.0.0.1:65111', '--end-timeout', '100ms']
    const ran = await place.run('run', ...away, '--', 'echo', 'done')
    expect(ran).toMatchObject({ code: 0, stdout: 'done\n' })
    expect(ran.stderr).toMatch(/not reported: cannot reach .* npx holdfast serve/)
    expect(ran.stderr).toContain('the server does not know that it completed')
    const refused = await place.run('run', ...away, '--require-server', '--', 'echo', 'done')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('not run, as --require-server asks')
  })

  it('goes on while the server is away, and tells it everything when it is back', async () => {
    const port = Number(new URL(place.env['HOLDFAST_URL'] ?? '').port)
    const proxy = await TcpProxy.start(port)
    proxy.switchUpstream(undefined)
    const file = join(place.directory, 'go')
    const script = `echo 1/4; while [ ! -e ${file} ]; do sleep 0.1; done; echo 3/4`
    const run = place.start('run', '--id', 'back', '--url', proxy.url, '--', 'sh', '-c', script)
    await run.printed(/not reported/)
    proxy.switchUpstream(port)
    await run.printed(/reporting again/)
    proxy.switchUpstream(undefined)
    proxy.cut()
    await writeFile(file, '')
    await run.printed(/not reported now/)
    proxy.switchUpstream(port)
    expect((await run.ended).code).toBe(0)
    await proxy.close()
    expect(await show('back')).toMatchObject({ state: 'completed', progress: { total: 4, message: '3/4' } })
  })
})
