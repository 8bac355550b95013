import type { Arrangement } from './plan.js'
import { objectiveHours } from './objective.js'
import { HEURISTICS } from './strategies/heuristics.js'
import type { PlanningTask } from './strategy.js'
import { timetable } from './timetable.js'

/** The best plan of the five heuristics by `objectiveHours`; of equal ones the first. Reports no progress. */
export async function bestHeuristic(task: PlanningTask): Promise<Arrangement> {
  const { onProgress: _silent, ...quiet } = task
  let best: Arrangement | undefined
  let bestHours = Infinity
  for (const heuristic of HEURISTICS) {
    const { arrangement } = await heuristic.plan(quiet)
    const hours = objectiveHours(timetable(arrangement, task.rules), task.lots, task.rules)
    if (best === undefined || hours < bestHours) [best, bestHours] = [arrangement, hours]
  }
  return best ?? []
}
