import type { Arrangement } from '../plan.js'
import type { Planned, PlanningTask, Proof, Strategy } from '../strategy.js'
import { bestHeuristic } from '../best-heuristic.js'
import { InputError } from '../../problem.js'
import { lowerBoundHours } from '../lower-bound.js'
import { timetable } from '../timetable.js'
import { proveAssignment } from './assignment-proof.js'
import { BlockOrder } from './block-order.js'
import { arrangementOf, patternsOf } from './blocks.js'
import { costGrid } from './cost-grid.js'
import { Course } from './course.js'
import { fewestBlocks } from './fewest-blocks.js'
import { instanceOf, type Instance } from './instance.js'
import type { BlockLimits } from './block-limits.js'
import { provePatterns } from './pattern-proof.js'
import { exactRefusals, refuseUnlessExact, tooManyBlocks } from './refusals.js'
import { forgetSolver, loadSolver, type Solver } from './solver.js'

/**
 * Plans and proves: the plan has the least makespan of all, or, when `strategies.exact.timeLimitSeconds` are over, is the best known, with what no plan can be below. Begins with the best heuristic plan
 * and is never worse. Throws an `InputError` for what `exactRefusals` names, and where no plan with at most `strategies.exact.maxBlocks` blocks is known. Blocks the thread while the solver works.
 */
export const exact: Strategy = {
  name: 'exact',
  aliases: ['milp', 'milp-opt', 'milpopt', 'optimal'],
  description: 'Finds a plan with the least makespan and proves it; for one line and up to a few dozen lots.',
  refusals: ({ lots, rules, settings }) => exactRefusals(lots, rules, settings),
  async plan(task: PlanningTask): Promise<Planned> {
    task.signal?.throwIfAborted()
    refuseUnlessExact(task.lots, task.rules, task.settings)
    const begunAt = task.now()
    const { onProgress: _, ...quiet } = task
    const start = await bestHeuristic(quiet)
    if (task.lots.length === 0) return { arrangement: start, proof: proofOf(task.rules.cleanHours) }
    const solver = await loadSolver()
    return search(solver, task, start, begunAt)
  },
}

function search(solver: Solver, task: PlanningTask, start: Arrangement, begunAt: number): Planned {
  const instance = instanceOf(task.lots, task.rules)
  const order = new BlockOrder(instance)
  const limits = {
    fewest: fewestBlocks(instance),
    blocksMax: Math.min(task.lots.length, task.settings.strategies.exact.maxBlocks),
  }
  const blocks = patternsOf(instance, order, start)
  if (blocks.length > limits.blocksMax) throw new InputError([tooManyBlocks(blocks.length, task.settings)])
  const course = new Course(task, instance, costGrid(instance), begunAt, {
    blocks,
    boundHours: lowerBoundHours(task.lots, task.rules) - instance.fillHours,
  })
  course.report(true)
  prove(solver, instance, order, limits, course)
  course.throwIfAborted()
  course.report(true)
  const arrangement = arrangementOf(instance, order, task.lots, course.best)
  const { makespanHours } = timetable(arrangement, task.rules)
  return { arrangement, proof: proofOf(makespanHours, course.boundHours + instance.fillHours, course.proven) }
}

function prove(solver: Solver, instance: Instance, order: BlockOrder, limits: BlockLimits, course: Course): void {
  try {
    if (!provePatterns(solver, instance, order, limits, course))
      proveAssignment(solver, instance, order, limits, course)
  } catch (error) {
    forgetSolver()
    throw error
  }
}

function proofOf(hours: number, boundHours = hours, proven = true): Proof {
  if (proven) return { status: 'optimal', boundHours: hours, gap: 0 }
  return { status: 'feasible', boundHours, gap: (hours - boundHours) / hours }
}
