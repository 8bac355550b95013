import { type TokenClaims, signTokenAt } from './access/token.js'
import { systemClock } from './clock.js'

/**
 * Makes a token that a node with the same secret accepts, for servers, tests and the command line.
 *
 * @throws RangeError when tenant, user or lifetime cannot be in a token.
 */
export function signToken(claims: TokenClaims): string {
  return signTokenAt(claims, systemClock.now())
}
