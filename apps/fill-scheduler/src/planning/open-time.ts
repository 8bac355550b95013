import type { Calendar } from './rules.js'

/** Ends of working time are found to this many hours; never earlier than they are, so that bounds stay bounds. */
const PRECISION_HOURS = 1e-9

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

/** Working time from an hour on, in order; those shorter than `shortestHours` are left out. Without a calendar one without an end. Ends may be told some billionths of an hour too late. */
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
    const end = endOf(start, calendar, shortestHours)
    yield { fromHours: start, toHours: end }
    if (end === Infinity) return
    at = end
  }
  yield { fromHours: at, toHours: Infinity }
}

/** Where the working time ends that `start` lies in: doubled until it is too long, then halved. */
function endOf(start: number, calendar: Calendar, shortestHours: number): number {
  const works = (length: number): boolean => (calendar.earliest(start, length) ?? Infinity) <= start
  let short = shortestHours
  let long = shortestHours * 2
  while (works(long)) {
    if (long > 1e6) return Infinity
    short = long
    long *= 2
  }
  while (long - short > PRECISION_HOURS) {
    const middle = (short + long) / 2
    if (works(middle)) short = middle
    else long = middle
  }
  return start + long
}
