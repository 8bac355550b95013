/** What is wrong with input or with a plan. `error` refuses, `warning` lets pass. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Stable: `missing_column`, `duplicate_lot`, `oversize_lot`, … (docs/reference/fill-scheduler.md). */
  readonly code: string
  /** For people: what was expected, what was received. */
  readonly message: string
  /** Line of the file, the heading being line 1; of a JSON list, the position from 1. */
  readonly row?: number
  readonly column?: string
  readonly lotId?: string
  /** Of settings: the path of the member, `strategies.exact.maxLots`. */
  readonly field?: string
}

/** Input that was refused; `problems` has at least one error. */
export class InputError extends Error {
  readonly code = 'invalid_input'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.find(({ severity }) => severity === 'error')?.message ?? 'invalid input')
    this.name = 'InputError'
    this.problems = problems
  }
}
