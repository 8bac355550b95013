import { isLoopbackAddress } from '@holdfast/server'
import { z } from 'zod'
import { type Unread, readJson } from '../http/json-body.js'
import { type Handler, refusal } from '../http/site.js'
import type { TokenMint } from '../token-mint.js'
import { DEMO_TENANT } from './tenant.js'

const TOKEN_TTL_S = 3600

/** A name and the braces around it. */
const BODY_BYTES_MAX = 1_024

const body = z.strictObject({
  user: z
    .string()
    .trim()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u),
})

/**
 * `POST /demo/token {"user": "ada"}` answers a token of the demo's tenant. It hands tokens to whoever asks, so it
 * listens to this machine alone: the connection must come from it, and the page that asks must be ours.
 */
export function tokenRoute(mint: TokenMint): Handler {
  return async ({ request, address }) => {
    const read = await readJson(request, BODY_BYTES_MAX)
    if ('unread' in read) return UNREAD[read.unread]()
    if (!isLoopbackAddress(address) || !isOwnPage(request)) return refusal(403, 'permission_denied', LOCAL_ONLY)
    const parsed = body.safeParse(read.value)
    if (!parsed.success) return refusal(400, 'bad_request', NAME_EXPECTED)
    const { user } = parsed.data
    const token = mint({ tenant: DEMO_TENANT, user, ttlSeconds: TOKEN_TTL_S })
    return Response.json({ token, user }, { headers: { 'cache-control': 'no-store' } })
  }
}

const UNREAD: Readonly<Record<Unread, () => Response>> = {
  unsupported: () => refusal(415, 'unsupported_media_type', 'The body must be application/json, not compressed'),
  too_big: () => refusal(413, 'limit_exceeded', `The body must be at most ${BODY_BYTES_MAX} bytes`),
}

const LOCAL_ONLY = 'The demo gives tokens to pages of this machine only; open it by its loopback address'
const NAME_EXPECTED = 'A name must be 1 to 32 letters, digits, spaces, dots, dashes or underscores'

/** A Host of another name would be a page that has its name pointed at this machine. */
function isOwnPage(request: Request): boolean {
  const { host, hostname } = new URL(request.url)
  const origin = request.headers.get('origin')
  return isLoopbackName(hostname) && (origin === null || origin === `http://${host}`)
}

function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || isLoopbackAddress(hostname)
}
