import { describe, expect, it } from 'vitest'
import { generateLots } from '../io/generate.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../testing/reference-lots.js'
import { bestHeuristic } from './best-heuristic.js'
import { givenOrder } from './given-order.js'
import { bestArrangement } from './strategies/best-arrangement.js'
import { cfsPack } from './strategies/cfs-pack.js'
import { HEURISTICS } from './strategies/heuristics.js'
import { typeByType } from './strategies/lot-order.js'
import type { PlanningTask } from './strategy.js'

const LOTS = generateLots({ count: 600 }).map(({ id, type, vials }) => lotOf(id, type, vials))

/** Its time passes by being asked for, a second each time. */
function slow(change: Partial<PlanningTask> = {}): PlanningTask {
  let milliseconds = 0
  return taskOf(EXAMPLE_LOTS, { mode: 'improved', now: () => (milliseconds += 1_000), ...change })
}

describe('the best heuristic', () => {
  it('is the best of the five where there is time', async () => {
    const task = slow()
    const all = await Promise.all(HEURISTICS.map(async (heuristic) => (await heuristic.plan(task)).arrangement))
    expect(await bestHeuristic(task)).toEqual(bestArrangement(all, task))
    expect(await bestHeuristic(task, 1_000_000)).toEqual(bestArrangement(all, task))
    expect(await bestHeuristic(task, 0), 'few lots take no time').toEqual(bestArrangement(all, task))
  })

  it('is the best of those that have ended when the time is over', async () => {
    const task = slow({ lots: LOTS })
    expect(await bestHeuristic(task, 13_500)).toEqual((await cfsPack.plan(task)).arrangement)
  })

  it('gives up the one that has not ended, and takes the lots in order where none has: as given, or type by type', async () => {
    const byType = typeByType(LOTS, { clusterOrder: 'by_count', within: 'LPT' })
    expect(await bestHeuristic(slow({ lots: LOTS }), 1_500)).toEqual(givenOrder(byType, DEFAULT_RULES))
    // Each long lot with a short one behind it, as it fits.
    const pairs = LOTS.map(({ id }, at) => lotOf(id, 'E', at % 2 === 0 ? 2_000_000 : 250_000))
    expect(await bestHeuristic(slow({ lots: pairs }), 0)).toEqual(givenOrder(pairs, DEFAULT_RULES))
  })

  it('stops when it is aborted', async () => {
    const task = slow({ signal: AbortSignal.abort(new Error('enough')) })
    await expect(bestHeuristic(task, 1_500)).rejects.toThrow('enough')
  })
})
