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

/** After how long what failed on our side may be tried again. */
const RETRY_AFTER_MS = 1_000

/** What a client is told of any error: a refusal as it is, an engine that is away as retryable, and of everything else nothing but that it happened. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const isAway = (error as { code?: unknown } | undefined)?.code === 'engine_unavailable'
  return new HoldfastError(isAway ? 'engine_unavailable' : 'internal_error', undefined, { retryAfter: RETRY_AFTER_MS })
}
