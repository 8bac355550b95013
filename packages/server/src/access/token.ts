import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.js'
import type { Authentication, AuthenticationFailure, Authenticator } from './authenticator.js'
import { isTenantName, isUserName } from './identity.js'

/** Which tokens are accepted. */
export interface TokenOptions {
  /** The HS256 secret, at least 32 bytes. */
  readonly secret: string
  /** When given, `iss` must be this. */
  readonly issuer?: string
  /** When given, `aud` must be or contain this. */
  readonly audience?: string
  /** Names of the claims that hold the tenant (default `tenant`, else `org_id`) and the user (default `sub`, else `user_id`). */
  readonly claims?: { readonly tenant?: string; readonly user?: string }
}

/** What a token is to say. */
export interface TokenClaims {
  readonly secret: string
  readonly tenant: string
  readonly user: string
  readonly roles?: readonly string[]
  readonly grants?: Readonly<Record<string, readonly string[]>>
  /** Seconds from now (default 3600). */
  readonly ttlSeconds?: number
  readonly tokenId?: string
  readonly issuer?: string
  readonly audience?: string
}

/** Secrets shorter than this are refused (RFC 7518 3.2: a key of the size of the hash output or larger). */
export const SECRET_BYTES_MIN = 32

const TOKEN_CHARACTERS_MAX = 8192
const CLOCK_TOLERANCE_S = 5
/** The end of the year 9999: what lies beyond it was meant as milliseconds. */
const EXPIRY_MAX_S = 253_402_300_799
const BASE64URL = /^[A-Za-z0-9_-]+$/
const HEADER = encodePart({ alg: 'HS256', typ: 'JWT' })

/**
 * Makes a JSON Web Token (RFC 7519) signed with HMAC SHA-256, for servers and tests.
 *
 * @throws RangeError when tenant, user or lifetime cannot be in a token.
 */
export function signTokenAt(claims: TokenClaims, nowMs: number): string {
  const { tenant, user, roles = [], grants, ttlSeconds = 3600, tokenId, issuer, audience } = claims
  if (!isTenantName(tenant)) throw new RangeError('tenant must be 1 to 128 printable characters')
  if (!isUserName(user)) throw new RangeError('user must be 1 to 128 printable characters')
  if (!Number.isFinite(ttlSeconds)) throw new RangeError('ttlSeconds must be a number')
  const iat = Math.floor(nowMs / 1000)
  const payload = {
    iss: issuer,
    aud: audience,
    sub: user,
    tenant,
    roles,
    grants,
    jti: tokenId,
    iat,
    exp: iat + Math.floor(ttlSeconds),
  }
  const content = `${HEADER}.${encodePart(payload)}`
  return `${content}.${signature(content, claims.secret).toString('base64url')}`
}

/**
 * Verifies HS256 tokens. The algorithm is that of the key, never the one that the header asks for; `exp` is required; a token with
 * critical extensions, an unknown type or unusual encoding is refused.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenOptions
  readonly #clock: Pick<Clock, 'now'>

  constructor(options: TokenOptions, clock: Pick<Clock, 'now'>) {
    this.#options = options
    this.#clock = clock
  }

  authenticate(credential: string): Authentication {
    const parts = credential.split('.')
    const [header, payload, mac] = parts
    if (
      credential.length > TOKEN_CHARACTERS_MAX ||
      parts.length !== 3 ||
      !parts.every((part) => BASE64URL.test(part))
    ) {
      return fail('invalid', 'not a signed token')
    }
    if (!acceptableHeader(decodePart(header ?? ''))) return fail('invalid', 'header not accepted')
    if (!sameBytes(signature(`${header}.${payload}`, this.#options.secret), mac ?? ''))
      return fail('invalid', 'wrong signature')
    const claims = decodePart(payload ?? '')
    return claims === undefined ? fail('invalid', 'payload is not an object') : this.#judge(claims)
  }

  #judge(claims: Record<string, unknown>): Authentication {
    const now = Math.floor(this.#clock.now() / 1000)
    const { exp, nbf, iss, jti } = claims
    if (!isTime(exp)) return fail('invalid', 'exp must be a whole number of seconds')
    if (nbf !== undefined && (!Number.isSafeInteger(nbf) || (nbf as number) > now + CLOCK_TOLERANCE_S))
      return fail('invalid', 'not valid yet')
    if (this.#options.issuer !== undefined && iss !== this.#options.issuer) return fail('invalid', 'wrong issuer')
    if (!this.#isForUs(claims['aud'])) return fail('invalid', 'wrong audience')
    const tenant = this.#claim(claims, this.#options.claims?.tenant, ['tenant', 'org_id'])
    const user = this.#claim(claims, this.#options.claims?.user, ['sub', 'user_id'])
    if (!isTenantName(tenant) || !isUserName(user)) return fail('invalid', 'tenant or user missing')
    const roles = readTexts(claims['roles'] ?? [])
    const grants = readGrants(claims['grants'] ?? {})
    if (roles === undefined || grants === undefined) return fail('invalid', 'roles or grants malformed')
    if (exp + CLOCK_TOLERANCE_S <= now) return fail('expired', 'expired')
    const tokenId = typeof jti === 'string' ? jti : undefined
    return { identity: { tenant, user, roles, grants, expiresAt: exp * 1000, tokenId } }
  }

  #isForUs(audience: unknown): boolean {
    const wanted = this.#options.audience
    return wanted === undefined || audience === wanted || (Array.isArray(audience) && audience.includes(wanted))
  }

  #claim(claims: Record<string, unknown>, named: string | undefined, defaults: readonly string[]): unknown {
    const names = named === undefined ? defaults : [named]
    return names
      .map((name) => (Object.hasOwn(claims, name) ? claims[name] : undefined))
      .find((value) => value !== undefined)
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= EXPIRY_MAX_S
}

function fail(failure: AuthenticationFailure, detail: string): Authentication {
  return { failure, detail }
}

function acceptableHeader(header: Record<string, unknown> | undefined): boolean {
  if (
    header === undefined ||
    header['alg'] !== 'HS256' ||
    Object.hasOwn(header, 'crit') ||
    Object.hasOwn(header, 'b64')
  )
    return false
  const type = header['typ']
  return type === undefined || (typeof type === 'string' && type.toUpperCase() === 'JWT')
}

function signature(content: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(content).digest()
}

/** Compared in constant time. Another spelling of the same bytes is refused, so that a token has one form. */
function sameBytes(expected: Buffer, received: string): boolean {
  const bytes = Buffer.from(received, 'base64url')
  return (
    bytes.length === expected.length && timingSafeEqual(bytes, expected) && bytes.toString('base64url') === received
  )
}

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function readTexts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.length <= 256 && value.every((item) => typeof item === 'string')
    ? value
    : undefined
}

function readGrants(value: unknown): Record<string, readonly string[]> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  const valid = entries.length <= 256 && entries.every(([, verbs]) => readTexts(verbs) !== undefined)
  return valid ? (value as Record<string, readonly string[]>) : undefined
}
