import { DateTime } from 'luxon'
import type { Settings } from '../../planning/settings.js'
import type { PlanTime } from '../plan-time.js'

/** An hour of a plan as the clocks of its zone show it, for marks of the calendar. */
export function localTime(hours: number, time: PlanTime, { timeZone }: Pick<Settings, 'timeZone'>): DateTime {
  return DateTime.fromJSDate(time.instant(hours), { zone: timeZone }).setLocale('en-US')
}

/** The same as if it were UTC: the dates of workbooks have no zone. */
export function wallDate(hours: number, time: PlanTime, settings: Pick<Settings, 'timeZone'>): Date {
  return localTime(hours, time, settings).setZone('UTC', { keepLocalTime: true }).toJSDate()
}
