import { objectiveHours } from '../objective.js'
import type { Arrangement } from '../plan.js'
import type { PlanningTask } from '../strategy.js'
import { timetable } from '../timetable.js'

/** The best of several by `objectiveHours`; of equal ones the first. Throws a `RangeError` when there is none. */
export function bestArrangement(
  arrangements: Iterable<Arrangement>,
  { lots, rules }: Pick<PlanningTask, 'lots' | 'rules'>,
): Arrangement {
  let best: Arrangement | undefined
  let leastHours = Infinity
  for (const arrangement of arrangements) {
    const hours = objectiveHours(timetable(arrangement, rules), lots, rules)
    if (best === undefined || hours < leastHours) [best, leastHours] = [arrangement, hours]
  }
  if (best === undefined) throw new RangeError('there is no arrangement to choose from')
  return best
}
