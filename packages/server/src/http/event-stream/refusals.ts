import type { ErrorCode } from '@holdfast/protocol'
import type { StreamAnswer, StreamRefusal } from '../../event-stream.js'
import { HoldfastError } from '../../core/errors.js'
import { ApiRefusal, STATUS_OF } from '../api-error.js'

/** The code for each reason with which a connection can end before it begins. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  'Authentication required': 'unauthenticated',
  'Invalid authentication token': 'unauthenticated',
  'Authentication token expired': 'unauthenticated',
  'Token revoked': 'unauthenticated',
  'Origin not allowed': 'permission_denied',
  'Not allowed': 'permission_denied',
  'Disconnected by administrator': 'permission_denied',
  'Connection limit exceeded': 'limit_exceeded',
  'Rate limit exceeded': 'rate_limited',
  'Message too big': 'limit_exceeded',
  'Internal error': 'internal_error',
}

/** Until when to stay away while nobody can say. */
const BUSY_RETRY_MS = 1_000

/** What is answered instead of an event stream; `ended` is a 204, after which a browser does not come back. */
export function refusalOf(answer: Exclude<StreamAnswer, { body: unknown }>): Response {
  if ('noRoom' in answer) throw noRoom(answer.noRoom)
  if (answer.outcome === 'ended') return new Response(null, { status: 204 })
  throw errorOf(answer.outcome)
}

function noRoom({ status, retryAfterSeconds }: { status: 429 | 503; retryAfterSeconds: number }): Error {
  const retryAfter = retryAfterSeconds * 1_000
  return status === 429
    ? new HoldfastError('rate_limited', undefined, { retryAfter })
    : new ApiRefusal('engine_unavailable', 'The node has no room now', { retryAfter })
}

function errorOf(refusal: StreamRefusal): Error {
  if (refusal.type === 'error') {
    const { code, message, retryAfter, details } = refusal
    return new ApiRefusal(code in STATUS_OF ? (code as ErrorCode) : 'internal_error', message, { retryAfter, details })
  }
  const { message, after } = refusal
  const code = CODES[message] ?? 'engine_unavailable'
  const headers = code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}
  return new ApiRefusal(code, message, {
    headers,
    retryAfter: after ?? (code === 'engine_unavailable' ? BUSY_RETRY_MS : undefined),
  })
}
