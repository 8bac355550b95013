import type { Lot } from './lot.js'
import { lateLots } from './objective.js'
import type { Activity, ActivityKind, Plan } from './plan.js'
import { EPSILON_HOURS, type Rules } from './rules.js'
import type { PlanStatistics } from './strategy.js'

/** Counts a plan, all lines together. Percentages are of line hours: makespan times lines. */
export function statisticsOf(plan: Plan, lots: readonly Lot[], rules: Rules): PlanStatistics {
  const lengths = lengthsByKind(plan.activities)
  const late = lateLots(plan, lots)
  const changeovers = lengths.CHANGEOVER
  const lineHours = plan.makespanHours * Math.max(rules.lines, rules.starts?.length ?? 0)
  return {
    makespanHours: plan.makespanHours,
    cleanHours: sum(lengths.CLEAN),
    changeoverHours: sum(changeovers),
    fillHours: sum(lengths.FILL),
    closedHours: sum(lengths.CLOSED),
    lots: lengths.FILL.length,
    blocks: lengths.CLEAN.length,
    changeovers: changeovers.length,
    utilisationPercent: percent(sum(lengths.FILL), lineHours),
    cleanPercent: percent(sum(lengths.CLEAN), lineHours),
    changeoverHoursAverage: changeovers.length === 0 ? 0 : sum(changeovers) / changeovers.length,
    changeoverHoursMax: changeovers.reduce((most, hours) => Math.max(most, hours), 0),
    changeoverHoursMin: changeovers.reduce((least, hours) => Math.min(least, hours), changeovers[0] ?? 0),
    lateLots: late.length,
    lateHours: sum(late.map(({ hours }) => hours)),
    windowViolations: overrunWindows(plan.activities, rules),
  }
}

function lengthsByKind(activities: readonly Activity[]): Record<ActivityKind, number[]> {
  const lengths: Record<ActivityKind, number[]> = { CLEAN: [], CHANGEOVER: [], FILL: [], CLOSED: [] }
  for (const { kind, startHours, endHours } of activities) lengths[kind].push(endHours - startHours)
  return lengths
}

function overrunWindows(activities: readonly Activity[], rules: Rules): number {
  const overrun = new Set<Activity>()
  const cleanings = new Map<number, Activity>()
  for (const activity of activities) {
    if (activity.kind === 'CLEAN') cleanings.set(activity.line, activity)
    const cleaning = cleanings.get(activity.line)
    if (activity.kind !== 'FILL' || cleaning === undefined) continue
    if (activity.endHours > cleaning.endHours + rules.windowHours + EPSILON_HOURS) overrun.add(cleaning)
  }
  return overrun.size
}

function sum(hours: readonly number[]): number {
  return hours.reduce((total, value) => total + value, 0)
}

function percent(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0
}
