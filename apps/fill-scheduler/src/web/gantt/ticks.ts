import { type View, spanOf } from './view.js'
import { type LocalTime, localTime, momentOf } from './zone-time.js'

/** A line of the time axis. */
export interface Tick {
  readonly hours: number
  readonly label: string
  /** A day begins here; where the steps are days, a week. */
  readonly isMajor: boolean
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How far apart labels stand. */
const STEP_PX_MIN = 80
const HOUR_STEPS = [1, 2, 3, 6, 12] as const
const DAY_STEPS = [1, 2, 7, 14] as const
const MONTH_STEPS = [1, 3, 6, 12, 24, 60, 120] as const
/** About: only how dense lines may stand depends on it. */
const MONTH_HOURS = 730
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Lines for what is in view, at round times of the zone, also where its clocks change. `startMs` is hour 0. */
export function ticksOf(view: View, widthPx: number, startMs: number, zone: string): readonly Tick[] {
  const leastHours = (spanOf(view) * STEP_PX_MIN) / Math.max(1, widthPx)
  const first = localTime(startMs + view.fromHours * HOUR_MS, zone)
  const ticks = localTicks(first, spanOf(view), leastHours)
  return ticks.map(({ at, ...rest }) => ({ ...rest, hours: (momentIn(at) - startMs) / HOUR_MS })).filter(isInView)

  function momentIn(local: number): number {
    const of = new Date(local)
    return momentOf(
      {
        year: of.getUTCFullYear(),
        month: of.getUTCMonth() + 1,
        day: of.getUTCDate(),
        hour: of.getUTCHours(),
        minute: 0,
      },
      zone,
    )
  }

  function isInView({ hours }: Tick): boolean {
    return hours >= view.fromHours && hours <= view.toHours
  }
}

interface LocalTick extends Omit<Tick, 'hours'> {
  /** As if the zone were UTC. */
  readonly at: number
}

function localTicks(first: LocalTime, spanHours: number, leastHours: number): LocalTick[] {
  // A number of days that does not depend on clocks; day 4 of 1970-01-01 on is a Monday.
  const firstDay = Date.UTC(first.year, first.month - 1, first.day) / DAY_MS
  const days = Array.from({ length: Math.ceil(spanHours / 24) + 2 }, (_, n) => firstDay + n)
  const hourStep = HOUR_STEPS.find((step) => step >= leastHours)
  if (hourStep !== undefined) return days.flatMap((day) => hourTicks(day, hourStep))
  const dayStep = DAY_STEPS.find((step) => step * 24 >= leastHours)
  if (dayStep !== undefined) return days.flatMap((day) => dayTicks(day, dayStep))
  const monthStep = MONTH_STEPS.find((step) => step * MONTH_HOURS >= leastHours) ?? 120
  return monthTicks(first, Math.ceil(spanHours / (monthStep * MONTH_HOURS)) + 2, monthStep)
}

function hourTicks(day: number, step: number): LocalTick[] {
  return Array.from({ length: 24 / step }, (_, n) => n * step).map((hour) => ({
    at: day * DAY_MS + hour * HOUR_MS,
    label: hour === 0 ? dayLabel(day) : `${String(hour).padStart(2, '0')}:00`,
    isMajor: hour === 0,
  }))
}

function dayTicks(day: number, step: number): LocalTick[] {
  // Weeks begin on Mondays.
  if ((day - 4) % step !== 0) return []
  const of = new Date(day * DAY_MS)
  return [{ at: day * DAY_MS, label: dateLabel(of), isMajor: step > 2 || of.getUTCDay() === 1 }]
}

/** Steps begin in January. */
function monthTicks({ year, month }: LocalTime, count: number, step: number): LocalTick[] {
  const first = Math.floor((year * 12 + month - 1) / step) * step
  return Array.from({ length: count }, (_, n) => first + n * step).map((months) => ({
    at: Date.UTC(Math.floor(months / 12), months % 12, 1),
    label: `${MONTHS[months % 12]} ${Math.floor(months / 12)}`,
    isMajor: months % 12 === 0,
  }))
}

function dayLabel(day: number): string {
  const of = new Date(day * DAY_MS)
  return `${DAYS[of.getUTCDay()]} ${dateLabel(of)}`
}

function dateLabel(of: Date): string {
  return `${of.getUTCDate()} ${MONTHS[of.getUTCMonth()]}`
}
