import { z } from '@hono/zod-openapi'
import type { Problem } from '../problem.js'
import { problemBody, problemOf } from './problem-body.js'

/** What the refusal of a request says beside code and message. */
export interface ApiErrorOptions {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503
  /** The member of the body, or the parameter, that is wrong. */
  readonly field?: string | undefined
  readonly details?: unknown
  /** Milliseconds after which the same request may succeed. */
  readonly retryAfterMs?: number
  /** Under which the log tells more. */
  readonly id?: string
}

/** A request that is refused, with what its client is told. */
export class ApiError extends Error {
  readonly code: string
  readonly options: ApiErrorOptions

  constructor(code: string, message: string, options: ApiErrorOptions) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.options = options
  }
}

/** What is wrong with a request itself. */
export function badRequest(message: string, field?: string): ApiError {
  return new ApiError('bad_request', message, { status: 400, field })
}

/** What does not exist, and what is another's: nobody can tell the two apart. */
export function notFound(what: string): ApiError {
  return new ApiError('not_found', `There is no such ${what}`, { status: 404 })
}

/** Lots or settings that are refused: the first error as the message, all of them in `details.problems`. */
export function refused(code: 'invalid_lots' | 'invalid_config', problems: readonly Problem[]): ApiError {
  const first = problems.find(({ severity }) => severity === 'error')
  const message = first?.message ?? 'The input is not valid'
  return new ApiError(code, message, {
    status: 400,
    field: first?.field,
    details: { problems: problems.map(problemBody) },
  })
}

/** The body of every error. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string().openapi({ example: 'not_found' }),
      message: z.string().openapi({ example: 'There is no such schedule' }),
      retryable: z.boolean().openapi({ description: 'Whether the same request may succeed later, unchanged.' }),
      retryAfter: z.int().optional().openapi({ description: 'Milliseconds.' }),
      field: z.string().optional().openapi({ description: 'The member or parameter that is wrong.' }),
      details: z
        .looseObject({ problems: z.array(problemOf).optional() })
        .optional()
        .openapi({ description: 'Of `invalid_lots` and `invalid_config`: everything that is wrong.' }),
      id: z.string().optional().openapi({ description: 'Under which the log of the server tells more.' }),
    }),
  })
  .openapi('Error')

/** Whoever asks has no account any more, or none that is active. */
export function noAccount(): ApiError {
  return new ApiError('unauthenticated', 'There is no active account for this token', { status: 401 })
}

/** The answer to a request that is refused. */
export function errorAnswer({ code, message, options }: ApiError): Response {
  const { status, field, details, retryAfterMs, id } = options
  const headers = new Headers({ 'cache-control': 'no-store' })
  if (retryAfterMs !== undefined) headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  const error = {
    code,
    message,
    retryable: status === 429 || status === 503,
    ...(retryAfterMs !== undefined && { retryAfter: retryAfterMs }),
    ...(field !== undefined && { field }),
    ...(details !== undefined && { details }),
    ...(id !== undefined && { id }),
  }
  return Response.json({ error }, { status, headers })
}
