import { DateTime, IANAZone } from 'luxon'
import { longestStretchHours } from '../planning/calendar.js'
import type { Settings } from '../planning/settings.js'
import type { Problem } from '../problem.js'
import { planTime } from './plan-time.js'
import { received } from './received.js'
import { workingTime } from './working-time.js'

/** A cleaning is rarely longer, and nobody waits longer for a plan. */
const CLEAN_HOURS_USUAL = 24
const TIME_LIMIT_SECONDS_USUAL = 3_600

/** What no schema can say of settings: dates and zones that exist, working time that is long enough, and warnings for what is unusual. */
export function settingProblems(settings: Settings): Problem[] {
  const problems = [...timeProblems(settings), ...shiftProblems(settings), ...reportProblems(settings)]
  return [...problems, ...(problems.length === 0 ? cleaningProblems(settings) : []), ...unusual(settings)]
}

function timeProblems({ start, timeZone, calendar }: Settings): Problem[] {
  const problems: Problem[] = []
  if (!IANAZone.isValidZone(timeZone)) {
    problems.push(bad('timeZone', `the name of a time zone, such as Europe/Berlin, received ${received(timeZone)}`))
  }
  if (!isWallClock(start)) problems.push(bad('start', `a time of a day that exists, received ${received(start)}`))
  for (const [index, day] of (calendar?.holidays ?? []).entries()) {
    if (isWallClock(day)) continue
    problems.push(bad(`calendar.holidays.${index}`, `a day that exists, received ${received(day)}`))
  }
  return problems
}

const isWallClock = (text: string): boolean => DateTime.fromISO(text.replace(' ', 'T'), { zone: 'utc' }).isValid

function shiftProblems({ calendar }: Settings): Problem[] {
  return (calendar?.shifts ?? []).flatMap(({ from, to }, index) => {
    const field = `calendar.shifts.${index}`
    if (from === '24:00') return [bad(`${field}.from`, `before 24:00, received "24:00"`)]
    return from === to
      ? [bad(field, `from one time to another (00:00 to 24:00 is all day), received ${from} to ${to}`)]
      : []
  })
}

/** Files that are written beside the HTML report; on some systems case makes no other name. */
const OTHER_REPORTS = /^(?:summary\.txt|schedule\.(?:csv|json|xlsx|pdf))$/i

function reportProblems({ report }: Settings): Problem[] {
  const problems: Problem[] = []
  if (report.dateTimeFormat.replaceAll(/%[YmdHMS%]/g, '').includes('%')) {
    problems.push(bad('report.dateTimeFormat', `a text with %Y %m %d %H %M %S %%, received "${report.dateTimeFormat}"`))
  }
  if (/[/\\\0]|^\.\.?$/.test(report.htmlFile)) {
    problems.push(bad('report.htmlFile', `a file name without folders, received ${received(report.htmlFile)}`))
  }
  if (OTHER_REPORTS.test(report.htmlFile)) {
    problems.push(bad('report.htmlFile', `a file name that no other report has, received ${received(report.htmlFile)}`))
  }
  return problems
}

function cleaningProblems(settings: Settings): Problem[] {
  const { calendar, cleanHours, timeZone } = settings
  if (calendar === undefined) return []
  const working = workingTime(calendar, timeZone, planTime(settings))
  if (working.earliest(0, cleanHours) !== undefined) return []
  const longest = longestStretchHours(working)
  const message = `A cleaning takes ${cleanHours} h, but calendar has no more than ${longest} h without a rest.`
  return [{ severity: 'error', code: 'no_working_time', message, field: 'calendar' }]
}

function unusual({ cleanHours, strategies }: Settings): Problem[] {
  const warnings: Problem[] = []
  const warn = (code: string, field: string, usual: string): void =>
    void warnings.push({ severity: 'warning', code, message: `${field} is more than ${usual}.`, field })
  if (cleanHours > CLEAN_HOURS_USUAL) warn('long_clean', 'cleanHours', `${CLEAN_HOURS_USUAL} h`)
  for (const name of ['exact', 'improver'] as const) {
    if (strategies[name].timeLimitSeconds <= TIME_LIMIT_SECONDS_USUAL) continue
    warn('long_time_limit', `strategies.${name}.timeLimitSeconds`, `${TIME_LIMIT_SECONDS_USUAL} s`)
  }
  return warnings
}

function bad(field: string, expected: string): Problem {
  return { severity: 'error', code: 'bad_setting', message: `${field} must be ${expected}.`, field }
}
