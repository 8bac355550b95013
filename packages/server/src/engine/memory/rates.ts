import type { Clock } from '../../clock.js'
import { enter } from '../../newest-entries.js'
import { TokenBucket } from '../../token-bucket.js'
import type { Rate, Rates } from '../engine.js'

interface Entry {
  readonly bucket: TokenBucket
  /** By which it was filled last. */
  readonly rate: Rate
}

/** Buckets held at most; beyond it those that were not used for longest go. Whoever can make up names must not fill the memory. */
const BUCKETS_MAX = 100_000

/** Token buckets in a table. */
export class MemoryRates implements Rates {
  readonly #clock: Pick<Clock, 'now'>
  readonly #bucketsMax: number
  /** Those used last stand last. */
  readonly #table = new Map<string, Entry>()

  constructor(clock: Pick<Clock, 'now'>, bucketsMax: number = BUCKETS_MAX) {
    this.#clock = clock
    this.#bucketsMax = bucketsMax
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async take(name: string, cost: number, rate: Rate): Promise<number> {
    const { bucket } = this.#table.get(name) ?? { bucket: new TokenBucket() }
    const waitMs = bucket.take(cost, this.#clock.now(), rate)
    // More than it can ever hold: nothing of it is known then.
    if (waitMs !== Infinity) enter(this.#table, name, { bucket, rate }, this.#bucketsMax)
    return waitMs
  }

  /** Forgets buckets that are full again. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [name, { bucket, rate }] of this.#table) if (bucket.isFull(now, rate)) this.#table.delete(name)
  }
}
