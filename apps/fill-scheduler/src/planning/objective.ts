import type { Lot } from './lot.js'
import type { Plan } from './plan.js'
import { EPSILON_HOURS, type Rules } from './rules.js'

/** What plans are compared by, smaller being better: makespan + `latePenaltyPerHour` · Σ priority · hours late. Without due dates it is the makespan. */
export function objectiveHours(plan: Plan, lots: readonly Lot[], rules: Rules): number {
  return plan.makespanHours + rules.latePenaltyPerHour * weightedLateHours(plan, lots)
}

function weightedLateHours(plan: Plan, lots: readonly Lot[]): number {
  let sum = 0
  for (const { lot, hours } of lateLots(plan, lots)) sum += (lot.priority ?? 1) * hours
  return sum
}

/** The lots that are filled after they are due, each with how many hours. */
export function lateLots(plan: Plan, lots: readonly Lot[]): readonly { readonly lot: Lot; readonly hours: number }[] {
  const due = new Map<string, Lot>()
  for (const lot of lots) if (lot.dueHours !== undefined) due.set(lot.id, lot)
  if (due.size === 0) return []
  const late: { lot: Lot; hours: number }[] = []
  for (const { kind, lotId, endHours } of plan.activities) {
    const lot = kind === 'FILL' && lotId !== undefined ? due.get(lotId) : undefined
    const hours = endHours - (lot?.dueHours ?? Infinity)
    if (lot !== undefined && hours > EPSILON_HOURS) late.push({ lot, hours })
  }
  return late
}
