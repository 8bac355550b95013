import { signToken } from '@holdfast/server'
import type { Configuration } from './configuration.js'
import { EXIT, Failure, describeError } from './failure.js'

/** Whom a token is for. */
export interface Bearer {
  readonly tenant: string
  readonly user: string
  readonly roles?: readonly string[]
  /** Seconds. */
  readonly ttlSeconds: number
}

/** Makes tokens that a server with this configuration and secret accepts. */
export type TokenMint = (bearer: Bearer) => string

/**
 * A mint for tokens as `auth` asks for them. What it makes throws a `Failure` where tenant or user cannot be in a
 * token.
 */
export function createTokenMint(secret: string, { issuer, audience, claims }: Configuration['auth']): TokenMint {
  const named = { ...(issuer !== undefined && { issuer }), ...(audience !== undefined && { audience }) }
  return (bearer) => {
    if (claims)
      throw new Failure('tokens cannot be made here where auth.claims gives their claims other names', EXIT.usage)
    try {
      return signToken({ secret, ...bearer, ...named })
    } catch (error) {
      throw new Failure(describeError(error), EXIT.usage)
    }
  }
}
