import { type WorkerTie, workerTie } from './workers/worker-tie.js'

/** A stream that a command writes to. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined
  /** Columns of the terminal; absent elsewhere. */
  readonly columns?: number | undefined
  write(text: string): unknown
}

/** What a command sees of the process that it runs in. */
export interface Shell {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** What ties this process to the one that started it as one of several workers; undefined: nothing. */
  readonly worker?: WorkerTie | undefined
  /** Calls `task` whenever the signal comes; returns its undo. */
  onSignal(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP', task: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** The process itself. A reader that goes away, such as `head`, ends it quietly. */
export function processShell(): Shell {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    worker: workerTie(),
    onSignal(name, task) {
      process.on(name, task)
      return () => void process.off(name, task)
    },
    exit: (code) => process.exit(code),
  }
}

/** Aborts when the person presses Ctrl-C, or the system asks for the end. */
export function interruption(shell: Shell): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) shell.onSignal(name, () => abort.abort())
  return abort.signal
}
