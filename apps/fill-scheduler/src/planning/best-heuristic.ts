import type { Arrangement } from './plan.js'
import { bestArrangement } from './strategies/best-arrangement.js'
import { HEURISTICS } from './strategies/heuristics.js'
import type { PlanningTask } from './strategy.js'

/** The best plan of the five heuristics, improved, by `objectiveHours`; of equal ones the first. Reports no progress. */
export async function bestHeuristic(task: PlanningTask): Promise<Arrangement> {
  const { onProgress: _silent, ...quiet } = task
  const arrangements: Arrangement[] = []
  for (const heuristic of HEURISTICS) {
    arrangements.push((await heuristic.plan({ ...quiet, mode: 'improved' })).arrangement)
  }
  return bestArrangement(arrangements, task)
}
