import type { Asset, Assets } from './assets.js'
import { pagePolicy } from './page-policy.js'

/** A request with the address that it came from. */
export interface SiteRequest {
  readonly request: Request
  /** The address of the client, after trusted proxies. */
  readonly address: string
}

/** What answers a request at one path. */
export type Handler = (request: SiteRequest) => Response | Promise<Response>

/** What a site is made of. */
export interface SiteParts {
  /** By method and exact path: `GET /health/live`. */
  readonly routes: ReadonlyMap<string, Handler>
  readonly assets?: Assets | undefined
}

/**
 * The HTTP side of the server: exact paths only. A path that is not known is a 404, a method a 405. What every answer has beside comes from
 * `Holdfast.protect`.
 */
export function createSite({ routes, assets = new Map() }: SiteParts): Handler {
  const methods = methodsByPath(routes, assets)
  return async (incoming) => {
    const { request } = incoming
    const { pathname, host } = new URL(request.url)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.get(`${method} ${pathname}`)
    if (route) return route(incoming)
    const allowed = methods.get(pathname)
    if (allowed === undefined) return refusal(404, 'not_found', 'There is nothing at this address')
    const asset = assets.get(pathname)
    if (asset && method === 'GET') return serve(asset, request, host)
    const refused = refusal(405, 'method_not_allowed', `This address takes ${allowed.join(', ')}`)
    refused.headers.set('allow', allowed.join(', '))
    return refused
  }
}

/** A refusal as JSON: `{"error": {"code", "message", "retryable"}}`. */
export function refusal(status: number, code: string, message: string): Response {
  return Response.json(
    { error: { code, message, retryable: status >= 500 } },
    { status, headers: { 'cache-control': 'no-store' } },
  )
}

function methodsByPath(routes: ReadonlyMap<string, Handler>, assets: Assets): Map<string, string[]> {
  const methods = new Map<string, string[]>([...assets.keys()].map((path) => [path, ['GET', 'HEAD']]))
  for (const key of routes.keys()) {
    const [method = '', path = ''] = key.split(' ')
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])])
  }
  return methods
}

function serve(asset: Asset, request: Request, host: string): Response {
  const headers = new Headers({ etag: asset.etag, 'cache-control': asset.cacheControl })
  // A 304 replaces the headers that the browser kept, the policy among them.
  if (asset.contentType.startsWith('text/html')) headers.set('content-security-policy', pagePolicy(host))
  if (request.headers.get('if-none-match') === asset.etag) return new Response(null, { status: 304, headers })
  headers.set('content-type', asset.contentType)
  return new Response(asset.body, { headers })
}
