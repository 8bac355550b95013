import type { IncomingMessage } from 'node:http'
import type { OriginPolicy } from '../access/origin-policy.js'
import { type Perimeter, type Visitor, headOf, headOfRequest } from '../access/perimeter.js'
import { ApiRefusal, type HttpErrorCode, errorResponse } from './api-error.js'
import { isPreflight, preflight, share } from './cors.js'
import { secure } from './security-headers.js'

/** Answers a request of a visitor. */
export type RequestHandler = (request: Request, visitor: Visitor) => Response | Promise<Response>

/** Answers a request; `incoming` is the same one as Node has it, without which neither its address nor a proxy's word is known. */
export type ProtectedHandler = (request: Request, incoming?: IncomingMessage) => Promise<Response>

/** What protects HTTP routes. */
export interface ProtectionParts {
  readonly perimeter: Perimeter
  readonly origins: Pick<OriginPolicy, 'match' | 'refusedPreflight'>
  /** A new id for what went wrong, by which the log names it. */
  readonly newId: () => string
  /** Told what a handler threw. */
  readonly onError: (error: unknown, id: string) => void
}

/**
 * Puts in front of a handler what every route needs: the `Host` and `Origin` headers are checked, pages whose origin is allowed get CORS headers and an answer to their
 * preflights, every answer has the security headers, and what is thrown is told to the log alone.
 */
export function protect(parts: ProtectionParts, handle: RequestHandler): ProtectedHandler {
  const { perimeter, origins } = parts
  return async (request, incoming) => {
    const refusal = incoming && refusalOf(incoming, request)
    if (refusal !== undefined) return secure(refusal)
    const visitor = perimeter.examine(incoming === undefined ? headOfRequest(request) : headOf(incoming))
    if ('rejected' in visitor) return secure(REJECTIONS[visitor.rejected]())
    const { origin, isSecure } = visitor
    const match = origin === undefined ? undefined : origins.match(origin)
    const answer = mutable(await answerTo(request, visitor, match !== undefined))
    // An answer that passes twice says it once.
    if (!/\borigin\b/i.test(answer.headers.get('vary') ?? '')) answer.headers.append('vary', 'Origin')
    if (origin !== undefined && match !== undefined) share(answer, origin, match)
    return secure(answer, isSecure)
  }

  async function answerTo(request: Request, visitor: Visitor, isAllowed: boolean): Promise<Response> {
    if (isPreflight(request)) {
      if (isAllowed) return preflight()
      origins.refusedPreflight(visitor)
      return errorAnswer(403, 'permission_denied', 'This origin is not allowed')
    }
    try {
      return await handle(request, visitor)
    } catch (error) {
      const id = parts.newId()
      parts.onError(error, id)
      return errorAnswer(500, 'internal_error', 'Internal error', id)
    }
  }
}

const REJECTIONS: Readonly<Record<400 | 421, () => Response>> = {
  400: () => errorAnswer(400, 'bad_request', 'The Host or Origin header is not valid'),
  421: () => errorAnswer(421, 'wrong_host', 'There is nothing under this name'),
}

/** A letter, a digit or one of `-._~` that was encoded for no reason (RFC 3986, 2.3). A router may take it for what it stands for. */
const NEEDLESS = /%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i

/**
 * What is wrong with the line of a request. A URL parser takes `/a/../b` for `/b`, and an address in full for its path; a proxy in front may have decided by what it saw.
 * Node also takes a line without a version, which is HTTP/0.9.
 */
function refusalOf({ url = '', httpVersion }: IncomingMessage, request: Request): Response | undefined {
  if (!url.startsWith('/') || !/^1\.[01]$/.test(httpVersion))
    return errorAnswer(400, 'bad_request', 'The line of the request is not valid')
  // A host such as 127z0.0.1 passes for a name until somebody reads it as an address.
  if (!URL.canParse(request.url)) return REJECTIONS[400]()
  const [path = ''] = url.split('?', 1)
  if (path === new URL(request.url).pathname && !NEEDLESS.test(path)) return undefined
  return errorAnswer(404, 'not_found', 'There is nothing at this address')
}

function errorAnswer(status: number, code: HttpErrorCode, message: string, id?: string): Response {
  return errorResponse(new ApiRefusal(code, message, { status }), id)
}

/** Headers of an answer that came from elsewhere cannot be changed. */
function mutable(response: Response): Response {
  return new Response(response.body, response)
}
