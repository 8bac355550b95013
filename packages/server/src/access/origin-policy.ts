import type { Clock } from '../clock.js'
import type { Audit } from '../telemetry/audit.js'
import type { OriginList, OriginMatch } from './origin-list.js'
import { suspicionOf } from './origin-suspicion.js'
import { type Origin, ORIGIN_CHARACTERS_MAX, readOrigin } from './origin-text.js'
import { type BlockedPair, type CountedPair, type OriginPair, OriginViolations } from './origin-violations.js'

/** The pages that may connect. */
export interface OriginRules {
  readonly environment: string
  /** Whether every page may connect and is only noted. */
  readonly isOpen: boolean
  /** Whether a page must have come over TLS. */
  readonly needsHttps: boolean
  /** Those of the node. */
  readonly node: OriginList
  /** Those of tenants that have their own, beside the node's. */
  readonly tenants: ReadonlyMap<string, OriginList>
  /** Those of all tenants together: who they are is known later. */
  readonly someTenant: OriginList
}

/** Who asks to connect. */
export interface OriginVisitor {
  /** The `Origin` header; undefined: there was none. */
  readonly origin: string | undefined
  /** The address of the client, after trusted proxies. */
  readonly address: string
}

/** What the origin policy has decided since the start, and whom it blocks now. */
export interface OriginStats {
  readonly environment: string
  /** Connections of pages, and of clients that name none, that were admitted. */
  readonly allowed: number
  /** Those that were refused, blocked ones included. */
  readonly refused: number
  /** Refusals that counted as violations. */
  readonly violations: number
  /** Pairs of origin and address that are counted now. */
  readonly pairsCounted: number
  /** Pairs that are blocked now. */
  readonly pairsBlocked: number
  /** The newest 100 that are counted. */
  readonly counted: readonly CountedPair[]
  /** The newest 100 that are blocked. */
  readonly blocked: readonly BlockedPair[]
}

/** The origin policy as an operator sees it. It is that of one node. */
export interface Origins {
  /** Ends the blocks of an origin, at all addresses or at one, and forgets its violations there. False when it was not blocked. `(none)` stands for clients that name no origin. */
  unblock(origin: string, address?: string): boolean
  stats(): OriginStats
}

/** Stands for the origin of clients that name none. */
const NONE = '(none)'

const LISTED_MAX = 100

/** Which pages may connect: by the lists of node and tenants, with violations counted and blocked. Every decision but an ordinary yes is recorded. */
export class OriginPolicy implements Origins {
  readonly #rules: OriginRules
  readonly #audit: Audit
  readonly #violations: OriginViolations
  #allowed = 0
  #refused = 0

  constructor(rules: OriginRules, { clock, audit }: { readonly clock: Pick<Clock, 'now'>; readonly audit: Audit }) {
    this.#rules = rules
    this.#audit = audit
    this.#violations = new OriginViolations(clock)
  }

  /** Whether a page may connect, before anybody knows for which tenant: the node or some tenant allows it. */
  admits(visitor: OriginVisitor): boolean {
    const { node, someTenant } = this.#rules
    const admitted = this.#decide(visitor, undefined, [node, someTenant])
    if (admitted) this.#allowed += 1
    return admitted
  }

  /** Whether a page that was admitted may connect for this tenant: the node or the tenant itself allows it. */
  admitsFor(tenant: string, visitor: OriginVisitor): boolean {
    const { node, tenants, someTenant } = this.#rules
    // Where no tenant has its own, the node has allowed it already.
    if (someTenant.isEmpty) return true
    const own = tenants.get(tenant)
    return this.#decide(visitor, tenant, own === undefined ? [node] : [node, own])
  }

  /** How a page is allowed, without counting: `open` where every page is. */
  match(text: string): OriginMatch | 'open' | undefined {
    const origin = readOrigin(text)
    const { node, someTenant, isOpen } = this.#rules
    const match = origin && (this.#find(origin, [node]) ?? this.#find(origin, [someTenant]))
    return match ?? (isOpen ? 'open' : undefined)
  }

  /** Records that a page was not allowed to ask by HTTP. That is no violation: a browser asks before the page can do anything. */
  refusedPreflight({ origin, address }: OriginVisitor): void {
    this.#audit.record('origin.refused', { origin: shown(origin), address, rule: 'unlisted', action: 'preflight' })
  }

  unblock(origin: string, address?: string): boolean {
    const count = this.#violations.unblock(readOrigin(origin)?.text ?? origin, address)
    if (count > 0) this.#audit.record('origin.unblocked', { origin, address, count })
    return count > 0
  }

  stats(): OriginStats {
    const { counted, blocked, newest, newestBlocked } = this.#violations.stats(LISTED_MAX)
    return {
      environment: this.#rules.environment,
      allowed: this.#allowed,
      refused: this.#refused,
      violations: this.#violations.total,
      pairsCounted: counted,
      pairsBlocked: blocked,
      counted: newest,
      blocked: newestBlocked,
    }
  }

  #decide({ origin: text, address }: OriginVisitor, tenant: string | undefined, lists: readonly OriginList[]): boolean {
    if (this.#rules.isOpen) {
      if (tenant === undefined) this.#audit.record('origin.allowed', { origin: text, address, rule: 'development' })
      return true
    }
    const origin = text === undefined ? undefined : readOrigin(text)
    const isAllowed =
      text === undefined ? lists.some((list) => list.allowsMissing) : origin && this.#find(origin, lists) !== undefined
    if (isAllowed) return true
    this.#refuse({ origin: origin?.text ?? shown(text), address, tenant }, this.#reason(text, origin))
    return false
  }

  #find(origin: Origin, lists: readonly OriginList[]): OriginMatch | undefined {
    if (this.#rules.needsHttps && origin.scheme === 'http') return undefined
    const matches = lists.map((list) => list.match(origin))
    return matches.find((match) => match === 'exact') ?? matches.find((match) => match !== undefined)
  }

  #reason(text: string | undefined, origin: Origin | undefined): string {
    if (text === undefined) return 'missing'
    if (origin === undefined) return text.length > ORIGIN_CHARACTERS_MAX ? 'too_long' : 'invalid'
    if (this.#rules.needsHttps && origin.scheme === 'http') return 'insecure'
    return suspicionOf(origin) ?? 'unlisted'
  }

  #refuse(pair: OriginPair, rule: string): void {
    this.#refused += 1
    const isBlocked = this.#violations.isBlocked(pair)
    this.#audit.record('origin.refused', { ...pair, rule: isBlocked ? 'blocked' : rule, action: 'connect' })
    // Who is blocked and goes on trying is let in at the same time as who waits.
    if (!isBlocked && this.#violations.add(pair)) this.#audit.record('origin.blocked', { ...pair, rule })
  }
}

/** What is no origin, as it is written down: who sends more than an origin may send something secret. */
function shown(text: string | undefined): string {
  if (text === undefined) return NONE
  return text
    .slice(0, ORIGIN_CHARACTERS_MAX)
    .replace(/[?#].*$/s, '')
    .replace(/[^/]*@/, '…@')
}
