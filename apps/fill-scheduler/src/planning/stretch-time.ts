import { type Rests, stretches, type Stretch } from './open-time.js'

/** Things are taken for this much smaller, and stretches for this much longer: what tolerances let pass must not be refused by a proof. */
const TOLERANCE = 1e-7

/** So many thresholds are tried at most; fewer only weaken the bound. */
const THRESHOLDS_MAX = 40

/** `u^(k)` is tried for k up to this. */
const ROUNDINGS_MAX = 8

/** Where a stretch ends is looked for this precisely. */
const PRECISION_HOURS = 1e-4

/** What a length of working time is worth; never falls, and two lengths are together worth at least what they are worth one by one. */
export type Worth = (hours: number) => number

/**
 * How much lines can do in stretches of working time where nothing is interrupted by a rest.
 *
 * Stretches are bins of unequal length. A function f with f(x) + f(y) ≤ f(x + y) lets a stretch hold things of at most f of its length, so lines have not done everything before their stretches add up to
 * the f of all things. The functions are superadditive ones among dual feasible functions of shares of the longest stretch: the share itself, `u^(k)`, `U^ε` and `u^(k)` of it (S. Fekete and J. Schepers,
 * 2001), and how often ε fits, made symmetric about one half (J. Carlier, F. Clautiaux and A. Moukrim, 2007).
 */
export class StretchTime {
  readonly #freeHours: readonly number[]
  readonly #open: readonly Stretch[]
  readonly #longestHours: number
  readonly #horizonHours: number

  constructor(freeHours: readonly number[], rests: Rests) {
    this.#freeHours = freeHours
    this.#horizonHours = rests.horizonHours
    const open: Stretch[] = []
    for (const stretch of stretches(Math.min(...freeHours), rests.calendar, rests.shortestHours)) {
      if (stretch.fromHours >= rests.horizonHours) break
      open.push({ ...stretch, toHours: Math.min(stretch.toHours, rests.horizonHours) })
    }
    this.#open = open
    this.#longestHours = open.reduce((most, { fromHours, toHours }) => Math.max(most, toHours - fromHours), 0)
  }

  /**
   * The lines cannot have done before this hour what `wanted` says the worth of, `lengths` being what there is of it; between two things of one stretch may be said to pass `gapHours` by asking for the
   * worth of things that are longer by it. An hour that is right or too early, never later than the horizon.
   */
  finishHours(lengths: readonly number[], gapHours: number, wanted: (worth: Worth) => number): number {
    let latest = Math.min(...this.#freeHours)
    const unit = this.#longestHours + gapHours
    if (this.#longestHours <= 0) return latest
    const shares = lengths.map((hours) => hours / unit)
    for (const worthOf of functionsFor(shares)) {
      const needed = wanted((hours) => worthOf((hours / unit) * (1 - TOLERANCE)))
      const held = (hours: number): number =>
        hours <= 0 ? 0 : worthOf(Math.min(1, ((hours + gapHours) / unit) * (1 + TOLERANCE)))
      latest = this.#filled(needed * (1 - TOLERANCE), held, latest)
    }
    return latest
  }

  /** When stretches add up to so much, or `latest` where that is later. */
  #filled(needed: number, held: Worth, latest: number): number {
    let left = needed
    for (const { fromHours, toHours } of this.#open) {
      const until = (hours: number): number =>
        this.#freeHours.reduce((sum, free) => sum + held(hours - Math.max(free, fromHours)), 0)
      const all = until(toHours)
      if (all < left) left -= all
      else if (toHours <= latest) return latest
      else
        return Math.max(
          latest,
          firstHour(fromHours, toHours, (hours) => until(hours) >= left),
        )
    }
    return this.#horizonHours
  }
}

/** Before this hour it is not so; at `toHours` it is. */
function firstHour(fromHours: number, toHours: number, isSo: (hours: number) => boolean): number {
  let [early, late] = [fromHours, toHours]
  while (late - early > PRECISION_HOURS) {
    const middle = (early + late) / 2
    if (isSo(middle)) late = middle
    else early = middle
  }
  return early
}

function* functionsFor(shares: readonly number[]): Generator<Worth> {
  yield (share) => share
  for (let k = 1; k <= ROUNDINGS_MAX; k++) yield (share) => rounded(share, k)
  for (const epsilon of thresholdsOf(shares)) {
    const cut = (share: number): number => (share > 1 - epsilon ? 1 : share < epsilon ? 0 : share)
    yield cut
    yield (share) => rounded(cut(share), 1)
    yield (share) => rounded(cut(share), 2)
    yield symmetric(epsilon)
  }
}

/** `u^(k)`: ⌊(k + 1)·x⌋ / k, and x where (k + 1)·x is whole. */
function rounded(share: number, k: number): number {
  const many = (k + 1) * share
  return Number.isInteger(many) ? share : Math.floor(many) / k
}

/** Above one half what does not fit beside it any more, below how often ε fits. */
function symmetric(epsilon: number): Worth {
  const all = Math.floor(1 / epsilon)
  return (share) => {
    if (share === 0.5) return 0.5
    return share > 0.5 ? 1 - Math.floor((1 - share) / epsilon) / all : Math.floor(share / epsilon) / all
  }
}

/** The bounds change only where ε passes a length, or what a length leaves of a stretch. */
function thresholdsOf(shares: readonly number[]): number[] {
  const all = shares.flatMap((share) => [share, 1 - share]).filter((epsilon) => epsilon > 1e-2 && epsilon <= 0.5)
  const distinct = [...new Set(all)].toSorted((a, b) => a - b)
  const step = Math.max(1, distinct.length / THRESHOLDS_MAX)
  const chosen: number[] = []
  for (let at = 0; at < distinct.length; at += step) chosen.push(distinct[Math.floor(at)] ?? 0)
  return chosen
}
