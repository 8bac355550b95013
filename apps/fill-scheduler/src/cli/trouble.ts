import { CommanderError } from 'commander'
import { problemText } from '../io/reports/txt.js'
import { visible } from '../io/reports/visible-text.js'
import { InputError, type Problem } from '../problem.js'
import { EXIT, Failure, type Shell } from './shell.js'

/** How trouble is told. */
export interface TroubleOptions {
  /** As one JSON document. */
  readonly json: boolean
  /** With the stack of what nobody expected. */
  readonly verbose: boolean
}

/** Tells on standard error what went wrong, problems row by row. Answers the exit code. */
export function tellTrouble(error: unknown, shell: Shell, { json, verbose }: TroubleOptions): number {
  if (shell.interrupted.aborted) return EXIT.interrupted
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.failed
  if (json) shell.stderr.write(`${JSON.stringify({ error: documentOf(error) })}\n`)
  else shell.stderr.write(textOf(error, verbose))
  return EXIT.failed
}

/** Warnings, one a line. */
export function tellWarnings(problems: readonly Problem[], shell: Shell): void {
  for (const problem of problems) {
    if (problem.severity === 'warning') shell.stderr.write(`Warning: ${placed(problem)}\n`)
  }
}

function textOf(error: unknown, verbose: boolean): string {
  if (error instanceof InputError) {
    return error.problems
      .map((problem) => `${problem.severity === 'error' ? 'Error' : 'Warning'}: ${placed(problem)}\n`)
      .join('')
  }
  if (!(error instanceof Error)) return `Error: ${visible(String(error))}\n`
  return verbose && !(error instanceof Failure)
    ? `${error.stack ?? error.message}\n`
    : `Error: ${visible(error.message)}\n`
}

/** Settings are named by their path, as lots are by their row. */
function placed(problem: Problem): string {
  const text = problemText(problem)
  const { field } = problem
  return field === undefined || text.includes(field) ? text : `${visible(field)}: ${text}`
}

function documentOf(error: unknown): object {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return {
    code: typeof code === 'string' ? code : 'failed',
    message: typeof message === 'string' ? message : String(error),
    ...(error instanceof InputError ? { details: { problems: error.problems } } : {}),
  }
}
