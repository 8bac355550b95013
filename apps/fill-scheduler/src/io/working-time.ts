import { calendarOf, type Rest } from '../planning/calendar.js'
import type { Calendar } from '../planning/rules.js'
import type { Settings } from '../planning/settings.js'
import { type PlanTime, wallClock } from './plan-time.js'

type CalendarSettings = NonNullable<Settings['calendar']>
type Span = readonly [from: number, to: number]

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/**
 * Working time by shifts and holidays, local to the zone. A holiday rests from midnight to midnight, also what is left of a shift of the evening
 * before. Shifts that touch or overlap are one stretch; a shift over a change of the clocks is as long as it is.
 */
export function workingTime(calendar: CalendarSettings, timeZone: string, time: PlanTime): Calendar {
  const instantOf = wallClock(timeZone)
  const startMs = time.start.getTime()
  const hoursOf = (wallMs: number): number => (instantOf(wallMs) - startMs) / HOUR_MS
  const holidays = new Set(calendar.holidays)
  const rests = (fromHours: number, toHours: number): Rest[] => {
    const [first, last] = [dayOf(time.instant(fromHours)) - 2 * DAY_MS, dayOf(time.instant(toHours)) + 2 * DAY_MS]
    const open = openSpans(calendar.shifts, holidays, first, last).map(
      ([from, to]) => [hoursOf(from), hoursOf(to)] as const,
    )
    return between(open, hoursOf(first), hoursOf(last))
  }
  const lastHoliday = Math.max(startMs, ...calendar.holidays.map((day) => Date.parse(day) + 2 * DAY_MS))
  return calendarOf(rests, (lastHoliday - startMs) / HOUR_MS)
}

/** Midnight of the day in UTC, which is at most one day from the local one. */
const dayOf = (instant: Date): number => Math.floor(instant.getTime() / DAY_MS) * DAY_MS

/** Working time of these days, in milliseconds of the wall clock. */
function openSpans(
  shifts: CalendarSettings['shifts'],
  holidays: ReadonlySet<string>,
  firstDay: number,
  lastDay: number,
): Span[] {
  const isHoliday = (day: number): boolean => holidays.has(new Date(day).toISOString().slice(0, 10))
  const spans: Span[] = []
  for (let day = firstDay; day < lastDay; day += DAY_MS) {
    const weekday = WEEKDAYS[new Date(day).getUTCDay()] ?? 'sun'
    for (const shift of shifts.filter(({ days }) => days.includes(weekday))) {
      const [from, to] = [timeOfDay(shift.from), timeOfDay(shift.to)]
      if (!isHoliday(day)) spans.push([day + from, day + (to > from ? to : DAY_MS)])
      if (to <= from && !isHoliday(day + DAY_MS)) spans.push([day + DAY_MS, day + DAY_MS + to])
    }
  }
  return spans
}

const timeOfDay = (text: string): number => Number(text.slice(0, 2)) * HOUR_MS + Number(text.slice(3)) * 60_000

/** What lies between spans. One that clocks leave out, when they are set forward, ends before it begins and is none. */
function between(spans: readonly Span[], first: number, last: number): Rest[] {
  const rests: Rest[] = []
  let at = first
  for (const [from, to] of spans.filter(([from, to]) => to > from).toSorted((a, b) => a[0] - b[0])) {
    if (from > at) rests.push({ fromHours: at, toHours: from })
    at = Math.max(at, to)
  }
  return last > at ? [...rests, { fromHours: at, toHours: last }] : rests
}
