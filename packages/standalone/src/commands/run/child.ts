import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { type Clock, pause, within } from '../../clock.js'

/** How a command ended. */
export interface ChildEnd {
  /** As shells count it: its status, 128 and the number of the signal that ended it, 127 where there is no such command, 126 where it cannot be run. */
  readonly status: number
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | undefined
  /** Why it could not be started. */
  readonly problem: string | undefined
}

/** What a command is started with. */
export interface ChildParts {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
}

/** A command that runs in a process group of its own. */
export interface Child {
  readonly ended: Promise<ChildEnd>
  /** Sends `signal` to every process of its group, and SIGKILL to those that are left `graceMs` later. Asked again, it kills at once. */
  stop(signal: NodeJS.Signals, graceMs: number): void
  /** Reads no more of its output, so that it learns that nobody does. */
  deafen(stream: 'stdout' | 'stderr'): void
}

/** Processes that a command leaves behind may hold its output open; they are not waited for. */
const DRAIN_MS = 250
const LOOK_EVERY_MS = 25

/**
 * Starts a command. Its group is its own, and so is its session: what the terminal sends on Ctrl-C reaches us alone, and we say what becomes of the command and of everything that it
 * started. Its input is ours.
 */
export function startChild({ command, cwd, env, clock, output }: ChildParts): Child {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['inherit', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => output('stdout', chunk))
  child.stderr.on('data', (chunk: Buffer) => output('stderr', chunk))
  const group = groupOf(child)
  const killing = new AbortController()
  let stopping: Promise<void> | undefined
  return {
    ended: endOf(child, clock).then(async (end) => {
      await stopping
      return end
    }),
    stop(signal, graceMs) {
      if (stopping !== undefined) return killing.abort()
      group.send(signal)
      stopping = group.gone(clock, graceMs, killing.signal).then((isGone) => void (isGone || group.send('SIGKILL')))
    },
    deafen: (stream) => void (child[stream] as Readable).destroy(),
  }
}

async function endOf(child: ChildProcess, clock: Clock): Promise<ChildEnd> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = await new Promise<ChildEnd>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(notStarted(child, error)))
    child.once('exit', (status, signal) =>
      resolve({
        status: status ?? 128 + (signal ? constants.signals[signal] : 0),
        signal: signal ?? undefined,
        problem: undefined,
      }),
    )
  })
  if (end.problem === undefined) await within(clock, DRAIN_MS, closed)
  return end
}

function notStarted({ spawnfile }: ChildProcess, error: NodeJS.ErrnoException): ChildEnd {
  const isMissing = error.code === 'ENOENT'
  const problem = isMissing ? `${spawnfile}: command not found` : `${spawnfile}: ${error.message}`
  return { status: isMissing ? 127 : 126, signal: undefined, problem }
}

interface ProcessGroup {
  send(signal: NodeJS.Signals): void
  /** Whether all of its processes have ended before `ms` are over, or `hurry` aborts. */
  gone(clock: Clock, ms: number, hurry: AbortSignal): Promise<boolean>
}

function groupOf({ pid }: ChildProcess): ProcessGroup {
  const send = (signal: NodeJS.Signals | 0): boolean => {
    if (pid === undefined) return false
    try {
      return process.kill(-pid, signal)
    } catch {
      return false
    }
  }
  return {
    send: (signal) => void send(signal),
    async gone(clock, ms, hurry) {
      const until = clock.now() + ms
      while (send(0)) {
        if (hurry.aborted || clock.now() >= until) return false
        await pause(clock, LOOK_EVERY_MS, hurry).catch(() => undefined)
      }
      return true
    },
  }
}
