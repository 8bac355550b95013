import { type Calendar, EPSILON_HOURS } from './rules.js'

/** More stretches of working time than this are not looked at: behind them it is taken for open. */
const STRETCHES_MAX = 100_000

/** Hours without a rest. */
export interface Stretch {
  readonly fromHours: number
  readonly toHours: number
}

/** The calendar, as far as it is looked at. */
export interface Rests {
  readonly calendar: Calendar
  /** Shorter stretches of working time are of no use. */
  readonly shortestHours: number
  readonly horizonHours: number
}

/** Working time from an hour on, in order; those shorter than `shortestHours` are left out. Without a calendar one without an end. Ends are told as late as comparisons of hours let something end there, so that bounds stay bounds. */
export function* stretches(
  fromHours: number,
  calendar: Calendar | undefined,
  shortestHours: number,
): Generator<Stretch, undefined> {
  if (calendar === undefined) {
    yield { fromHours, toHours: Infinity }
    return
  }
  let at = fromHours
  for (let count = 0; count < STRETCHES_MAX; count++) {
    const start = calendar.earliest(at, shortestHours)
    if (start === undefined) return
    const end = calendar.restAfter(start) + EPSILON_HOURS
    yield { fromHours: start, toHours: end }
    if (end === Infinity) return
    at = end
  }
  yield { fromHours: at, toHours: Infinity }
}
