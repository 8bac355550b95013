import { ERRORS, type ErrorCode } from '@holdfast/protocol'

/** A refusal that a client, or the application, is told. */
export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  /** Milliseconds to wait before trying again. */
  readonly retryAfter: number | undefined
  readonly details: unknown

  /** `message` defaults to the text of the error table. */
  constructor(code: ErrorCode, message?: string, options: { retryAfter?: number; details?: unknown } = {}) {
    super(message ?? ERRORS[code].message)
    this.name = 'HoldfastError'
    this.code = code
    this.retryable = ERRORS[code].retryable
    this.retryAfter = options.retryAfter
    this.details = options.details
  }
}
