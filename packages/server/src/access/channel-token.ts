import { createHmac, hkdfSync } from 'node:crypto'
import { isChannelName } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import { isSame } from '../same-bytes.js'
import type { Verb } from './channel-rules.js'
import { type Identity, isTenantName, isUserName } from './identity.js'
import { VERBS, areVerbs } from './verbs.js'

/** What a channel token is to say. */
export interface ChannelTokenClaims {
  /** The node's `auth.secret` or `channelTokens.secret`, at least 32 bytes. */
  readonly secret: string
  readonly tenant: string
  readonly user: string
  /** The one channel it is for: a name, never a pattern. */
  readonly channel: string
  /** What it allows there, where the channel's rule says `grant`. Default `subscribe`. */
  readonly verbs?: readonly Verb[]
  /** Seconds from now, 1 to 3600 (default 300). */
  readonly ttlSeconds?: number
}

/** What a token for this user and channel allows, or why it is refused. */
export type OpenedToken =
  | {
      readonly grant: {
        readonly channel: string
        readonly verbs: readonly Verb[]
        readonly issuedAt: number
        readonly expiresAt: number
      }
    }
  | { readonly refusal: string }

const TOKEN_CHARACTERS_MAX = 8_192
const TTL_S_MAX = 3_600
const CLOCK_TOLERANCE_S = 5
const BASE64URL = /^[A-Za-z0-9_-]+$/

/** Says what the token is for: no other kind of token has this type, and this kind has no other. */
const HEADER = encodePart({ alg: 'HS256', typ: 'holdfast-channel+jwt' })

/** Makes the key another one than that of connection tokens (RFC 5869 3.2). */
const PURPOSE = 'holdfast channel token 1'

/**
 * Makes a token that allows one user of one tenant something on one channel, for a while.
 *
 * @throws RangeError when a claim cannot be in a token.
 */
export function signChannelTokenAt(claims: ChannelTokenClaims, nowMs: number): string {
  const { secret, tenant, user, channel, verbs = ['subscribe'], ttlSeconds = 300 } = claims
  if (!isTenantName(tenant)) throw new RangeError('tenant must be 1 to 128 printable characters')
  if (!isUserName(user)) throw new RangeError('user must be 1 to 128 printable characters')
  if (!isChannelName(channel)) throw new RangeError('channel must be namespace:name')
  if (!areVerbs(verbs)) throw new RangeError(`verbs must be one or more of ${VERBS.join(', ')}`)
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > TTL_S_MAX)
    throw new RangeError(`ttlSeconds must be an integer from 1 to ${TTL_S_MAX}, received ${ttlSeconds}`)
  const iat = Math.floor(nowMs / 1000)
  const content = `${HEADER}.${encodePart({ tenant, sub: user, channel, verbs, iat, exp: iat + ttlSeconds })}`
  return `${content}.${signature(content, channelTokenKey(secret)).toString('base64url')}`
}

/** Verifies channel tokens. Without a secret it refuses all. */
export class ChannelTokens {
  readonly #key: Buffer | undefined
  readonly #clock: Pick<Clock, 'now'>

  constructor(secret: string | undefined, clock: Pick<Clock, 'now'>) {
    this.#key = secret === undefined ? undefined : channelTokenKey(secret)
    this.#clock = clock
  }

  /** What the token allows this user of this tenant on this channel; all three are compared as they are. */
  open(token: string, identity: Pick<Identity, 'tenant' | 'user'>, channel: string): OpenedToken {
    const claims = this.#claims(token)
    if (claims === undefined) return { refusal: 'not a channel token' }
    const { tenant, sub, channel: named, verbs, iat, exp } = claims
    if (tenant !== identity.tenant || sub !== identity.user) return { refusal: 'of another user' }
    if (named !== channel) return { refusal: 'for another channel' }
    if (!areVerbs(verbs) || !isTime(iat) || !isTime(exp) || exp - iat > TTL_S_MAX) return { refusal: 'malformed' }
    const now = Math.floor(this.#clock.now() / 1000)
    if (iat > now + CLOCK_TOLERANCE_S) return { refusal: 'not valid yet' }
    if (exp <= now) return { refusal: 'expired' }
    return { grant: { channel, verbs, issuedAt: iat * 1000, expiresAt: exp * 1000 } }
  }

  /** The claims of a token that was signed with our key for this purpose. The header is compared as a whole: nothing in it is asked. */
  #claims(token: string): Record<string, unknown> | undefined {
    const [header, payload = '', mac = '', more] = token.split('.', 4)
    if (this.#key === undefined || token.length > TOKEN_CHARACTERS_MAX || more !== undefined) return undefined
    if (header !== HEADER || !BASE64URL.test(payload) || !BASE64URL.test(mac)) return undefined
    const [expected, given] = [signature(`${header}.${payload}`, this.#key), Buffer.from(mac, 'base64url')]
    return isSame(given, expected) && given.toString('base64url') === mac ? decodePart(payload) : undefined
  }
}

function channelTokenKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32))
}

function signature(content: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(content).digest()
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart(part: string): Record<string, unknown> | undefined {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))) as Record<string, unknown>
  } catch {
    return undefined
  }
}
