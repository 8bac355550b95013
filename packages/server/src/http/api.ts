import type { Visitor } from '../access/perimeter.js'
import { HoldfastError } from '../core/errors.js'
import { errorFields } from '../telemetry/log.js'
import { ApiRefusal, errorResponse, isUnforeseen } from './api-error.js'
import { type Bearer, authenticate } from './bearer.js'
import { checked, checkedPath } from './checked.js'
import { Idempotency } from './idempotency.js'
import { type RequestBody, readBody } from './request-body.js'
import { RequestRates } from './request-rates.js'
import type { ApiNode, Call, Route } from './route.js'
import { RouteMap } from './route-match.js'
import { API_PREFIX, API_ROUTES } from './routes.js'

/** Bytes of a body beside the data of its messages. */
const ENVELOPE_BYTES = 16_384

/** Bytes of a body of many messages. */
const BATCH_BYTES = 1_048_576

/** The REST API of a node: what comes from outside is understood, allowed and counted here, and what a route throws becomes an answer. */
export class Api {
  readonly #node: ApiNode
  readonly #routes = new RouteMap(API_ROUTES)
  readonly #rates: RequestRates
  readonly #idempotency: Idempotency

  constructor(node: ApiNode) {
    this.#node = node
    this.#rates = new RequestRates(node.services)
    this.#idempotency = new Idempotency(node.services)
  }

  /** Answers a request below the prefix. Never rejects. */
  async answer(request: Request, visitor: Visitor): Promise<Response> {
    let answer: Response
    try {
      answer = await this.#route(request, visitor)
    } catch (error) {
      answer = this.#refuse(error)
    }
    if (!answer.headers.has('cache-control')) answer.headers.set('cache-control', 'no-store')
    if (request.method !== 'HEAD') return answer
    await answer.body?.cancel()
    return new Response(null, answer)
  }

  async #route(request: Request, visitor: Visitor): Promise<Response> {
    const { pathname } = new URL(request.url)
    const match = this.#routes.find(request.method, pathname.slice(API_PREFIX.length))
    if (match === undefined) throw new HoldfastError('not_found', 'There is nothing at this address')
    if ('allowed' in match) return refuseMethod(request, match.allowed)
    const { route, params } = match
    if (route.isPublic) return route.handle({ node: this.#node } as Call)
    if (route.direct) return route.direct({ node: this.#node, request, visitor, ...askedOf(route, params, request) })
    const bearer = await authenticate(request, visitor, this.#node.services)
    await this.#rates.take(bearer, route.counts)
    this.#permit(bearer, route)
    const { search } = new URL(request.url)
    const asked = askedOf(route, params, request)
    const body = await this.#body(request, route)
    this.#rates.body(bearer, Buffer.byteLength(body.text))
    const call: Call = {
      node: this.#node,
      bearer,
      ...asked,
      body: route.body === undefined ? undefined : checked(route.body, body.value, 'body'),
      textOf: (path) => body.data.get(path),
      countPublish: () => this.#rates.publish(bearer),
      headers: request.headers,
      signal: request.signal,
      idempotencyKey: keyOf(request, bearer),
    }
    const about = `${request.method} ${pathname}${search}`
    const sealedFor = route.isSecret ? (request.headers.get('authorization') ?? '') : undefined
    return this.#idempotency.once(call, { about, body: body.text, sealedFor }, async () => {
      // The body may have taken its time, and so may another request with the same key.
      if (!bearer.isOpen) throw new HoldfastError('unauthenticated', 'The token has expired, or was withdrawn')
      return await route.handle(call)
    })
  }

  #permit(bearer: Bearer, { permissions, id }: Route): void {
    if (permissions.length === 0 || bearer.has(...permissions)) return
    const { tenant, user } = bearer.identity
    const about = { tenant, user, connection: bearer.id, address: bearer.address }
    this.#node.services.audit.record('authz.denied', { ...about, action: id, rule: permissions.join(' or ') })
    throw new HoldfastError('permission_denied', `This needs the permission ${permissions.join(' or ')}`)
  }

  async #body(request: Request, { size, body }: Route): Promise<RequestBody> {
    const { limits } = this.#node.services
    const message = limits.messageBytesMax + ENVELOPE_BYTES
    const read = await readBody(request, limits, size === 'batch' ? Math.max(BATCH_BYTES, message) : message)
    const [stranger] = body === undefined ? Object.keys(read.value as object) : []
    if (stranger === undefined) return read
    throw new ApiRefusal('bad_request', `${stranger} is not a member of the body`, { field: stranger.slice(0, 128) })
  }

  #refuse(error: unknown): Response {
    if (!isUnforeseen(error)) return errorResponse(error)
    const id = this.#node.services.random.id(9)
    this.#node.services.log.error({ event: 'http.failed', id, ...errorFields(error) }, 'a request failed')
    return errorResponse(error, id)
  }
}

function refuseMethod({ method }: Request, allowed: readonly string[]): Response {
  const headers = { allow: allowed.join(', ') }
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers })
  const message = `This address takes ${allowed.join(', ')}`
  return errorResponse(new ApiRefusal('method_not_allowed', message, { status: 405, headers }))
}

function askedOf(
  route: Route,
  params: Readonly<Record<string, string>>,
  { url }: Request,
): Pick<Call, 'params' | 'query'> {
  return { params: route.params && checkedPath(route.params, params), query: queryOf(route, new URL(url).search) }
}

function queryOf({ query }: Route, search: string): unknown {
  const asked = new URLSearchParams(search)
  const members: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of asked) {
    const field = name.slice(0, 128)
    if (query === undefined) throw new ApiRefusal('bad_request', `${field} is not a member of the query`, { field })
    if (name in members) throw new ApiRefusal('bad_request', `${field} stands twice in the query`, { field })
    members[name] = value
  }
  return query && checked(query, { ...members }, 'query')
}

/** 1 to 255 printable characters of ASCII. */
const KEY = /^[!-~](?:[ -~]{0,253}[!-~])?$/

function keyOf({ method, headers }: Request, { identity }: Bearer): string | undefined {
  const key = headers.get('idempotency-key')
  if (key === null || (method !== 'POST' && method !== 'PATCH')) return undefined
  // Whoever says nothing is somebody else next time, who must not get the answer.
  if (identity.kind === 'anonymous')
    throw new ApiRefusal('bad_request', 'Idempotency-Key must be left out where there is no credential', {
      field: 'Idempotency-Key',
    })
  if (KEY.test(key)) return key
  throw new ApiRefusal('bad_request', 'Idempotency-Key must be 1 to 255 printable characters', {
    field: 'Idempotency-Key',
  })
}
