import type { Rules } from '../planning/rules.js'
import type { Settings } from '../planning/settings.js'

/** What plans obey, by the settings. */
export function rulesOf(settings: Settings): Rules {
  return {
    cleanHours: settings.cleanHours,
    windowHours: settings.windowHours,
    changeover: { ...settings.changeover, spacingHours: settings.minLotSpacingHours },
    lines: settings.lines,
    latePenaltyPerHour: settings.dueDates.latePenaltyPerHour,
  }
}
