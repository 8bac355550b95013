/** Seconds over which the fast and the slow average forget: a stall shows in the first, noise does not in the second. */
const FAST_S = 3
const SLOW_S = 12

/** Seconds over which it is forgotten how far the two were apart. */
const SPREAD_S = 24

/** Reports closer together than this are one observation: the quotient of two small numbers is noise. */
const OBSERVATION_S = 0.1

/** How much the fast average counts, from 0 to 1, where it is below the slow one. */
const AT_ONCE = 0.3

/** The average since the beginning is looked at when so much longer was seen than the last time, first after so many milliseconds. */
const MARK_FACTOR = 1.25
const FIRST_MARK_MS = 1_000

/** What remains of a change of that average at the next look, and the least logarithm of time that a change is set against. */
const KEPT = 0.75
const LOOK_MIN = 0.2

/** Observations, and seconds, before a rate is worth telling. */
const EVIDENCE_COUNT = 3
const EVIDENCE_S = 1

/** How fast something goes, and how sure that is. */
export interface Pace {
  /** Units per second. */
  readonly rate: number
  /** How far the rate goes up and down, in units per second (root mean square of the difference of the averages). */
  readonly spread: number
  /** Seconds that were seen (default: many). */
  readonly seen?: number
  /** The average rate since the beginning, divided by that of late (default 1). */
  readonly apart?: number
  /** How steadily the rate falls: 1 for a steady fall, 0 for ups and downs (default). */
  readonly fall?: number
  /** How much the average since the beginning still changes: the root mean square of its logarithm's change while what was seen grows by a factor of e (default 0). */
  readonly wander?: number
}

/** What a meter has seen so far: plain numbers, so that any node can go on with it. */
export interface MeterState {
  /** Where time and counting began: milliseconds and units. */
  readonly startedAt: number
  readonly begun: number
  /** The last observation. */
  readonly observedAt: number
  readonly observed: number
  readonly count: number
  /** Averages of the rate, of the difference of the two, and of its square; each less than it should be by what it has not seen yet. */
  readonly fast: number
  readonly slow: number
  readonly drift: number
  readonly squares: number
  /** Where the average since the beginning was last looked at; `startedAt` and `begun` before the first time, and where an older version wrote this, which did not look. */
  readonly markedAt?: number
  readonly marked?: number
  /** Sum of the squares of its changes, and of the logarithms of time that they took; both forget. */
  readonly wander?: number
  readonly wandered?: number
}

/** A meter that begins at `at`, in milliseconds of whatever time is measured (running time, so that waiting does not count); `value` is where counting starts. */
export function startMeter(at: number, value: number = 0): MeterState {
  return {
    startedAt: at,
    begun: value,
    observedAt: at,
    observed: value,
    count: 0,
    fast: 0,
    slow: 0,
    drift: 0,
    squares: 0,
    markedAt: at,
    marked: value,
    wander: 0,
    wandered: 0,
  }
}

/**
 * The value has reached `value`. The same state comes back where that is too soon after the last.
 *
 * Reports come at irregular times: the averages are exponentially weighted, with the weight `1 - exp(-dt / tau)` for an observation that took `dt` (as the load average of Unix kernels is
 * kept).
 */
export function observe(meter: MeterState, at: number, value: number): MeterState {
  const seconds = (at - meter.observedAt) / 1_000
  if (seconds < OBSERVATION_S) return meter
  const rate = Math.max(0, (value - meter.observed) / seconds)
  const fast = mix(meter.fast, rate, seconds / FAST_S)
  const slow = mix(meter.slow, rate, seconds / SLOW_S)
  const ran = (at - meter.startedAt) / 1_000
  const apart = fast / seenShare(ran, FAST_S) - slow / seenShare(ran, SLOW_S)
  return withMark({
    ...meter,
    observedAt: at,
    observed: value,
    count: meter.count + 1,
    fast,
    slow,
    drift: mix(meter.drift, apart, seconds / SPREAD_S),
    squares: mix(meter.squares, apart * apart, seconds / SPREAD_S),
  })
}

