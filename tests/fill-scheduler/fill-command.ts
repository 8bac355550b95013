import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../apps/fill-scheduler/bin/fill-scheduler.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('../cli/terminal.py', import.meta.url))
const DEADLINE_MS = 30_000

/** How a command ended, and what it printed. */
export interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ending>
  /** Resolves with the first match in what it has printed; rejects when it ends without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
}

/** A folder in which the program is run, with an environment that has nothing of ours. */
export class Desk {
  readonly folder: string
  readonly #running = new Set<Running>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Desk> {
    return new Desk(await mkdtemp(join(tmpdir(), 'fill-cli-')))
  }

  /** The path of something in the folder. */
  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  start(args: readonly string[], env: Record<string, string> = {}): Running {
    return this.#keep(startProcess(process.execPath, [PROGRAM, ...args], this.folder, env))
  }

  /** On a terminal of 100 columns; what is written to the standard input of the child is typed. */
  startOnTerminal(args: readonly string[]): Running {
    const command = [TERMINAL, '100', '40', process.execPath, PROGRAM, ...args]
    return this.#keep(startProcess('python3', command, this.folder, { TERM: 'xterm' }))
  }

  /** Runs a shell script in which `$F` is the program. */
  shell(script: string): Promise<Ending> {
    const program = `F="${process.execPath} ${PROGRAM}"`
    return this.#keep(startProcess('bash', ['-c', `${program}; ${script}`], this.folder, {})).ended
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Ending> {
    return this.start(args, env).ended
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    for (const { child } of this.#running) child.kill('SIGKILL')
    await Promise.all([...this.#running].map(({ ended }) => ended))
    await rm(this.folder, { recursive: true, force: true })
  }

  #keep(running: Running): Running {
    this.#running.add(running)
    void running.ended.then(() => this.#running.delete(running))
    return running
  }
}

function startProcess(file: string, args: readonly string[], cwd: string, env: Record<string, string>): Running {
  const child = spawn(file, [...args], { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env } })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  }
  const killer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
  const ended = once(child, 'close').then(([code]) => {
    clearTimeout(killer)
    return { code: code as number | null, ...output }
  })
  return { child, ended, printed: (pattern) => printed(pattern, child, output, ended) }
}

/** Looks again whenever more is printed. */
function printed(
  pattern: RegExp,
  { stdout, stderr }: ChildProcessWithoutNullStreams,
  output: { readonly stdout: string; readonly stderr: string },
  ended: Promise<Ending>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
      if (match === null) return
      stdout.off('data', look)
      stderr.off('data', look)
      resolve(match)
    }
    stdout.on('data', look)
    stderr.on('data', look)
    look()
    void ended.then(() => reject(new Error(`ended without ${String(pattern)}: ${output.stdout}${output.stderr}`)))
  })
}
