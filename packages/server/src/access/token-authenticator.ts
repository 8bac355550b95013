import type { Clock } from '../clock.js'
import type { Random } from '../random.js'
import { type Logger, errorFields } from '../telemetry/log.js'
import type { Authentication, Authenticator } from './authenticator.js'
import type { Issuers } from './issuers.js'
import { fail } from './token-claims.js'
import { readToken } from './token-text.js'

/** What those may do who bring no credential. */
export interface AnonymousSetup {
  readonly tenant: string
  /** Verbs by channel, as in a token. */
  readonly grants: Readonly<Record<string, readonly string[]>>
}

/** What the verification of tokens works with. */
export interface TokenAuthenticatorParts {
  readonly issuers: Issuers
  /** Undefined: nobody comes in without a credential. */
  readonly anonymous: AnonymousSetup | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'id'>
  readonly log: Logger
}

/** Random bytes in the name of somebody who has none. */
const ANONYMOUS_BYTES = 16

/**
 * Verifies JSON Web Tokens (RFC 7519) of the issuers that were set up. The algorithm is that of the key, never the one that the header asks for; nothing is fetched from, or looked
 * up in, what a token says; nothing that was verified is remembered.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #parts: TokenAuthenticatorParts

  constructor(parts: TokenAuthenticatorParts) {
    this.#parts = parts
  }

  start(): void {
    for (const issuer of this.#parts.issuers.all) issuer.start()
  }

  stop(): void {
    for (const issuer of this.#parts.issuers.all) issuer.stop()
  }

  async authenticate(credential: string): Promise<Authentication> {
    const { issuers, clock, log } = this.#parts
    try {
      const token = readToken(credential)
      if ('problem' in token) return fail('invalid', token.problem)
      const issuer = issuers.of(token)
      if (issuer === undefined) return fail('invalid', 'unknown issuer')
      return await issuer.authenticate(token, () => clock.now())
    } catch (error) {
      log.error({ event: 'auth.broken', ...errorFields(error) }, 'a token could not be judged')
      return fail('unavailable', 'the token could not be judged')
    }
  }

  anonymous(): Authentication {
    const { anonymous, random, clock } = this.#parts
    if (anonymous === undefined) return fail('missing', 'no credential')
    return {
      identity: {
        tenant: anonymous.tenant,
        user: `anonymous-${random.id(ANONYMOUS_BYTES)}`,
        roles: [],
        grants: anonymous.grants,
        expiresAt: undefined,
        tokenId: undefined,
        issuedAt: clock.now(),
        kind: 'anonymous',
        isMadeUp: true,
      },
    }
  }
}
