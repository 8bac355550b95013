import type { OriginMatch } from '../access/origin-list.js'

/** What the pages of other origins may see of answers, and send. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID'
const ANSWER_HEADERS = 'ETag, Idempotent-Replayed, Location, Retry-After, WWW-Authenticate'

/** How long a browser keeps the answer to a preflight: an hour. A page that is no longer allowed asks again then. */
const PREFLIGHT_SECONDS = '3600'

/** Whether a request asks, before another, whether that one may be made (fetch standard, 3.2.2). */
export function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('origin') &&
    request.headers.has('access-control-request-method')
  )
}

/** Answers a preflight of an origin that is allowed. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': PREFLIGHT_SECONDS,
    },
  })
}

/**
 * Lets an origin that is allowed read an answer. Its credentials go with it only where it is named exactly: a wildcard also matches a page that somebody managed to put
 * on a forgotten host.
 */
export function share(response: Response, origin: string, match: OriginMatch | 'open'): void {
  const { headers } = response
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-expose-headers', ANSWER_HEADERS)
  if (match === 'exact') headers.set('access-control-allow-credentials', 'true')
}
