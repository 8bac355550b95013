import { ERRORS, type ErrorCode } from '@holdfast/protocol'
import { asHoldfastError } from '../core/errors.js'

/** What only HTTP says beside the codes of the protocol. */
export type HttpErrorCode = ErrorCode | 'method_not_allowed' | 'precondition_failed' | 'wrong_host'

/** The status of each code of the protocol. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  unknown_type: 400,
  invalid_channel: 400,
  unserialisable: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  unknown_method: 404,
  already_ended: 409,
  stale_report: 409,
  already_held: 409,
  children_running: 409,
  idempotency_conflict: 409,
  limit_exceeded: 422,
  rate_limited: 429,
  internal_error: 500,
  method_failed: 500,
  recovery_overflow: 503,
  engine_unavailable: 503,
  timeout: 504,
}

/** What an answer that refuses says. */
export interface ApiRefusalOptions {
  /** Default: that of the code. */
  readonly status?: number
  /** The member of the body, or the parameter, that is wrong: `messages[3].event`. */
  readonly field?: string | undefined
  /** Milliseconds after which to try again. */
  readonly retryAfter?: number | undefined
  readonly details?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal that has a meaning over HTTP alone: another status than its code has, a field, headers. */
export class ApiRefusal extends Error {
  readonly code: HttpErrorCode
  readonly options: ApiRefusalOptions

  constructor(code: HttpErrorCode, message: string, options: ApiRefusalOptions = {}) {
    super(message)
    this.name = 'ApiRefusal'
    this.code = code
    this.options = options
  }
}

/** The body of every error. */
export interface ApiErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    /** Whether the same request may succeed later, unchanged. */
    readonly retryable: boolean
    /** Milliseconds. */
    readonly retryAfter?: number
    readonly field?: string
    readonly details?: unknown
    /** Under which the log of the server tells more. */
    readonly id?: string
  }
}

/** Any error as a client is told of it, with status and headers; of what nobody foresaw, nothing but that it happened. */
export function errorResponse(error: unknown, id?: string): Response {
  const refusal = asRefusal(error)
  const { status = statusOf(refusal.code), retryAfter, headers = {} } = refusal.options
  const seconds = retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter / 1_000))) }
  return Response.json(errorBody(error, id), {
    status,
    headers: { 'cache-control': 'no-store', ...seconds, ...headers },
  })
}

/** The body alone, for one of many results. */
export function errorBody(error: unknown, id?: string): ApiErrorBody {
  const { code, message, options } = asRefusal(error)
  const { retryAfter, field, details } = options
  return {
    error: {
      code,
      message,
      retryable: isRetryable(code),
      ...(retryAfter !== undefined && { retryAfter }),
      ...(field !== undefined && { field }),
      ...(details !== undefined && { details }),
      ...(id !== undefined && { id }),
    },
  }
}

/** Whether the log has to tell of this error, because nobody foresaw it. */
export function isUnforeseen(error: unknown): boolean {
  return asRefusal(error).code === 'internal_error'
}

/** When to try again where nobody says, with what may be tried again as it is. */
const RETRY_AFTER_MS: Partial<Record<HttpErrorCode, number>> = { engine_unavailable: 1_000, rate_limited: 1_000 }

function asRefusal(error: unknown): ApiRefusal {
  if (error instanceof ApiRefusal) return error
  if (isUnserialisable(error)) return new ApiRefusal('unserialisable', error.message)
  const { code, message, retryAfter, details } = asHoldfastError(error)
  const bearer = { 'www-authenticate': 'Bearer' }
  return new ApiRefusal(code, message, {
    retryAfter: retryAfter ?? RETRY_AFTER_MS[code],
    details,
    ...(code === 'unauthenticated' && { headers: bearer }),
  })
}

function isUnserialisable(error: unknown): error is Error {
  return error instanceof Error && error.name === 'UnserialisableError'
}

function statusOf(code: HttpErrorCode): number {
  return (STATUS_OF as Partial<Record<string, number>>)[code] ?? 400
}

function isRetryable(code: HttpErrorCode): boolean {
  return (ERRORS as Partial<Record<string, { readonly retryable: boolean }>>)[code]?.retryable ?? false
}