/**
 * The pace; undefined before there is evidence. Slowing down counts at once, speeding up when it lasts. Where nothing was heard for longer than twice the usual, nothing was done since.
 *
 * How steadily the rate falls: the square of the mean difference of fast and slow average, against the mean of its square.
 */
export function paceOf(heard: MeterState, at: number): Pace | undefined {
  if (heard.count < EVIDENCE_COUNT || at - heard.startedAt < EVIDENCE_S * 1_000) return undefined
  const meter = withSilence(heard, at)
  const seen = (meter.observedAt - meter.startedAt) / 1_000
  const fast = meter.fast / seenShare(seen, FAST_S)
  const slow = meter.slow / seenShare(seen, SLOW_S)
  if (slow <= 0) return { rate: 0, spread: 0, seen }
  const rate = fast < slow ? fast ** AT_ONCE * slow ** (1 - AT_ONCE) : slow
  const spread = (rate / slow) * Math.sqrt(meter.squares / seenShare(seen, SPREAD_S))
  const fall = meter.drift < 0 ? meter.drift ** 2 / (meter.squares * seenShare(seen, SPREAD_S)) : 0
  return { rate, spread, seen, apart: (meter.observed - meter.begun) / seen / slow, fall, wander: wanderOf(meter) }
}

/** Seconds to go, with a range. */
export interface Eta {
  readonly seconds: number
  readonly low: number
  readonly high: number
}

/** How unsure the rate is before anything was seen, as a share of it, and the seconds in which that is forgotten. */
const PRIOR = 1
const PRIOR_S = 12

/** How much a steady fall goes on, and how far the average since the beginning may lead away from the rate of late. */
const FALLING = 0.2
const APART_MAX = 32

/** What is unsure however steady the work was, to either side, and more of it where nearly all is still to come. All are logarithms of factors. */
const FLOOR_LOW = 0.15
const FLOOR_HIGH = 0.2
const BEYOND_LOW = 0.2

/** How much longer it may take than the first moments say, and the seconds in which that is forgotten. */
const EARLY = 1.2
const EARLY_S = 12

/** How much the ups and downs of late count beside the wandering of the average, and up to where they do. */
const OF_LATE = 0.5
const OF_LATE_MAX = 3

/** From this unsteadiness on, work may slow down as much as any: steady work has a half of it or less. */
const UNSTEADY = 0.3

/** A range never reaches beyond these shares of the estimate: a pace near zero says "long", not "for ever". */
const LOWEST = 1 / 8
const HIGHEST = 5

/** What takes longer than a century stands still: a rate that is forgotten is never quite zero. */
const STANDSTILL_S = 100 * 365 * 86_400

/** How far a range reaches to either side for each unit of what makes it unsure. */
export interface Reach {
  readonly low: number
  readonly high: number
}

/** So far that of one more kind of work than the sixteen that were recorded the truth is expected to be outside no more than 20 % of the time; rounded up (tests/eta/calibrate.ts computes it). */
export const REACH: Reach = { low: 1.1, high: 0.7 }

/**
 * How long `remaining` units take at a pace, with a range that holds the truth four times out of five (docs/reference/eta.md says of which work, and how that is known). Undefined at a standstill.
 *
 * What the average since the beginning says beside the rate of late depends on how the two came apart. Where the rate fell steadily, the rest takes longer than the rate says: an amount that
 * grows as a power of time, `t ** a`, has a rate of `a` times its average, and needs more for the rest than that rate says. Where the rate goes up and down, what comes next is rather like all that was.
 *
 * Errors of a time are factors, so the range is one: `seconds / exp(x)` to `seconds * exp(y)`. Both sides are a fixed part and a measure of how unsteady the work was, times a reach that is
 * calibrated on recorded work (conformal prediction with normalised scores: Lei et al., Distribution-Free Predictive Inference for Regression, 2018, section 5.2). The sides differ:
 * that work goes faster than of late is announced by how much its average wandered, but that it slows down by next to nothing, beyond that no work is spared that is not quite steady.
 */
