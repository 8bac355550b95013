import type { Identity } from './identity.js'

/** Why a credential is refused. All causes but expiry look the same from outside. */
export type AuthenticationFailure = 'missing' | 'invalid' | 'expired' | 'revoked'

/** What came of a credential. */
export type Authentication =
  | { readonly identity: Identity }
  | { readonly failure: AuthenticationFailure; /** For the log, never for the client. */ readonly detail: string }

/** The port from a credential to an identity. Must not throw; a failure is a value. */
export interface Authenticator {
  authenticate(credential: string): Authentication | Promise<Authentication>
}
