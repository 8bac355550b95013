import type { Calendar } from './rules.js'

/** Ends of working time are found to this many hours; always later than they are, so that bounds stay bounds. */
const PRECISION_HOURS = 1e-6

/** More stretches of working time than this are not looked at. */
const STRETCHES_MAX = 100_000

/** A stretch of hours without a rest. */
interface Stretch {
  readonly fromHours: number
  readonly toHours: number
}

/**
 * When lines that are free from these hours on can have done so much work together, at the earliest; without a calendar they never rest. Stretches of working time shorter than
 * `shortestHours` are of no use. An hour that is right or too early.
 */
export function finishHours(
  workHours: number,
  freeHours: readonly number[],
  calendar: Calendar | undefined,
  shortestHours: number,
): number {
  let left = workHours
  let end = Math.min(...freeHours)
  for (const { fromHours, toHours } of stretches(end, calendar, shortestHours)) {
    const from = freeHours.map((free) => Math.max(free, fromHours)).toSorted((a, b) => a - b)
    end = filledTo(left, from)
    if (end <= toHours) return end
    left -= from.reduce((sum, hours) => sum + Math.max(0, toHours - hours), 0)
    end = toHours
  }
  return end
}

/** The most work that any stretch of `lengthHours` between two hours leaves room for, or more. */
export function workHoursIn(
  lengthHours: number,
  fromHours: number,
  toHours: number,
  calendar: Calendar,
  shortestHours: number,
): number {
  const open: Stretch[] = []
  for (const stretch of stretches(fromHours, calendar, shortestHours)) {
    open.push(stretch)
    if (stretch.toHours > toHours + lengthHours) break
  }
  let most = 0
  for (const [index, first] of open.entries()) {
    let sum = 0
    const end = first.fromHours + lengthHours
    for (let at = index; at < open.length && (open[at]?.fromHours ?? end) < end; at++) {
      const stretch = open[at] ?? first
      sum += Math.min(end, stretch.toHours) - stretch.fromHours
    }
    most = Math.max(most, sum)
  }
  return most
}

/** To which hour lines that begin at these hours, in order, work when they share so much. */
function filledTo(workHours: number, fromHours: readonly number[]): number {
  let sum = 0
  for (const [index, hours] of fromHours.entries()) {
    sum += hours
    const end = (workHours + sum) / (index + 1)
    if (end <= (fromHours[index + 1] ?? Infinity)) return end
  }
  return Infinity
}

function* stretches(fromHours: number, calendar: Calendar | undefined, shortestHours: number): Generator<Stretch> {
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
