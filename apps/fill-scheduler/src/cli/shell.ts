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
  readonly stdin: NodeJS.ReadStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** Aborted by Ctrl-C, or when the system asks for the end; the reason is an `Interruption`. */
  readonly interrupted: AbortSignal
}

/** Why a command is to end. */
export class Interruption extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM'

  constructor(signal: Interruption['signal']) {
    super(`ended by ${signal}`)
    this.name = 'Interruption'
    this.signal = signal
  }
}

/** How a command ends; shells and scripts rely on these. */
export const EXIT = {
  done: 0,
  /** Refused, failed, or wrongly used. */
  failed: 1,
  /** Ctrl-C, as shells count it: 128 and the number of the signal. */
  interrupted: 130,
} as const

/** Ends a command with a text for people; it is printed without a stack. */
export class Failure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Failure'
  }
}

/** The process itself. A reader that goes away, such as `head`, keeps nothing from being done; a second Ctrl-C ends it at once. */
export function processShell(): Shell {
  watchOutput()
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupted: interruption(),
  }
}

/** What nobody reads is not missed: files are still written. What cannot be written, to a full disk, is. */
function watchOutput(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      if (name === 'stdout') process.stderr.write(`Error: cannot write to standard output: ${error.message}\n`)
      process.exit(EXIT.failed)
    })
  }
}

function interruption(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(EXIT.interrupted)
      abort.abort(new Interruption(name))
    })
  }
  return abort.signal
}