export function etaOf(remaining: number, pace: Pace, reach: Reach = REACH): Eta | undefined {
  const { rate, spread, seen = Infinity, apart = 1, fall = 0, wander = 0 } = pace
  if (rate <= 0) return undefined
  const off = Math.log(Math.min(APART_MAX, Math.max(1 / APART_MAX, apart)))
  const seconds = (remaining / rate) * Math.exp(FALLING * fall * Math.max(0, off) - (1 - fall) * off)
  if (seconds > STANDSTILL_S) return undefined
  const late = Math.hypot(spread / rate, PRIOR * Math.exp(-seen / PRIOR_S))
  const unsteady = Math.hypot(wander, OF_LATE * Math.min(OF_LATE_MAX, late))
  const beyond = seen === Infinity ? 0 : seconds / (seconds + seen)
  const low = FLOOR_LOW + BEYOND_LOW * beyond + reach.low * unsteady
  const early = EARLY * Math.exp(-seen / EARLY_S)
  const high = FLOOR_HIGH + early + reach.high * Math.min(1, unsteady / UNSTEADY)
  return {
    seconds: round(seconds),
    low: round(seconds * Math.max(LOWEST, Math.exp(-low))),
    high: round(seconds * Math.min(HIGHEST, Math.exp(high))),
  }
}

/** Looks at the average since the beginning, where it is time to. Scales with time: what is an hour of work is looked at as often as what is a minute. */
function withMark(meter: MeterState): MeterState {
  const { startedAt, begun, observedAt, observed, markedAt = startedAt, wander = 0, wandered = 0 } = meter
  const due = Math.max(FIRST_MARK_MS, MARK_FACTOR * (markedAt - startedAt))
  if (observedAt - startedAt < due || observed <= begun) return meter
  const { change, time } = sinceMark(meter)
  return {
    ...meter,
    markedAt: observedAt,
    marked: observed,
    wander: KEPT * wander + change ** 2,
    wandered: KEPT * wandered + time,
  }
}

/** With what it changed since the last look. */
function wanderOf(meter: MeterState): number {
  const { begun, observed, marked = begun, wander = 0, wandered = 0 } = meter
  if (marked <= begun || observed <= begun) return 0
  const { change, time } = sinceMark(meter)
  return Math.sqrt((KEPT * wander + change ** 2) / (KEPT * wandered + Math.max(LOOK_MIN, time)))
}

/** By how much the logarithms of the average and of the time seen are more than at the last look; 0 before the first. */
function sinceMark(meter: MeterState): { readonly change: number; readonly time: number } {
  const { startedAt, begun, observedAt, observed, markedAt = startedAt, marked = begun } = meter
  if (marked <= begun) return { change: 0, time: 0 }
  const time = Math.log((observedAt - startedAt) / (markedAt - startedAt))
  return { change: Math.log((observed - begun) / (marked - begun)) - time, time }
}

function withSilence(meter: MeterState, at: number): MeterState {
  const usualMs = (meter.observedAt - meter.startedAt) / meter.count
  const silentMs = at - meter.observedAt - 2 * usualMs
  return silentMs > 0 ? observe(meter, meter.observedAt + silentMs, meter.observed) : meter
}

/** An average after one more value that stood for so many time constants. */
function mix(average: number, value: number, constants: number): number {
  return average + (1 - Math.exp(-constants)) * (value - average)
}

/** The weight that an average has seen so far, by which it is divided to be one (Kingma and Ba, Adam, 2015, section 3). */
function seenShare(seconds: number, constant: number): number {
  return 1 - Math.exp(-seconds / constant)
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
