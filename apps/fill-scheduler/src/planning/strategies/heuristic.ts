import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import type { Rules } from '../rules.js'
import type { PlanningTask, Strategy } from '../strategy.js'
import { bestArrangement } from './best-arrangement.js'
import { classicLoop, type Picker } from './classic-loop.js'
import { exchanged } from './exchange.js'
import { improvedLoop, type LinePicker } from './improved-loop.js'
import { earliestDueFirst } from './lot-order.js'
import { Tally } from './tally.js'
import { urgentFirst } from './urgent-first.js'

/** A strategy that builds its plan lot by lot. */
export interface Heuristic extends Pick<Strategy, 'name' | 'aliases' | 'description'> {
  /** In which order lots stand before planning. */
  ordered(task: PlanningTask): readonly Lot[]
  /** Whether lots are picked by their place in that order, and not by a score. */
  readonly picksInOrder: boolean
  /** What picks the next lot in `classic` mode. */
  classicPicker(lots: readonly Lot[], task: PlanningTask): Picker
  /** What picks the next lot in `improved` mode: several ways, each tried once, the best as a rule first. */
  readonly improvedPickers: readonly ((lots: readonly Lot[], task: PlanningTask) => LinePicker)[]
}

/** Up to so many lots all ways are tried; for more, which take long, the first alone. */
const LOTS_FOR_ALL_WAYS = 1_000

/**
 * Makes a strategy of it. `improved` tries all ways that the heuristic knows, in its order and where there are due
 * dates in theirs, and the classic one where that can plan at all, each as it is and with lots exchanged between its
 * blocks; it answers the best.
 */
export function heuristicStrategy(heuristic: Heuristic): Strategy {
  return {
    name: heuristic.name,
    aliases: heuristic.aliases,
    description: heuristic.description,
    plan: async (task) => ({ arrangement: (task.mode === 'classic' ? classic : improved)(heuristic, task) }),
  }
}

function classic(heuristic: Heuristic, task: PlanningTask, tally = new Tally(task)): Arrangement {
  const lots = heuristic.ordered(task)
  return classicLoop(lots, task.rules, heuristic.classicPicker(lots, task), tally)
}

function improved(heuristic: Heuristic, task: PlanningTask): Arrangement {
  const ways = waysOf(heuristic, task)
  const withClassic = allowsClassic(task.rules)
  const tally = new Tally(task, ways.length + (withClassic ? 1 : 0))
  const plans = ways.map(({ lots, picker }) => improvedLoop(lots, task.rules, picker, tally))
  if (withClassic) plans.push(classic(heuristic, task, tally))
  const better = plans
    .map((plan) => exchanged(plan, task.rules, () => task.signal?.throwIfAborted()))
    .filter((plan) => plan !== undefined)
  return bestArrangement([...better, ...plans], task)
}

/** One way to build a plan. */
interface Way {
  readonly lots: readonly Lot[]
  readonly picker: LinePicker
}

function waysOf(heuristic: Heuristic, task: PlanningTask): readonly Way[] {
  const pickers = heuristic.improvedPickers.slice(0, task.lots.length > LOTS_FOR_ALL_WAYS ? 1 : undefined)
  const inOrder = (lots: readonly Lot[]): Way[] => pickers.map((picker) => ({ lots, picker: picker(lots, task) }))
  const ordered = heuristic.ordered(task)
  const hasDueDates = task.lots.some(({ dueHours }) => dueHours !== undefined)
  // Scores know of due dates; an order has to be another one for them.
  if (!hasDueDates || !heuristic.picksInOrder) return inOrder(ordered)
  const byDue = inOrder(earliestDueFirst(ordered))
  const urgent = byDue.map(({ lots, picker }) => ({ lots, picker: urgentFirst(task.rules, picker) }))
  return [...inOrder(ordered), ...byDue, ...urgent]
}

/** Whether the loop of the reference can plan under these rules. */
function allowsClassic(rules: Rules): boolean {
  return rules.lines === 1 && rules.calendar === undefined
}
