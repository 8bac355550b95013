import type { SettingsInput } from '../../planning/settings.js'
import { fieldMoment, localTime } from '../gantt/zone-time.js'

/** What a plan begins with where nobody says otherwise. */
export interface Proposal {
  /** Local time of the zone, `2026-11-23 08:00`. */
  readonly start: string
  readonly timeZone: string
}

type Calendar = NonNullable<SettingsInput['calendar']>

const MORNING = '08:00'
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
/** A calendar that is closed for longer gets the next day. */
const LOOKED_AT_DAYS = 366

/**
 * The morning of the next day that is worked, in the zone of the settings, or at home where they name none: at 08:00, or when the first shift of that day begins.
 * Without a calendar nobody is taken to begin on a Saturday or a Sunday.
 */
export function nextMorning({ timeZone, calendar }: SettingsInput, now: number, home: string): Proposal {
  const zone = isZone(timeZone) ? timeZone : home
  const { year, month, day } = localTime(now, zone)
  const days = Array.from({ length: LOOKED_AT_DAYS }, (_, at) => new Date(Date.UTC(year, month - 1, day + at + 1)))
  const found = days.find((date) => morningOf(date, calendar) !== undefined)
  const date = found ?? days[0] ?? new Date(now)
  return { start: `${dayOf(date)} ${morningOf(date, calendar) ?? MORNING}`, timeZone: zone }
}

/** Settings without a start that has passed: they were made for another week. */
export function withoutPastStart(settings: SettingsInput, now: number, home: string): SettingsInput {
  const { start, ...others } = settings
  const at = start === undefined ? undefined : fieldMoment(start, isZone(settings.timeZone) ? settings.timeZone : home)
  return at === undefined || at < now ? others : settings
}

/** The zone of this browser. */
export function homeZone(): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  return isZone(zone) && !/^Etc\/(?:UTC|GMT)$/.test(zone) ? zone : 'UTC'
}

/** When work begins on a day; undefined: not at all. */
function morningOf(date: Date, calendar: Calendar | undefined): string | undefined {
  const name = DAYS[date.getUTCDay()] ?? 'sun'
  if (calendar === undefined) return name === 'sat' || name === 'sun' ? undefined : MORNING
  if (calendar.holidays?.includes(dayOf(date))) return undefined
  const shifts = calendar.shifts.filter(({ days }) => days.includes(name))
  const isWorked = shifts.some(({ from, to }) => from <= MORNING && (to > MORNING || to <= from))
  return isWorked ? MORNING : shifts.map(({ from }) => from).toSorted()[0]
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}

function isZone(zone: string | undefined): zone is string {
  if (zone === undefined) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
