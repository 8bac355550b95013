/** Seconds over which the fast and the slow average forget: a stall shows in the first, noise does not in the second. */
const FAST_S = 3
const SLOW_S = 10

/** Seconds over which it is forgotten how far the two were apart. */
const SPREAD_S = 20

/** Reports closer together than this are one observation: the quotient of two small numbers is noise. */
const OBSERVATION_S = 0.1

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
  return {
    ...meter,
    observedAt: at,
    observed: value,
    count: meter.count + 1,
    fast,
    slow,
    drift: mix(meter.drift, apart, seconds / SPREAD_S),
    squares: mix(meter.squares, apart * apart, seconds / SPREAD_S),
  }
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
  const rate = fast < slow ? Math.sqrt(fast * slow) : slow
  const spread = (rate / slow) * Math.sqrt(meter.squares / seenShare(seen, SPREAD_S))
  const fall = meter.drift < 0 ? meter.drift ** 2 / (meter.squares * seenShare(seen, SPREAD_S)) : 0
  return { rate, spread, seen, apart: (meter.observed - meter.begun) / seen / slow, fall }
}

/** Seconds to go, with a range. */
export interface Eta {
  readonly seconds: number
  readonly low: number
  readonly high: number
}

/** What is unsure however steady the work was, as a share of the time to go. */
const FLOOR = 0.12

/** How unsure the rate is before anything was seen, as a share of it, and the seconds in which that is forgotten. */
const PRIOR = 1
const PRIOR_S = 8

/** Seconds in which a rate that changed stays as it is: twice as long as the fast average remembers. */
const CORRELATION_S = 8

/** How much that is unsure counts where a range reaches beyond what was seen: work that changes takes longer, not less. */
const BEYOND = 2.5

/** How much the average since the beginning counts where the rate goes up and down, how far it may lead away from the rate of late, and how unsure it makes that the two are apart. */
const WHOLE = 0.8
const APART_MAX = 4
const DOUBT = 0.5

/** A range is never wider than this many times the estimate, on either side: a pace near zero says "long", not "for ever". */
const RANGE_FACTOR_MAX = 4

/**
 * How long `remaining` units take at a pace, with a range that holds the truth four times out of five (docs/reference/eta.md). Undefined at a standstill.
 *
 * What the average since the beginning says beside the rate of late depends on how the two came apart. Where the rate fell steadily, the rest takes longer than the rate says: an amount that
 * grows as a power of time, `t ** a`, has a rate of `a` times its average, and needs about the root of `average / rate` more for its second half. Where the rate goes up and down, what comes next
 * is rather like all that was.
 *
 * Errors of a time are factors, so the range is one: `seconds / exp(x)` to `seconds * exp(y)`. A rate that goes up and down averages out: the mean of a process with the correlation time c over a
 * time T has c / T of its variance (Priestley, Spectral Analysis and Time Series, 1981, 5.3). That holds for what was seen as for what is to come, and the two add up. What does not average
 * out is that the work may become another: so much the more, the further the estimate reaches beyond what was seen.
 */
export function etaOf(
  remaining: number,
  { rate, spread, seen = Infinity, apart = 1, fall = 0 }: Pace,
): Eta | undefined {
  if (rate <= 0) return undefined
  const off = Math.log(Math.min(APART_MAX, Math.max(1 / APART_MAX, apart)))
  const slowdown = (fall / 2) * Math.log(Math.max(1, apart)) - WHOLE * (1 - fall) * off
  const seconds = (remaining / rate) * Math.exp(slowdown)
  const unsure = Math.hypot(spread / rate, PRIOR * Math.exp(-seen / PRIOR_S))
  const averaged = unsure * Math.sqrt(Math.min(1, CORRELATION_S / seconds) + Math.min(1, CORRELATION_S / seen))
  const beyond = seen === Infinity ? 0 : (BEYOND * unsure * seconds) / (seconds + seen)
  const doubt = DOUBT * Math.abs(off)
  const low = seconds / Math.min(RANGE_FACTOR_MAX, Math.exp(FLOOR + averaged + doubt * (1 - fall)))
  const high = seconds * Math.min(RANGE_FACTOR_MAX, Math.exp(FLOOR + averaged + doubt + beyond))
  return { seconds: round(seconds), low: round(low), high: round(high) }
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
