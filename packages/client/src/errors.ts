import type { ErrorCode, OperationSnapshot, ServerMessageOf } from '@holdfast/protocol'

/** The codes that the client adds to those of the protocol. `docs/reference/client.md` says what to do about each. */
export type ClientErrorCode =
  | 'aborted'
  | 'disconnected'
  | 'handler_failed'
  | 'invalid_option'
  | 'operation_cancelled'
  | 'operation_expired'
  | 'operation_failed'
  | 'queue_expired'
  | 'queue_full'
  | 'refused'
  | 'token_failed'
  | 'transport_failed'

/** Why something could not be done: a code of the protocol, of the client, or of the application. */
export type HoldfastErrorCode = ErrorCode | ClientErrorCode | (string & {})

/** What an error may carry beside its code and message. */
export interface HoldfastErrorOptions {
  readonly retryable?: boolean | undefined
  readonly retryAfter?: number | undefined
  readonly details?: unknown
  readonly cause?: unknown
}

/** The one error that the client rejects with, throws, and reports. */
export class HoldfastError extends Error {
  /** What went wrong, in a word that does not change. */
  readonly code: HoldfastErrorCode
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean
  /** Milliseconds to wait before the next try, where the server said so. */
  readonly retryAfter: number | undefined
  /** What the server or the application added. */
  readonly details: unknown

  constructor(code: HoldfastErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options)
    this.name = 'HoldfastError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.retryAfter = options.retryAfter
    this.details = options.details
  }
}

/** How an operation ended, when it did not complete. The code is `operation_failed`, `operation_cancelled` or `operation_expired`. */
export class OperationError extends HoldfastError {
  /** The operation as it ended. */
  readonly snapshot: OperationSnapshot

  constructor(snapshot: OperationSnapshot) {
    super(`operation_${snapshot.state}`, snapshot.error?.message ?? `Operation ${snapshot.id} ${snapshot.state}`, {
      retryable: snapshot.error?.retryable,
      details: snapshot.error,
    })
    this.name = 'OperationError'
    this.snapshot = snapshot
  }
}

/** The error that an `error` answer of the server stands for. */
export function errorFromAnswer(answer: ServerMessageOf<'error'>): HoldfastError {
  return new HoldfastError(answer.code, answer.message, answer)
}

/**
 * The codes after which the same request may succeed later, where the server gave nothing but a code: a column of the protocol's table without
 * the rest, which a page need not load, and no more letters than tell them apart. A test holds the two together.
 */
export const PASSING: RegExp = /^(rate|rec|eng|time|int|already_h|chil)/

/** An error after which the same request may succeed later. */
export function passing(code: ErrorCode | ClientErrorCode, message: string): HoldfastError {
  return new HoldfastError(code, message, { retryable: true })
}

/** Throws it again, unless the connection was lost: for what the next one does anyhow. */
export function unlessLost(error: HoldfastError): void {
  if (error.code !== 'disconnected') throw error
}

/** Any thrown value as an error of this client. */
export function asHoldfastError(thrown: unknown, code: ClientErrorCode, what: string): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new HoldfastError(code, `${what}: ${why}`, { cause: thrown, retryable: code !== 'handler_failed' })
}
