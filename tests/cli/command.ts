import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../packages/standalone/bin/holdfast.js', import.meta.url))
const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url))
const DEADLINE_MS = 60_000

/** How a command ended, and what it printed. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Outcome>
  /**
   * Resolves with the first match in what the command has printed to standard output and error; rejects when it ends
   * without one.
   */
  printed(pattern: RegExp): Promise<RegExpExecArray>
}

/** A directory to run commands in, with the environment that they get and nothing else of ours. */
export interface Workplace {
  readonly directory: string
  readonly env: Record<string, string>
  /** Starts a command. */
  start(...args: string[]): Running
  /** Starts a command on a terminal of so many columns and rows; what is written to the standard input of the child is typed. */
  startOnTerminal(size: { readonly columns: number; readonly rows: number }, ...args: string[]): Running
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Outcome>
  /** Starts a server on a free port; later commands find it. Resolves with its address. */
  serve(...args: string[]): Promise<{ url: string; running: Running }>
  /** Ends what still runs and removes the directory. */
  close(): Promise<void>
}

/** Makes a workplace. */
export async function createWorkplace(extra: Record<string, string> = {}): Promise<Workplace> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'))
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', PORT: '0', ...extra }
  const running = new Set<Running>()
  const keep = (command: Running): Running => {
    running.add(command)
    void command.ended.then(() => running.delete(command))
    return command
  }
  const start = (...args: string[]): Running => keep(startCommand(args, directory, env))
  return {
    directory,
    env,
    start,
    startOnTerminal({ columns, rows }, ...args) {
      return keep(
        spawnCommand(
          'python3',
          [TERMINAL, `${columns}`, `${rows}`, process.execPath, PROGRAM, ...args],
          directory,
          env,
        ),
      )
    },
    run: (...args) => start(...args).ended,
    async serve(...args) {
      const server = start('serve', ...args)
      const [, host = ''] = await server.printed(/ws:\/\/([\d.:]+)\/ws/)
      env['HOLDFAST_URL'] = `ws://${host}/ws`
      return { url: `http://${host}`, running: server }
    },
    async close() {
      for (const { child } of running) child.kill('SIGKILL')
      await Promise.all([...running].map(({ ended }) => ended))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function startCommand(args: string[], cwd: string, env: Record<string, string>): Running {
  return spawnCommand(process.execPath, [PROGRAM, ...args], cwd, env)
}

function spawnCommand(file: string, args: string[], cwd: string, env: Record<string, string>): Running {
  const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const listener of listeners) listener()
    })
  }
  const killer = args[1] === 'serve' ? undefined : setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
  const ended = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => {
      clearTimeout(killer)
      resolve({ code, ...output })
    })
  })
  return { child, ended, printed: (pattern) => waitForOutput(pattern, output, listeners, ended) }
}

function waitForOutput(
  pattern: RegExp,
  output: { stdout: string; stderr: string },
  listeners: Set<() => void>,
  ended: Promise<Outcome>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
      if (!match && error === undefined) return
      listeners.delete(look)
      clearTimeout(deadline)
      if (match) resolve(match)
      else reject(error ?? why('it went wrong'))
    }
    const look = (): void => settle()
    const why = (what: string): Error =>
      new Error(`${what} without printing ${pattern}\n${output.stdout}\n${output.stderr}`)
    const deadline = setTimeout(() => settle(why(`${DEADLINE_MS} ms went by`)), DEADLINE_MS)
    listeners.add(look)
    void ended.then(() => settle(why('the command ended')))
    look()
  })
}
