import { DateTime } from 'luxon'
import type { Settings } from '../../planning/settings.js'

const HOUR_MS = 3_600_000

/** Hours of a plan as people read them: local time of the settings’ zone, in the settings’ format. */
export interface ReportTime {
  /** In `report.dateTimeFormat`. */
  text(hours: number): string
  /** ISO 8601 with the offset that holds then. */
  iso(hours: number): string
  /** What a clock on the wall shows then, as if that were UTC: the dates of workbooks have no zone. */
  wall(hours: number): Date
  /** As a local time, for marks of the calendar. */
  local(hours: number): DateTime
  /** The other way round. */
  hoursOf(time: DateTime): number
}

/** Times of a plan that begins at `settings.start`. Throws where start or zone mean nothing. */
export function reportTime(settings: Pick<Settings, 'start' | 'timeZone' | 'report'>): ReportTime {
  const start = DateTime.fromFormat(settings.start, 'yyyy-MM-dd HH:mm', { zone: settings.timeZone })
  if (!start.isValid) throw new RangeError(`no time: "${settings.start}" in ${settings.timeZone}`)
  const local = (hours: number): DateTime => start.plus({ milliseconds: Math.round(hours * HOUR_MS) })
  return {
    text: (hours) => strftime(local(hours), settings.report.dateTimeFormat),
    iso: (hours) => local(hours).toISO({ suppressMilliseconds: true }) ?? '',
    wall: (hours) => local(hours).setZone('UTC', { keepLocalTime: true }).toJSDate(),
    local,
    hoursOf: (time) => (time.toMillis() - start.toMillis()) / HOUR_MS,
  }
}

/** A time in a format with %Y %m %d %H %M %S %%; everything else stands for itself. */
export function strftime(time: DateTime, format: string): string {
  const parts: Readonly<Record<string, string>> = {
    '%Y': String(time.year).padStart(4, '0'),
    '%m': twoDigits(time.month),
    '%d': twoDigits(time.day),
    '%H': twoDigits(time.hour),
    '%M': twoDigits(time.minute),
    '%S': twoDigits(time.second),
    '%%': '%',
  }
  return format.replaceAll(/%./g, (token) => parts[token] ?? token)
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
