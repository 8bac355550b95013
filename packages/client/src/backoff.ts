import type { Random } from './random.js'

/** The bounds of the delay between attempts, in milliseconds. */
export interface BackoffOptions {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * Full jitter between `minMs` and a ceiling that doubles from twice `minMs` up to `maxMs`
 * ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Never below `minMs`, so that a crowd cannot return at once.
 */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #failures = 0

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  /** Counts a failure; the milliseconds to wait before the next attempt. */
  next(): number {
    const { minMs, maxMs } = this.#options
    this.#failures += 1
    const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(this.#failures, 30))
    return Math.round(minMs + this.#random.fraction() * Math.max(0, ceiling - minMs))
  }

  /** Counts a failure after which one immediate attempt is in order; from the second on it waits like any other. */
  soon(): number {
    if (this.#failures > 0) return this.next()
    this.#failures = 1
    return 0
  }

  /** Forgets the failures, after a connection was stable. */
  reset(): void {
    this.#failures = 0
  }
}
