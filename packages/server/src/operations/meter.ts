/** Seconds over which the fast and the slow average forget: a stall shows in the first, noise does not in the second. */
const FAST_S = 3
const SLOW_S = 20

/** Reports closer together than this are one observation: the quotient of two small numbers is noise. */
const OBSERVATION_S = 0.1

/** Observations, and seconds, before a rate is worth telling. */
const EVIDENCE_COUNT = 3
const EVIDENCE_S = 1

/** How fast something goes, and how sure that is. */
export interface Pace {
  /** Units per second. */
  readonly rate: number
  /** One standard deviation of the recent rate, in units per second. */
  readonly spread: number
}

/**
 * Estimates a rate from reports at irregular times: exponentially weighted averages with the weight `1 - exp(-dt / tau)` for an
 * observation that took `dt` (as the load average of Unix kernels is kept), corrected for their start by dividing by the weight seen
 * so far (as in Kingma and Ba, Adam, 2015, section 3).
 */
export class Meter {
  readonly #startedAt: number
  #observedAt: number
  #observed: number
  #count = 0
  #fast = 0
  #slow = 0
  #fastWeight = 0
  #slowWeight = 0
  #squares = 0

  /** `now` in milliseconds; `value` is where counting starts. */
  constructor(now: number, value: number = 0) {
    this.#startedAt = now
    this.#observedAt = now
    this.#observed = value
  }

  /** The value has reached `value`. */
  observe(now: number, value: number): void {
    const seconds = (now - this.#observedAt) / 1_000
    if (seconds < OBSERVATION_S) return
    const rate = Math.max(0, (value - this.#observed) / seconds)
    const fast = 1 - Math.exp(-seconds / FAST_S)
    const slow = 1 - Math.exp(-seconds / SLOW_S)
    this.#fast += fast * (rate - this.#fast)
    this.#slow += slow * (rate - this.#slow)
    this.#squares += slow * (rate * rate - this.#squares)
    this.#fastWeight += fast * (1 - this.#fastWeight)
    this.#slowWeight += slow * (1 - this.#slowWeight)
    this.#observedAt = now
    this.#observed = value
    this.#count += 1
  }

  /** The pace; undefined before there is evidence. Slowing down counts at once, speeding up when it lasts. */
  pace(now: number): Pace | undefined {
    if (this.#count < EVIDENCE_COUNT || now - this.#startedAt < EVIDENCE_S * 1_000) return undefined
    const fast = this.#fast / this.#fastWeight
    const slow = this.#slow / this.#slowWeight
    const rate = fast < slow ? (fast + slow) / 2 : slow
    const variance = Math.max(0, this.#squares / this.#slowWeight - slow * slow)
    return { rate, spread: Math.max(Math.sqrt(variance / this.#count), Math.abs(fast - slow)) }
  }
}

/** Seconds to go, with a range. */
export interface Eta {
  readonly seconds: number
  readonly low: number
  readonly high: number
}

/** A range is never wider than this many times the estimate: a pace near zero says "long", not "for ever". */
const RANGE_FACTOR_MAX = 4

/** How long `remaining` units take at a pace: at the rate itself, and at one spread faster and slower. Undefined at a standstill. */
export function etaOf(remaining: number, { rate, spread }: Pace): Eta | undefined {
  if (rate <= 0) return undefined
  const seconds = remaining / rate
  const slowest = Math.max(rate - spread, rate / RANGE_FACTOR_MAX)
  return { seconds: round(seconds), low: round(remaining / (rate + spread)), high: round(remaining / slowest) }
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
