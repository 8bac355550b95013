import { type WorkerTie, workerTie } from './workers/worker-tie.js'

/** A stream that a command writes to. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined
  /** Columns of the terminal; absent elsewhere. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string | Uint8Array): unknown
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
  /** Calls `task` when nobody reads the stream any more. Until then that ends the process quietly (standard output), or is passed over (standard error). */
  onReaderGone(stream: 'stdout' | 'stderr', task: () => void): void
  /** Everything that standard input holds, as text. */
  readInput(): Promise<string>
  /** Ends the process at once. */
  exit(code: number): void
}

/** The process itself. A reader that goes away, such as `head`, ends it quietly. */
export function processShell(): Shell {
  const gone: Record<'stdout' | 'stderr', () => void> = { stdout: () => process.exit(0), stderr: () => {} }
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      gone[name]()
    })
  }
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
    onReaderGone: (stream, task) => void (gone[stream] = task),
    readInput,
    exit: (code) => process.exit(code),
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

/** Aborts when the person presses Ctrl-C, or the system asks for the end. */
export function interruption(shell: Shell): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) shell.onSignal(name, () => abort.abort())
  return abort.signal
}
