import type { Random } from '../../random.js'
import type { Rules } from '../rules.js'
import type { LineMoves, Lines } from './line-moves.js'
import type { LinePlan, LinePlanner } from './line-plan.js'

/** Temperatures, in cleanings. */
const HOT = 0.25
const COLD = 0.002

/** So many coolings in a row that found nothing better end a search. */
const IDLE_COOLINGS_MAX = 6

/** What an hour of the average line is worth beside an hour of the plan: without it nothing speaks for shortening a line that is not the longest. */
const AVERAGE_WEIGHT = 0.1

/** After so many iterations it is asked whether the search is over, and of many lots after fewer: each gives times to much of a line. */
const ITERATIONS_BETWEEN_ASKING = 16
const LOTS_BETWEEN_ASKING = 16_000

/** When a search is over; asked every few iterations, with the best objective. */
type Enough = (objectiveHours: number) => Promise<boolean>

/**
 * Simulated annealing on lines and their times, over and over from the best: for several lines, calendars, due dates and work that was begun. Answers the best lines, never worse than `start`, by
 * last end plus cost of lateness in hours.
 */
export async function searchLines(
  start: Lines,
  { moves, planner, rules, random }: { moves: LineMoves; planner: LinePlanner; rules: Rules; random: Random },
  enough: Enough,
): Promise<Lines> {
  const first = planned(start, planner)
  if (first === undefined) return start
  let best = { plans: first, ...valueOf(first, rules) }
  const lots = start.flat(2).length
  const length = 500 + 200 * lots
  const asking = Math.max(1, Math.min(ITERATIONS_BETWEEN_ASKING, Math.floor(LOTS_BETWEEN_ASKING / lots)))
  for (let idle = 0; idle < IDLE_COOLINGS_MAX; idle++) {
    const before = best.objective
    let current = best
    for (let at = 0; at < length; at++) {
      if (at % asking === 0 && (await enough(best.objective))) return best.plans.map(({ blocks }) => blocks)
      const plans = planned(moves.neighbour(current.plans.map(({ blocks }) => blocks)), planner, current.plans)
      if (plans === undefined) continue
      const next = { plans, ...valueOf(plans, rules) }
      const temperature = rules.cleanHours * HOT * (COLD / HOT) ** (at / length)
      if (next.energy - current.energy <= -temperature * Math.log(1 - random())) current = next
      if (next.objective < best.objective - 1e-9) best = next
    }
    if (best.objective < before - 1e-9) idle = -1
  }
  return best.plans.map(({ blocks }) => blocks)
}

/** Undefined where a block does not fit. */
function planned(lines: Lines, planner: LinePlanner, before?: readonly LinePlan[]): LinePlan[] | undefined {
  const plans: LinePlan[] = []
  for (const [line, blocks] of lines.entries()) {
    const plan = planner.plan(line, blocks, before?.[line])
    if (plan === undefined) return undefined
    plans.push(plan)
  }
  return plans
}

/** The objective as `objectiveHours` has it, and what the search makes small. */
function valueOf(plans: readonly LinePlan[], rules: Rules): { objective: number; energy: number } {
  const done = (rules.starts ?? []).flatMap(({ activities }) => activities)
  let first = done.reduce((hours, { startHours }) => Math.min(hours, startHours), Infinity)
  let last = done.reduce((hours, { endHours }) => Math.max(hours, endHours), 0)
  let sum = 0
  let late = 0
  for (const [line, { blocks, states, lateHours }] of plans.entries()) {
    if (blocks.every(({ length }) => length === 0)) continue
    const end = states.at(-1)?.freeHours ?? 0
    first = Math.min(first, rules.starts?.[line]?.activities[0]?.startHours ?? 0)
    last = Math.max(last, end)
    sum += end
    late += lateHours.at(-1) ?? 0
  }
  const objective = last - Math.min(first, last) + late
  return { objective, energy: objective + (AVERAGE_WEIGHT * sum) / plans.length }
}
