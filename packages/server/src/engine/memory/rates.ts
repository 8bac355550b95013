import type { Clock } from '../../clock.js'
import type { Rate, Rates } from '../engine.js'

interface Bucket {
  tokens: number
  filledAt: number
  /** When it is full again, and so as good as new. */
  fullAt: number
}

/** Buckets held at most; beyond it those that were not used for longest go. Whoever can make up names must not fill the memory. */
const BUCKETS_MAX = 100_000

/** Tokens that floating point may lose on the way: no reason to refuse. */
const ROUNDING = 1e-9

/** Token buckets in a table. */
export class MemoryRates implements Rates {
  readonly #clock: Pick<Clock, 'now'>
  readonly #bucketsMax: number
  /** Those used last stand last. */
  readonly #table = new Map<string, Bucket>()

  constructor(clock: Pick<Clock, 'now'>, bucketsMax: number = BUCKETS_MAX) {
    this.#clock = clock
    this.#bucketsMax = bucketsMax
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async take(name: string, cost: number, { perSecond, burst }: Rate): Promise<number> {
    if (cost > burst) return Infinity
    const now = this.#clock.now()
    const bucket = this.#table.get(name) ?? { tokens: burst, filledAt: now, fullAt: now }
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, now - bucket.filledAt)
    const tokens = Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1_000)
    const missing = cost - tokens
    const isThere = missing <= ROUNDING
    const left = isThere ? Math.max(0, tokens - cost) : tokens
    this.#keep(name, { tokens: left, filledAt: now, fullAt: now + ((burst - left) * 1_000) / perSecond })
    return isThere ? 0 : Math.ceil((missing * 1_000) / perSecond)
  }

  /** Forgets buckets that are full again. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [name, { fullAt }] of this.#table) if (fullAt <= now) this.#table.delete(name)
  }

  #keep(name: string, bucket: Bucket): void {
    this.#table.delete(name)
    this.#table.set(name, bucket)
    if (this.#table.size <= this.#bucketsMax) return
    const [oldest] = this.#table.keys()
    if (oldest !== undefined) this.#table.delete(oldest)
  }
}
