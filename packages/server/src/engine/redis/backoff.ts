import type { Random } from '../../random.js'

/** Below this no delay is drawn, so that a server that refuses at once is not asked in a loop. */
const FLOOR_MS = 20

/** Delays between attempts: drawn between nothing and a bound that doubles (full jitter), so that nodes that lost the same server do not return together. */
export class Backoff {
  readonly #random: Random
  readonly #firstMs: number
  readonly #mostMs: number
  #attempts = 0

  /**
   * The bound begins at `firstMs` (50) and ends at `mostMs` (500): after a failover all nodes wait for the one that returns last, and not for long
   * (`muster.ts`); an attempt that comes to nothing within the connect timeout, and the delays before and after it, are less than they wait.
   */
  constructor(random: Random, firstMs: number = 50, mostMs: number = 500) {
    this.#random = random
    this.#firstMs = firstMs
    this.#mostMs = mostMs
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const bound = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#attempts)
    this.#attempts += 1
    return Math.max(FLOOR_MS, Math.floor(this.#random.fraction() * bound))
  }

  succeeded(): void {
    this.#attempts = 0
  }
}
