import { givenOrder } from './given-order.js'
import type { Arrangement } from './plan.js'
import { bestArrangement } from './strategies/best-arrangement.js'
import { cfsPack } from './strategies/cfs-pack.js'
import { HEURISTICS } from './strategies/heuristics.js'
import { hybridPack } from './strategies/hybrid-pack.js'
import { typeByType } from './strategies/lot-order.js'
import { lptPack } from './strategies/lpt-pack.js'
import { smartPack } from './strategies/smart-pack.js'
import { sptPack } from './strategies/spt-pack.js'
import type { PlanningTask, Strategy } from './strategy.js'

/** Those that pick by an order take less time than those that score every lot. */
const QUICKEST_FIRST: readonly Strategy[] = [cfsPack, lptPack, sptPack, smartPack, hybridPack]

/** Up to so many lots none is given up: each takes some hundredths of a second. */
const LOTS_ALWAYS = 200

/** After so many lots it is asked whether the time is over. */
const LOTS_BETWEEN_ASKING = 50

/**
 * The best plan of the five heuristics, improved, by `objectiveHours`; of equal ones the first. Reports no progress. From `untilMs` on (by `task.now`) those that have not ended are given up where there
 * are more than 200 lots: the answer is the best of those that have, or where none has, of the lots in the order given and
 * type by type.
 */
export async function bestHeuristic(task: PlanningTask, untilMs = Infinity): Promise<Arrangement> {
  const plans = new Map<Strategy, Arrangement>()
  const endsMs = task.lots.length > LOTS_ALWAYS ? untilMs : Infinity
  for (const heuristic of QUICKEST_FIRST) {
    const plan = await planned(heuristic, task, endsMs)
    if (plan === undefined) break
    plans.set(heuristic, plan)
  }
  if (plans.size === 0) return bestArrangement(inOrder(task), task)
  const ended = HEURISTICS.map((heuristic) => plans.get(heuristic)).filter((plan) => plan !== undefined)
  return bestArrangement(ended, task)
}

/** What takes no time. */
function inOrder({ lots, rules, settings }: PlanningTask): readonly Arrangement[] {
  return [lots, typeByType(lots, settings.strategies.cfsPack)].map((ordered) => givenOrder(ordered, rules))
}

/** Undefined: the time was over before. */
async function planned(heuristic: Strategy, task: PlanningTask, untilMs: number): Promise<Arrangement | undefined> {
  if (untilMs < Infinity && task.now() >= untilMs) return undefined
  const late = new AbortController()
  const signal = task.signal === undefined ? late.signal : AbortSignal.any([task.signal, late.signal])
  const onProgress = ({ done }: { readonly done: number }): void => {
    if (untilMs < Infinity && done % LOTS_BETWEEN_ASKING === 0 && task.now() >= untilMs) late.abort()
  }
  try {
    return (await heuristic.plan({ ...task, mode: 'improved', signal, onProgress })).arrangement
  } catch (error) {
    if (late.signal.aborted && task.signal?.aborted !== true) return undefined
    throw error
  }
}
