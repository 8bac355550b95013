/** How a command ends; shells and scripts rely on these. */
export const EXIT = {
  done: 0,
  /** Refused, failed, not found, or the server could not be reached. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** `watch`: the operation was cancelled. */
  cancelled: 3,
  /** Ctrl-C, as shells count it: 128 and the number of the signal. */
  interrupted: 130,
} as const

/** Ends a command with a text for people and an exit code; it is printed without a stack. */
export class Failure extends Error {
  /** One of `EXIT`; 1 unless told otherwise. */
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** What went wrong, as text, whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
