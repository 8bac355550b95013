import { startsAfter } from '../planning/replan.js'
import type { Rules } from '../planning/rules.js'
import type { Settings } from '../planning/settings.js'
import { InputError, type Problem } from '../problem.js'
import type { PlanInput } from '../store/store.js'
import { planTime } from './plan-time.js'
import { workingTime } from './working-time.js'

/**
 * What plans obey, by the settings; with work of an earlier plan that stays as it is, whose hours count from the same start. Throws an `InputError` when
 * a line that had begun something is no more.
 */
export function rulesOf(settings: Settings, frozen?: PlanInput['frozen']): Rules {
  const { calendar, timeZone } = settings
  const rules: Rules = {
    cleanHours: settings.cleanHours,
    windowHours: settings.windowHours,
    changeover: { ...settings.changeover, spacingHours: settings.minLotSpacingHours },
    lines: settings.lines,
    latePenaltyPerHour: settings.dueDates.latePenaltyPerHour,
    ...(calendar === undefined ? {} : { calendar: workingTime(calendar, timeZone, planTime(settings)) }),
  }
  if (frozen === undefined) return rules
  const starts = startsAfter(frozen.activities, frozen.fromHours, rules)
  if (starts.length > rules.lines) throw new InputError([lineInUse(starts.length, rules.lines)])
  return { ...rules, starts }
}

function lineInUse(line: number, lines: number): Problem {
  const message = `lines must be at least ${line}, received ${lines}: line ${line} has begun work that stays as it is.`
  return { severity: 'error', code: 'line_in_use', message, field: 'lines' }
}
