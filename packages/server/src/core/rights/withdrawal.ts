import { type Identity, isKeyUser, userKey } from '../../access/identity.js'
import { enter } from '../../newest-entries.js'

/** What is withdrawn: one token or key by its id, every token of a user, or every token of a tenant. */
export interface WithdrawalScope {
  readonly tenant: string
  readonly user?: string | undefined
  readonly tokenId?: string | undefined
}

/** From when on, and for how long, which tokens do not count. Times are milliseconds since 1970. */
export interface Withdrawal {
  /** Those that were issued before; Infinity: whenever. One of which nobody knows when it was issued is meant, too. */
  readonly issuedBefore: number
  /** They count until then; 0: not any more. */
  readonly from: number
  /** When it may be forgotten, because what it is about has expired by itself. */
  readonly until: number
}

/** The members of an identity that a withdrawal is judged by. */
export type Withdrawable = Pick<Identity, 'tenant' | 'user' | 'tokenId' | 'issuedAt' | 'kind'>

/** Withdrawals that a node remembers. */
const HEARD_MAX = 10_000

/** The name of what is withdrawn, in tables and in the engine. */
export function withdrawalKey({ tenant, user, tokenId }: WithdrawalScope): string {
  if (tokenId !== undefined) return `revoked:${tenant.length}:${tenant}${tokenId}`
  return user === undefined ? `revoked-tenant:${tenant.length}:${tenant}` : `revoked-user:${userKey({ tenant, user })}`
}

/** Which withdrawals a credential is judged by: a key only by its own, whoever is nobody by none. */
export function scopesOf({ tenant, user, tokenId, kind }: Withdrawable): readonly WithdrawalScope[] {
  const own = tokenId === undefined ? [] : [{ tenant, tokenId }]
  return kind === 'anonymous' || isKeyUser(user) ? own : [...own, { tenant, user }, { tenant }]
}

/** Whether a withdrawal of this is one of those: without a name for it, since all connections of a node are asked. */
export function isAbout(scope: WithdrawalScope, { tenant, user, tokenId, kind }: Withdrawable): boolean {
  if (tenant !== scope.tenant) return false
  if (scope.tokenId !== undefined) return tokenId === scope.tokenId
  return kind !== 'anonymous' && !isKeyUser(user) && (scope.user === undefined || scope.user === user)
}

/** When this credential stops to count by this withdrawal: 0 for now, Infinity for never. */
export function endBy({ issuedBefore, from, until }: Withdrawal, { issuedAt }: Withdrawable, now: number): number {
  const isMeant = issuedAt === undefined || issuedAt < issuedBefore
  return isMeant && now < until ? (from <= now ? 0 : from) : Infinity
}

/** Both at once: the later one says from when on, and neither is forgotten before its time. */
export function joined(one: Withdrawal, other: Withdrawal): Withdrawal {
  const later = other.issuedBefore >= one.issuedBefore ? other : one
  return { ...later, until: Math.max(one.until, other.until) }
}

/** Its times as JSON can hold them: what is left out is without a bound. */
export function finite({ issuedBefore, from, until }: Withdrawal): {
  issuedBefore?: number
  from: number
  until: number
} {
  return { ...(Number.isFinite(issuedBefore) && { issuedBefore }), from, until }
}

/** As the engine keeps it. */
export function encodeWithdrawal(withdrawal: Withdrawal): string {
  return JSON.stringify(finite(withdrawal))
}

/** What the engine kept. What this version cannot read, another may have written: it withdraws everything, and until `until`. */
export function decodeWithdrawal(text: string, until: number): Withdrawal {
  const read = readTimes(text)
  return { issuedBefore: read['issuedBefore'] ?? Infinity, from: read['from'] ?? 0, until: read['until'] ?? until }
}

function readTimes(text: string): Partial<Record<string, number>> {
  try {
    const entries = Object.entries(Object(JSON.parse(text)) as object)
    return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
  } catch {
    return {}
  }
}

/** The withdrawals that this node has heard of, the newest 10,000: they hold also while nobody can be asked. */
export class HeardWithdrawals {
  readonly #heard = new Map<string, Withdrawal>()

  get size(): number {
    return this.#heard.size
  }

  /** Remembers one, together with what was known of the same token, user or tenant. */
  add(key: string, withdrawal: Withdrawal): void {
    const known = this.#heard.get(key)
    enter(this.#heard, key, known ? joined(known, withdrawal) : withdrawal, HEARD_MAX)
  }

  /** When a credential stops to count by what was heard: 0 for now, Infinity for never. */
  endOf(identity: Withdrawable, now: number): number {
    if (this.#heard.size === 0) return Infinity
    const ends = scopesOf(identity).map((scope) => {
      const withdrawal = this.#heard.get(withdrawalKey(scope))
      return withdrawal === undefined ? Infinity : endBy(withdrawal, identity, now)
    })
    return Math.min(Infinity, ...ends)
  }
}
