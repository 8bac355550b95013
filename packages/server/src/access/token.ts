import { createHmac } from 'node:crypto'
import { isTenantName, isUserName } from './identity.js'
import { type SecretAlgorithm, TOKEN_ALGORITHMS } from './token-algorithm.js'

/** What a token is to say. */
export interface TokenClaims {
  readonly secret: string
  /** Default `HS256`. */
  readonly algorithm?: SecretAlgorithm
  readonly tenant: string
  readonly user: string
  readonly roles?: readonly string[]
  readonly grants?: Readonly<Record<string, readonly string[]>>
  /** What the bearer may beside channels, by name: `operations`, `notify`. Default: nothing. */
  readonly permissions?: readonly string[]
  /** Seconds from now (default 3600). */
  readonly ttlSeconds?: number
  readonly tokenId?: string
  readonly issuer?: string
  readonly audience?: string
}

/** Secrets shorter than this are refused (RFC 7518 3.2: a key of the size of the hash output or larger). */
export const SECRET_BYTES_MIN = 32

/**
 * Makes a JSON Web Token (RFC 7519) signed with a secret, for servers and tests.
 *
 * @throws RangeError when tenant, user or lifetime cannot be in a token.
 */
export function signTokenAt(claims: TokenClaims, nowMs: number): string {
  const { tenant, user, roles = [], grants, permissions, ttlSeconds = 3600, tokenId, issuer, audience } = claims
  const { secret, algorithm = 'HS256' } = claims
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
    permissions,
    jti: tokenId,
    iat,
    exp: iat + Math.floor(ttlSeconds),
  }
  const content = `${encodePart({ alg: algorithm, typ: 'JWT' })}.${encodePart(payload)}`
  const { hash = 'sha256' } = TOKEN_ALGORITHMS[algorithm]
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`
}

function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
