import type { Identity } from './identity.js'

/**
 * Why a credential is refused. `missing`, `invalid`: all causes but expiry and withdrawal look the same from outside. `forbidden`: it is good, and yet its owner is not to come in. `unavailable`: nobody
 * can say for the time being.
 */
export type AuthenticationFailure = 'missing' | 'invalid' | 'expired' | 'revoked' | 'forbidden' | 'unavailable'

/** What came of a credential. */
export type Authentication =
  | { readonly identity: Identity }
  | { readonly failure: AuthenticationFailure; /** For the log, never for the client. */ readonly detail: string }

/** The port from a credential to an identity. Must not throw; a failure is a value. */
export interface Authenticator {
  authenticate(credential: string): Authentication | Promise<Authentication>
  /** Who comes without a credential; left out: nobody may. */
  anonymous?(): Authentication | Promise<Authentication>
  /** Begins work in the background, such as keeping keys fresh. */
  start?(): void
  /** Ends it. */
  stop?(): void
}
