import type { Rate } from './engine/engine.js'

/** Tokens that floating point may lose on the way: no reason to refuse. */
const ROUNDING = 1e-9

/**
 * A token bucket of this node alone: two numbers. It begins full. Between any two moments it gives at most `burst` tokens and `perSecond` for each second by which the clock went
 * forward meanwhile; a clock that is set back gives nothing and takes nothing. Time and rate come in with each call, so that a bucket costs no more than its state.
 */
export class TokenBucket {
  #tokens: number | undefined
  #filledAt = 0

  /** Takes `cost` tokens and answers 0; where there are not as many, takes none and answers after how many milliseconds there will be (Infinity: more than the bucket holds). */
  take(cost: number, now: number, rate: Rate): number {
    if (cost > rate.burst) return Infinity
    this.#fill(now, rate)
    const missing = cost - (this.#tokens ?? 0)
    if (missing > ROUNDING) return Math.ceil((missing * 1_000) / rate.perSecond)
    this.#tokens = Math.max(0, -missing)
    return 0
  }

  /** Whether it is as good as a new one. */
  isFull(now: number, rate: Rate): boolean {
    this.#fill(now, rate)
    return this.#tokens === rate.burst
  }

  #fill(now: number, { perSecond, burst }: Rate): void {
    const elapsedMs = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(burst, (this.#tokens ?? burst) + (elapsedMs * perSecond) / 1_000)
    this.#filledAt = now
  }
}
