import { type ChannelPattern, parseChannelPattern } from './channel-pattern.js'
import type { Identity } from './identity.js'

/** Verbs by channel name or pattern, as tokens, keys and roles carry them. */
export type Grants = Readonly<Record<string, readonly string[]>>

/** Patterns of one set that are read; names of single channels are not counted. */
export const GRANT_PATTERNS_MAX = 256

/** A set of grants, ready to be asked. */
export interface GrantSet {
  /** Whether one of the grants names the channel for this identity and holds the verb. */
  allows(identity: Identity, verb: string, channel: string): boolean
}

/** Shared: most identities have no grants. */
const NOTHING: GrantSet = { allows: () => false }

/**
 * Makes a set of grants. A key is the name of a channel, or a pattern of the same grammar as those of the rules; what is neither grants nothing. Verbs are compared
 * as they are: none brings another.
 */
export function compileGrants(grants: Grants): GrantSet {
  const named = new Map<string, ReadonlySet<string>>()
  const patterns: { readonly pattern: ChannelPattern; readonly verbs: ReadonlySet<string> }[] = []
  for (const [source, verbs] of Object.entries(grants)) {
    const pattern = Array.isArray(verbs) ? parseChannelPattern(source) : undefined
    if (pattern === undefined) continue
    if (pattern.isLiteral) named.set(source, new Set(verbs))
    else if (patterns.length < GRANT_PATTERNS_MAX) patterns.push({ pattern, verbs: new Set(verbs) })
  }
  if (named.size + patterns.length === 0) return NOTHING
  return {
    allows: (identity, verb, channel) =>
      named.get(channel)?.has(verb) === true ||
      patterns.some(({ pattern, verbs }) => verbs.has(verb) && pattern.matches(channel, identity)),
  }
}

/** Named sets of grants: a role of an identity brings those of its name. */
export type Roles = ReadonlyMap<string, GrantSet>

/** The roles of a node, and those that tenants have in their place. */
export interface RoleBook {
  readonly roles: Roles
  /** By tenant. A role of the same name stands in the place of the node's, for that tenant. */
  readonly tenants: ReadonlyMap<string, Roles>
}

/** Where no role brings grants. */
export const NO_ROLES: RoleBook = { roles: new Map(), tenants: new Map() }

/** What identities may beyond the rules: by grants of their own, and by those that their roles bring. */
export class GrantBook {
  readonly #roles: RoleBook
  /** By the grants, each read once: those who are anonymous, and the connections of a server, have the same. */
  readonly #sets = new WeakMap<Grants, GrantSet>()

  constructor(roles: RoleBook = NO_ROLES) {
    this.#roles = roles
  }

  /** Whether a grant of the identity, or of one of its roles, names the channel and the verb. */
  allows(identity: Identity, verb: string, channel: string): boolean {
    if (this.#ownOf(identity).allows(identity, verb, channel)) return true
    const { roles, tenants } = this.#roles
    const theirs = tenants.get(identity.tenant)
    return identity.roles.some((role) => (theirs?.get(role) ?? roles.get(role))?.allows(identity, verb, channel))
  }

  #ownOf({ grants }: Identity): GrantSet {
    const known = this.#sets.get(grants)
    if (known !== undefined) return known
    const set = compileGrants(grants)
    this.#sets.set(grants, set)
    return set
  }
}
