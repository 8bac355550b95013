import type { Lot } from './lot.js'
import type { Activity } from './plan.js'
import { EPSILON_HOURS, type LineStart, type Rules } from './rules.js'

/**
 * Where each line stands when planning begins anew at `fromHours`. What had begun before stays as it is, and so does the lot that a changeover had
 * begun for; nothing is planned earlier than `fromHours`. Given what it kept, it keeps the same. More than `rules.lines` lines when others had begun
 * something.
 */
export function startsAfter(activities: readonly Activity[], fromHours: number, rules: Rules): LineStart[] {
  const frozen = (line: number): Activity[] => frozenOf(inTime(activities, line), fromHours)
  const begun = [...new Set(activities.map(({ line }) => line))].filter((line) => frozen(line).length > 0)
  const lines = Math.max(rules.lines, ...begun)
  return Array.from({ length: lines }, (_, index) => startOf(frozen(index + 1), fromHours, rules))
}

function inTime(activities: readonly Activity[], line: number): Activity[] {
  return activities.filter((activity) => activity.line === line).toSorted((a, b) => a.startHours - b.startHours)
}

/** The lots that are still to be planned: those that no line has filled or is filling. */
export function remainingLots(lots: readonly Lot[], starts: readonly LineStart[] = []): Lot[] {
  const filled = new Set(starts.flatMap(({ activities }) => activities.map(({ lotId }) => lotId)))
  return lots.filter(({ id }) => !filled.has(id))
}

/** Waiting is no work: where it comes last it is left out, and what is planned decides how long the line waits. */
function frozenOf(activities: readonly Activity[], fromHours: number): Activity[] {
  const begun = activities.findLastIndex(
    ({ kind, startHours }) => kind !== 'CLOSED' && startHours < fromHours - EPSILON_HOURS,
  )
  const fill = activities.findIndex(({ kind }, index) => index > begun && kind === 'FILL')
  const last = activities[begun]?.kind === 'CHANGEOVER' && fill > begun ? fill : begun
  return activities.slice(0, last + 1).map((activity) => ({ ...activity, frozen: true }))
}

function startOf(activities: readonly Activity[], fromHours: number, rules: Rules): LineStart {
  const freeHours = Math.max(fromHours, 0, activities.at(-1)?.endHours ?? 0)
  const cleaned = activities.findLastIndex(({ kind }) => kind === 'CLEAN')
  const usedHours = freeHours - (activities[cleaned]?.endHours ?? -Infinity)
  if (usedHours > rules.windowHours - EPSILON_HOURS) return { activities, freeHours }
  const previousType = activities.findLast(({ kind }, index) => kind === 'FILL' && index > cleaned)?.lotType
  return { activities, freeHours, open: { usedHours, ...(previousType === undefined ? {} : { previousType }) } }
}
