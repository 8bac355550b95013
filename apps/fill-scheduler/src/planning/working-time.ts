import { type Stretch, stretches } from './open-time.js'
import type { Lot } from './lot.js'
import type { Calendar, Rules } from './rules.js'

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

/** Rests that are nearer to each other than this leave no time to work. */
export function shortestActivity(lots: readonly Lot[], { cleanHours, changeover }: Rules): number {
  const { sameTypeHours, differentTypeHours, matrix, spacingHours } = changeover
  const named = Object.values(matrix).flatMap((row) => Object.values(row))
  const changeovers = [sameTypeHours, differentTypeHours, ...named].map((hours) => Math.max(hours, spacingHours))
  const lengths = [cleanHours, ...changeovers, ...lots.map(({ fillHours }) => fillHours)]
  return lengths.filter((hours) => hours > 0).reduce((least, hours) => Math.min(least, hours), cleanHours)
}
