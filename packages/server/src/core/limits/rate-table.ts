import type { Clock } from '../../clock.js'
import type { Rate } from '../../engine/engine.js'
import { TokenBucket } from '../../token-bucket.js'

/** Names known at most; beyond it the one that was not heard of for longest is forgotten. Whoever can make up names must not fill the memory. */
const NAMES_MAX = 10_000

/** How many of the oldest are looked at with each call, whether they are as good as new. */
const SWEPT = 2

/** One rate for many names, on this node alone. */
export class RateTable {
  readonly #clock: Pick<Clock, 'now'>
  readonly #rate: Rate
  readonly #namesMax: number
  /** Those heard of last stand last. */
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Pick<Clock, 'now'>, rate: Rate, namesMax: number = NAMES_MAX) {
    this.#clock = clock
    this.#rate = rate
    this.#namesMax = namesMax
  }

  /** Names of which something is held. */
  get size(): number {
    return this.#buckets.size
  }

  /** Takes `cost` of `name` (default 1, at most all that its bucket holds) and answers 0, or takes nothing and answers after how many milliseconds to try again. */
  take(name: string, cost: number = 1): number {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(name) ?? new TokenBucket()
    this.#buckets.delete(name)
    this.#sweep(now)
    this.#buckets.set(name, bucket)
    return bucket.take(Math.min(cost, this.#rate.burst), now, this.#rate)
  }

  #sweep(now: number): void {
    let left = SWEPT
    for (const [name, bucket] of this.#buckets) {
      if (this.#buckets.size >= this.#namesMax || bucket.isFull(now, this.#rate)) this.#buckets.delete(name)
      if ((left -= 1) === 0) return
    }
  }
}
