import { type Calendar, EPSILON_HOURS } from './rules.js'

/** Hours in which nothing can be done, the first included, the last not. */
export interface Rest {
  readonly fromHours: number
  readonly toHours: number
}

/** Every rest that reaches into a span of hours, by its beginning; they may overlap, and reach out of the span. */
export type Rests = (fromHours: number, toHours: number) => readonly Rest[]

/** So much is looked at in one go. */
const SPAN_HOURS = 28 * 24

/** In a year every week comes by, also the two in which clocks are set. */
const YEAR_HOURS = 366 * 24

/**
 * Working time is what rests leave. Hour 0 is the first: what is asked for before it begins there. Rests are asked for as far as somebody plans; from
 * `repeatsFromHours` on they have to be alike every year, so that what fits nowhere in a year fits nowhere at all.
 */
export function calendarOf(rests: Rests, repeatsFromHours = 0): Calendar {
  const open = new OpenTime(rests)
  return {
    earliest: (fromHours, lengthHours) => {
      const from = Math.max(0, fromHours)
      const limit = Math.max(from, repeatsFromHours) + YEAR_HOURS + lengthHours
      if (!Number.isFinite(limit)) return undefined
      return lengthHours <= 0 ? from : open.earliest(from, lengthHours, limit)
    },
    restAfter: (fromHours) => {
      const from = Math.max(0, fromHours)
      return open.restAfter(from, Math.max(from, repeatsFromHours) + YEAR_HOURS)
    },
  }
}

/** The stretches between rests, found out as far as they are asked for. */
class OpenTime {
  readonly #rests: Rests
  /** Beginnings and ends of stretches, in order; two of them never touch. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  /** The stretch whose end is not known yet. */
  #openFrom: number | undefined
  #knownUntil = 0

  constructor(rests: Rests) {
    this.#rests = rests
  }

  earliest(from: number, length: number, limit: number): number | undefined {
    const fits = (start: number, end: number): boolean => end - Math.max(from, start) >= length - EPSILON_HOURS
    for (let at = this.#firstEndingAfter(from); ;) {
      for (; at < this.#ends.length; at += 1) {
        const start = this.#starts[at] ?? 0
        // Also where somebody has asked for more before: bounds ask for much that fits nowhere.
        if (start > limit) return undefined
        if (fits(start, this.#ends[at] ?? 0)) return Math.max(from, start)
      }
      if (this.#openFrom !== undefined && fits(this.#openFrom, this.#knownUntil)) return Math.max(from, this.#openFrom)
      if (this.#knownUntil > limit) return undefined
      this.#learn()
    }
  }

  restAfter(from: number, limit: number): number {
    for (; ; this.#learn()) {
      const end = this.#ends[this.#firstEndingAfter(from)]
      if (end !== undefined) return end
      if (this.#knownUntil > limit) return Infinity
    }
  }

  #firstEndingAfter(hours: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) > hours) high = middle
      else low = middle + 1
    }
    return low
  }

  #learn(): void {
    let at = this.#knownUntil
    this.#knownUntil += SPAN_HOURS
    for (const { fromHours, toHours } of this.#rests(at, this.#knownUntil)) {
      if (toHours <= Math.max(at, fromHours)) continue
      if (fromHours > at) this.#openFrom ??= at
      if (this.#openFrom !== undefined) this.#close(this.#openFrom, Math.max(at, fromHours))
      at = toHours
    }
    if (at < this.#knownUntil) this.#openFrom ??= at
  }

  #close(start: number, end: number): void {
    this.#starts.push(start)
    this.#ends.push(end)
    this.#openFrom = undefined
  }
}

/** The longest time without a rest, to a thousandth of an hour; `Infinity` when it is more than a year. */
export function longestStretchHours(calendar: Calendar): number {
  if (calendar.earliest(0, YEAR_HOURS) !== undefined) return Infinity
  let fits = 0
  let tooLong = YEAR_HOURS
  while (tooLong - fits > 0.001) {
    const middle = (fits + tooLong) / 2
    if (calendar.earliest(0, middle) === undefined) tooLong = middle
    else fits = middle
  }
  return Number(tooLong.toFixed(3))
}
