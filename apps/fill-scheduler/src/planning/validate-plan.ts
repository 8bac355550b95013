import type { Problem } from '../problem.js'
import { checkLine } from './line-check.js'
import type { Lot } from './lot.js'
import type { Activity, Plan } from './plan.js'
import { EPSILON_HOURS, type LineStart, type Rules } from './rules.js'

/**
 * Checks a plan against lots and rules, from its activities alone: each lot filled once and as long as it takes, no
 * overlap and no gap, cleanings and changeovers where and as long as they have to be, windows kept, working time kept,
 * work that had begun kept as it was, order, line numbers, makespan. Errors for what is broken, warnings for what is
 * only useless. Empty: the plan is right.
 */
export function validatePlan(plan: Plan, lots: readonly Lot[], rules: Rules): Problem[] {
  return [
    ...lotProblems(plan.activities, lots, rules),
    ...orderProblems(plan.activities),
    ...lineNumbers(plan.activities, rules).flatMap((line) => lineProblems(line, plan.activities, lots, rules)),
    ...makespanProblems(plan),
  ]
}

function lotProblems(activities: readonly Activity[], lots: readonly Lot[], rules: Rules): Problem[] {
  const wanted = new Set(lots.map(({ id }) => id))
  const kept = new Set((rules.starts ?? []).flatMap((start) => start.activities.map(({ lotId }) => lotId)))
  const filled = new Map<string | undefined, number>()
  for (const { kind, lotId } of activities) if (kind === 'FILL') filled.set(lotId, (filled.get(lotId) ?? 0) + 1)
  const problems: Problem[] = []
  for (const id of wanted) {
    if (!filled.has(id)) problems.push(error('unscheduled_lot', `lot ${id} is not in the plan`, id))
  }
  for (const [id, times] of filled) {
    if (id === undefined) problems.push(error('unknown_lot', 'a FILL names no lot'))
    else if (times > 1) problems.push(error('lot_filled_twice', `lot ${id} is filled ${times} times, not once`, id))
    else if (!wanted.has(id) && !kept.has(id)) {
      problems.push(error('unknown_lot', `lot ${id} is in the plan, but not among the lots`, id))
    }
  }
  return problems
}

function orderProblems(activities: readonly Activity[]): Problem[] {
  return activities.flatMap((activity, index) => {
    const before = activities[index - 1]
    if (before === undefined) return []
    if (activity.line > before.line) return []
    if (activity.line === before.line && activity.startHours >= before.startHours - EPSILON_HOURS) return []
    return [
      error(
        'activity_order',
        `activities stand by line, then by time: ${place(activity)} stands behind ${place(before)}`,
        activity.lotId,
      ),
    ]
  })
}

function place({ kind, line, startHours }: Activity): string {
  return `the ${kind} at ${startHours} h of line ${line}`
}

/** Lines of the plan, and lines that have work behind them. */
function lineNumbers(activities: readonly Activity[], rules: Rules): number[] {
  const begun = (rules.starts ?? []).map((_, index) => index + 1)
  return [...new Set([...begun, ...activities.map(({ line }) => line)])].toSorted((one, other) => one - other)
}

function lineProblems(line: number, activities: readonly Activity[], lots: readonly Lot[], rules: Rules): Problem[] {
  const start = rules.starts?.[line - 1]
  const ofLine = activities.filter((activity) => activity.line === line)
  const kept = start?.activities.length ?? 0
  const planned = ofLine.slice(kept)
  const known = Number.isInteger(line) && line >= 1 && line <= rules.lines
  return [
    ...keptProblems(ofLine.slice(0, kept), start),
    ...(known || planned.length === 0 ? [] : [unknownLine(line, rules)]),
    ...(known ? checkLine(line, planned, start, lots, rules) : []),
  ]
}

function unknownLine(line: number, { lines }: Rules): Problem {
  return error('unknown_line', `lines are numbered from 1 to ${lines}, received ${line}`)
}

const KEPT_MEMBERS = ['kind', 'line', 'startHours', 'endHours', 'lotId', 'lotType'] as const

function keptProblems(activities: readonly Activity[], start: LineStart | undefined): Problem[] {
  return (start?.activities ?? []).flatMap((before, index) => {
    const now = activities[index]
    if (now !== undefined && KEPT_MEMBERS.every((member) => now[member] === before[member])) return []
    return [error('start_changed', `${place(before)} had begun and has to stay as it was`, before.lotId)]
  })
}

function makespanProblems({ activities, makespanHours }: Plan): Problem[] {
  let first = Infinity
  let last = -Infinity
  for (const { startHours, endHours } of activities) {
    first = Math.min(first, startHours)
    last = Math.max(last, endHours)
  }
  const span = activities.length === 0 ? 0 : last - first
  if (Math.abs(span - makespanHours) <= EPSILON_HOURS) return []
  return [
    error('wrong_makespan', `the makespan is ${span} h from first start to last end, the plan says ${makespanHours}`),
  ]
}

function error(code: string, message: string, lotId?: string): Problem {
  return { severity: 'error', code, message, ...(lotId === undefined ? {} : { lotId }) }
}
