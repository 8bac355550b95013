import type { SecretAlgorithm } from '@holdfast/server'
import { signToken } from '@holdfast/server/sign-token'
import type { Configuration } from './configuration.js'
import { EXIT, Failure, describeError } from './failure.js'

/** Whom a token is for. */
export interface Bearer {
  readonly tenant: string
  readonly user: string
  readonly roles?: readonly string[]
  /** What it may besides channels: `operations`, `keys` … */
  readonly permissions?: readonly string[]
  /** Verbs by channel or pattern. */
  readonly grants?: Readonly<Record<string, readonly string[]>>
  /** Seconds. */
  readonly ttlSeconds: number
}

/** Makes tokens that a server with this configuration and secret accepts. */
export type TokenMint = (bearer: Bearer) => string

/**
 * A mint for tokens as `auth` asks for them. What it makes throws a `Failure` where tenant or user cannot be in a
 * token.
 */
export function createTokenMint(secret: string, auth: Configuration['auth']): TokenMint {
  const { issuer, claims, type } = auth
  const [audience] = [auth.audience].flat()
  const named = {
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(auth.algorithm !== undefined && { algorithm: auth.algorithm as SecretAlgorithm }),
  }
  return (bearer) => {
    if (type !== undefined)
      throw new Failure('tokens cannot be made here where auth.type asks for a type of their own', EXIT.usage)
    if (claims)
      throw new Failure('tokens cannot be made here where auth.claims gives their claims other names', EXIT.usage)
    try {
      return signToken({ secret, ...bearer, ...named })
    } catch (error) {
      throw new Failure(describeError(error), EXIT.usage)
    }
  }
}
