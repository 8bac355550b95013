import { type View, spanOf } from './view.js'
import { localTime, momentOf } from './zone-time.js'

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
const STEP_PX_MIN = 64
const HOUR_STEPS = [1, 2, 3, 6, 12] as const
const DAY_STEPS = [1, 2, 7, 14, 28, 91, 182, 364] as const
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Lines for what is in view, at round times of the zone, also where its clocks change. `startMs` is hour 0. */
export function ticksOf(view: View, widthPx: number, startMs: number, zone: string): readonly Tick[] {
  const leastHours = (spanOf(view) * STEP_PX_MIN) / Math.max(1, widthPx)
  const hourStep = HOUR_STEPS.find((step) => step >= leastHours)
  const dayStep = DAY_STEPS.find((step) => step * 24 >= leastHours) ?? 364
  const first = localTime(startMs + view.fromHours * HOUR_MS, zone)
  // A number of days that does not depend on clocks; day 4 of 1970-01-01 on is a Monday.
  const firstDay = Date.UTC(first.year, first.month - 1, first.day) / DAY_MS
  const days = Math.ceil(spanOf(view) / 24) + 2
  const ticks = Array.from({ length: days }, (_, n) => firstDay + n).flatMap((day) =>
    hourStep === undefined ? dayTicks(day, dayStep) : hourTicks(day, hourStep),
  )
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
  const label = step > 28 ? `${MONTHS[of.getUTCMonth()]} ${of.getUTCFullYear()}` : dateLabel(of)
  return [{ at: day * DAY_MS, label, isMajor: step > 2 || of.getUTCDay() === 1 }]
}

function dayLabel(day: number): string {
  const of = new Date(day * DAY_MS)
  return `${DAYS[of.getUTCDay()]} ${dateLabel(of)}`
}

function dateLabel(of: Date): string {
  return `${of.getUTCDate()} ${MONTHS[of.getUTCMonth()]}`
}
