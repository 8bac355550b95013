/** Seconds over which the fast and the slow average forget: a stall shows in the first, noise does not in the second. */
const FAST_S = 3
const SLOW_S = 12

/** Seconds over which it is forgotten how far the two were apart. */
const SPREAD_S = 24

/** Reports closer together than this are one observation: the quotient of two small numbers is noise. */
const OBSERVATION_S = 0.1

/** How much the fast average counts, from 0 to 1, where it is below the slow one. */
const AT_ONCE = 0.3

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
  const rate = fast < slow ? fast ** AT_ONCE * slow ** (1 - AT_ONCE) : slow
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
const FLOOR = 0.15

/** How unsure the rate is before anything was seen, as a share of it, and the seconds in which that is forgotten. */
const PRIOR = 1
const PRIOR_S = 12

/** Seconds in which a rate that changed stays as it is, and how much it counts that it changes. */
const CORRELATION_S = 6
const CHANGES = 0.3

/** What counts where a range reaches beyond what was seen: what nobody can see coming, and what is unsure already. Work that changes takes longer rather than less. */
const BEYOND_LOW = { surprise: 0.2, unsure: 1.1 }
const BEYOND_HIGH = { surprise: 0.4, unsure: 2.2 }

/** How much a steady fall goes on, how far the average since the beginning may lead away from the rate of late, and how unsure it makes that the two are apart. */
const FALLING = 0.2
const APART_MAX = 32
const DOUBT = 0.45

/** A range never reaches beyond these shares of the estimate: a pace near zero says "long", not "for ever". */
const LOWEST = 1 / 4
const HIGHEST = 5

/**
 * How long `remaining` units take at a pace, with a range that holds the truth four times out of five on work like that on which its numbers were chosen (docs/reference/eta.md). Undefined at a standstill.
 *
 * What the average since the beginning says beside the rate of late depends on how the two came apart. Where the rate fell steadily, the rest takes longer than the rate says: an amount that
 * grows as a power of time, `t ** a`, has a rate of `a` times its average, and needs more for the rest than that rate says. Where the rate goes up and down, what comes next is rather like all that was.
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
  const seconds = (remaining / rate) * Math.exp(FALLING * fall * Math.max(0, off) - (1 - fall) * off)
  const unsure = Math.hypot(spread / rate, PRIOR * Math.exp(-seen / PRIOR_S))
  const share = Math.min(1, CORRELATION_S / seconds) + Math.min(1, CORRELATION_S / seen)
  const within = FLOOR + CHANGES * unsure * Math.sqrt(share)
  const doubt = DOUBT * Math.abs(off)
  const beyond = seen === Infinity ? 0 : seconds / (seconds + seen)
  const low = within + doubt * (1 - fall) + beyond * (BEYOND_LOW.surprise + BEYOND_LOW.unsure * unsure)
  const high = within + doubt + beyond * (BEYOND_HIGH.surprise + BEYOND_HIGH.unsure * unsure)
  return {
    seconds: round(seconds),
    low: round(seconds * Math.max(LOWEST, Math.exp(-low))),
    high: round(seconds * Math.min(HIGHEST, Math.exp(high))),
  }
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
