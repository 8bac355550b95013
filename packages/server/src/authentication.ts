import type { Authenticator } from './access/authenticator.js'
import { CheckedAuthenticator } from './access/checked-authenticator.js'
import { Issuer } from './access/issuer.js'
import { Issuers } from './access/issuers.js'
import { KeySet } from './access/jwks.js'
import { TokenAuthenticator } from './access/token-authenticator.js'
import type { Clock } from './clock.js'
import type { ResolvedAuth } from './options/auth-options.js'
import type { ResolvedIssuer } from './options/issuer-options.js'
import { guardedOutbound } from './outbound/guarded-outbound.js'
import type { Random } from './random.js'
import type { Audit } from './telemetry/audit.js'
import type { Logger } from './telemetry/log.js'

/** What authentication works with. */
export interface AuthenticationParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly audit: Audit
}

/** How long a withdrawal is kept when nothing else says. */
const LIFETIME_MS = 86_400_000

/** How long a withdrawal has to be kept: no token lives longer. */
export function tokenLifetimeMsOf({ issuers }: ResolvedAuth): number {
  return Math.max(LIFETIME_MS, ...issuers.map(({ setup }) => setup.lifetimeMsMax + setup.toleranceMs))
}

/** The authenticator that the options ask for. */
export function authenticatorOf(auth: ResolvedAuth, parts: AuthenticationParts): Authenticator {
  if (auth.authenticator !== undefined) return new CheckedAuthenticator(auth.authenticator, parts.clock)
  const keySets = new Map<string, KeySet>()
  const issuers = new Issuers(auth.issuers.map((issuer) => issuerOf(issuer, keySets, parts)))
  return new TokenAuthenticator({ ...parts, issuers, anonymous: auth.anonymous })
}

function issuerOf(
  { setup, keySet }: ResolvedIssuer,
  keySets: Map<string, KeySet>,
  { clock, audit }: AuthenticationParts,
): Issuer {
  if (keySet === undefined) return new Issuer(setup)
  // Those of many tenants may be at one address: it is fetched once for all.
  const name = JSON.stringify(keySet)
  const known = keySets.get(name)
  if (known !== undefined) return new Issuer(setup, known)
  const outbound = guardedOutbound({ allowPrivate: keySet.allowPrivate, clock, audit })
  const made = new KeySet(keySet, { clock, audit, outbound })
  keySets.set(name, made)
  return new Issuer(setup, made)
}
