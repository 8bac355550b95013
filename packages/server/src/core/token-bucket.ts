import type { Rate } from '../engine/engine.js'

/** What calculating with fractions may leave out: a token that is as good as there is there. */
const GRAIN = 1e-9

/**
 * A token bucket: two numbers. It begins full. Between any two moments it gives at most `burst` tokens and `perSecond` for each second by which the clock went
 * forward meanwhile; a clock that is set back gives nothing and takes nothing. Rate and time come in with each call, so that a bucket costs no more than its state.
 */
export class TokenBucket {
  #tokens: number
  #filledAt: number

  constructor(rate: Rate, now: number) {
    this.#tokens = rate.burst
    this.#filledAt = now
  }

  /** Takes `cost` tokens and answers 0; where there are not as many, takes none and answers after how many milliseconds there will be (Infinity: more than the bucket holds). */
  take(cost: number, rate: Rate, now: number): number {
    this.#fill(rate, now)
    const missing = cost - this.#tokens
    if (missing <= GRAIN) {
      this.#tokens = Math.max(0, -missing)
      return 0
    }
    return cost > rate.burst ? Infinity : Math.ceil((missing * 1_000) / rate.perSecond)
  }

  /** Whether the bucket is as good as a new one. */
  isFull(rate: Rate, now: number): boolean {
    this.#fill(rate, now)
    return this.#tokens >= rate.burst
  }

  #fill(rate: Rate, now: number): void {
    if (now > this.#filledAt)
      this.#tokens = Math.min(rate.burst, this.#tokens + ((now - this.#filledAt) * rate.perSecond) / 1_000)
    this.#filledAt = now
  }
}
