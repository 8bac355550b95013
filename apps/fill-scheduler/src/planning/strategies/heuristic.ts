import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import type { Rules } from '../rules.js'
import type { Planned, PlanningTask, Strategy } from '../strategy.js'
import { classicLoop, type Picker } from './classic-loop.js'
import { Tally } from './tally.js'

/** A strategy that builds its plan lot by lot. */
export interface Heuristic extends Pick<Strategy, 'name' | 'aliases' | 'description'> {
  /** In which order lots stand before planning. */
  ordered(task: PlanningTask): readonly Lot[]
  /** What picks the next lot in `classic` mode. */
  classicPicker(lots: readonly Lot[], task: PlanningTask): Picker
}

/** Makes a strategy of it, with both modes. */
export function heuristicStrategy(heuristic: Heuristic): Strategy {
  return {
    name: heuristic.name,
    aliases: heuristic.aliases,
    description: heuristic.description,
    plan: async (task): Promise<Planned> => ({ arrangement: classic(heuristic, task) }),
  }
}

/** Whether the reference's loop can plan under these rules. */
export function allowsClassic(rules: Rules): boolean {
  return rules.lines === 1 && rules.calendar === undefined
}

function classic(heuristic: Heuristic, task: PlanningTask): Arrangement {
  const lots = heuristic.ordered(task)
  return classicLoop(lots, task.rules, heuristic.classicPicker(lots, task), new Tally(task))
}
