import type { Clock } from '../clock.js'
import { isCountable } from '../network-address.js'
import { enter } from '../newest-entries.js'

/** Violations of one pair within the window that block it. */
export const VIOLATIONS_MAX = 5

/** For how long a violation counts. */
export const VIOLATION_WINDOW_MS = 600_000

/** For how long a pair is blocked. */
export const BLOCK_MS = 600_000

/** Pairs that are counted, and pairs that are blocked, at a time. Beyond it the one that was heard of longest ago is forgotten. */
export const PAIRS_MAX = 10_000

/** Who violated: an origin at an address, for one tenant or for the node. */
export interface OriginPair {
  readonly origin: string
  readonly address: string
  /** The tenant that did not allow the origin; undefined: nobody here does. */
  readonly tenant: string | undefined
}

/** A pair that is counted, and how often it violated within the window. */
export interface CountedPair extends OriginPair {
  readonly violations: number
}

/** A pair that is blocked, and until when (milliseconds since 1970). */
export interface BlockedPair extends OriginPair {
  readonly until: number
}

/** Counts the violations of each pair and blocks those that go on. Blocks end by themselves; both tables are bounded. */
export class OriginViolations {
  readonly #clock: Pick<Clock, 'now'>
  /** By their last violation, the oldest first. */
  readonly #counted = new Map<string, OriginPair & { times: number[] }>()
  /** By their end, the first first: all blocks are equally long. */
  readonly #blocked = new Map<string, BlockedPair>()
  #total = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Violations since the start. */
  get total(): number {
    return this.#total
  }

  isBlocked(pair: OriginPair): boolean {
    const block = this.#blocked.get(keyOf(pair))
    return block !== undefined && block.until > this.#clock.now()
  }

  /** Counts a violation of a pair that is not blocked; true when it is blocked from now on. Where an address is that of many it blocks nobody. */
  add(pair: OriginPair): boolean {
    const now = this.#clock.now()
    this.#forget(now)
    this.#total += 1
    const key = keyOf(pair)
    const earlier = this.#counted.get(key)?.times ?? []
    const times = [...earlier.filter((time) => time > now - VIOLATION_WINDOW_MS), now]
    this.#counted.delete(key)
    const blocks = times.length >= VIOLATIONS_MAX && isCountable(pair.address)
    if (blocks) enter(this.#blocked, key, { ...pair, until: now + BLOCK_MS }, PAIRS_MAX)
    else enter(this.#counted, key, { ...pair, times: times.slice(-VIOLATIONS_MAX) }, PAIRS_MAX)
    return blocks
  }

  /** Ends the blocks of an origin, everywhere or at one address, and forgets its violations there; answers how many pairs were blocked. */
  unblock(origin: string, address?: string): number {
    this.#forget(this.#clock.now())
    const isMeant = (pair: OriginPair): boolean =>
      pair.origin === origin && (address === undefined || pair.address === address)
    for (const [key, pair] of this.#counted) if (isMeant(pair)) this.#counted.delete(key)
    const blocked = [...this.#blocked].filter(([, pair]) => isMeant(pair))
    for (const [key] of blocked) this.#blocked.delete(key)
    return blocked.length
  }

  /** How many pairs are counted and blocked now, and the newest `listed` of each. */
  stats(listed: number): { counted: number; blocked: number; newest: CountedPair[]; newestBlocked: BlockedPair[] } {
    this.#forget(this.#clock.now())
    const newest = [...this.#counted.values()].slice(-listed).toReversed()
    return {
      counted: this.#counted.size,
      blocked: this.#blocked.size,
      newest: newest.map(({ times, ...pair }) => ({ ...pair, violations: times.length })),
      newestBlocked: [...this.#blocked.values()].slice(-listed).toReversed(),
    }
  }

  #forget(now: number): void {
    for (const [key, { times }] of this.#counted) {
      if ((times.at(-1) ?? 0) > now - VIOLATION_WINDOW_MS) break
      this.#counted.delete(key)
    }
    for (const [key, { until }] of this.#blocked) {
      if (until > now) break
      this.#blocked.delete(key)
    }
  }
}

/** Lengths stand first, so that no two pairs share a key. */
function keyOf({ origin, address, tenant }: OriginPair): string {
  return `${tenant === undefined ? '-' : tenant.length}:${tenant ?? ''}${address.length}:${address}${origin}`
}
