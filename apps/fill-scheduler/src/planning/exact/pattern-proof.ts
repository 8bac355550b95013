import type { BlockLimits } from './block-limits.js'
import type { BlockOrder } from './block-order.js'
import { climb } from './climb.js'
import type { Course } from './course.js'
import type { Instance } from './instance.js'
import { choosePatterns } from './pattern-model.js'
import { KnownPatterns, relax, singlePatterns } from './relaxation.js'
import type { Solver } from './solver.js'

/** A choice among the patterns that the relaxation brought may take this share of the time that is left: it proves nothing, and often finds the best plan. */
const FIRST_CHOICE_SHARE = 0.05

/**
 * Column generation, then a proof by listing. The relaxation over all patterns gives a bound, mostly within a few steps of the best plan. A plan of a certain cost can hold only patterns that cost no more above
 * the prices of the relaxation than that cost does above the bound: these are listed, all of them, and chosen from. Answers false where there are too many to list, so that something is left to be proven.
 */
export function provePatterns(
  solver: Solver,
  instance: Instance,
  order: BlockOrder,
  limits: BlockLimits,
  course: Course,
): boolean {
  const search = { solver, instance, order, course }
  const known = new KnownPatterns([...course.best, ...singlePatterns(instance, order)])
  const relaxed = relax(search, limits, known, (hours) => course.raise(hours))
  if (course.proven || course.over) return true
  const seconds = Math.max(1, course.secondsLeft * FIRST_CHOICE_SHARE)
  course.offer(choosePatterns(solver, instance, limits, course, known.all, { seconds }).blocks ?? course.best)
  if (course.proven || course.over) return true
  return relaxed !== undefined && climb(search, limits, known, relaxed)
}
