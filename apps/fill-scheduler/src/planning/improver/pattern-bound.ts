import type { PlanningTask } from '../strategy.js'
import type { Arrangement } from '../plan.js'
import { BlockOrder } from '../exact/block-order.js'
import { patternsOf } from '../exact/blocks.js'
import { costGrid } from '../exact/cost-grid.js'
import { Course } from '../exact/course.js'
import { fewestBlocks } from '../exact/fewest-blocks.js'
import { instanceOf } from '../exact/instance.js'
import { PatternRelaxation } from '../exact/pattern-model.js'
import { PatternSearch } from '../exact/pattern-search.js'
import type { Pattern } from '../exact/pattern.js'
import { forgetSolver, loadSolver, type Solver } from '../exact/solver.js'

/** Worth less than this, in hours, a pattern does not pay for being added. */
const WORTH_HOURS_MIN = 1e-7

/** So many patterns for each lot are added between two relaxations: with fewer, hundreds of relaxations in a row come to the same. */
const PATTERNS_PER_LOT = 0.25

/** Steps of one search for patterns. */
const STEPS_MAX = 2_000_000

/**
 * What the work of no plan can be below, in hours on one line that never rests and has no work behind it: at least `boundHours`, at most what `blocks` take. The linear relaxation of choosing patterns
 * (what a block can hold), with only those patterns that pay at its prices; prices that leave no pattern worth much prove a bound at any time, so the answer is right whenever `seconds` are over.
 * Throws the signal's reason once the task is aborted; the solver blocks the thread for parts of a second.
 */
export async function patternBound(
  task: PlanningTask,
  blocks: Arrangement,
  boundHours: number,
  seconds: number,
  onStep: () => void,
): Promise<number> {
  const begunAt = task.now()
  const instance = instanceOf(task.lots, task.rules)
  const order = new BlockOrder(instance)
  const patterns = patternsOf(instance, order, blocks)
  const course = new Course(limited(task, seconds), instance, costGrid(instance), begunAt, {
    blocks: patterns,
    boundHours: boundHours - instance.fillHours,
  })
  try {
    if (!course.proven) raise(await loadSolver(), instance, order, course, onStep)
  } catch {
    // A solver that ran out of memory cannot be trusted any more, and leaves the bound that is known.
    forgetSolver()
    task.signal?.throwIfAborted()
  }
  return course.boundHours + instance.fillHours
}

/** The same task for so many seconds, telling nobody. */
function limited({ onProgress: _silent, settings, ...task }: PlanningTask, seconds: number): PlanningTask {
  const { strategies } = settings
  const exact = { ...strategies.exact, timeLimitSeconds: seconds }
  return { ...task, settings: { ...settings, strategies: { ...strategies, exact } } }
}

function raise(
  solver: Solver,
  instance: ReturnType<typeof instanceOf>,
  order: BlockOrder,
  course: Course,
  onStep: () => void,
): void {
  // A better plan has no more blocks than its cleanings leave time for.
  const most = Math.floor(course.bestHours / instance.cleanHours + 1e-9)
  const limits = { fewest: fewestBlocks(instance), blocksMax: Math.min(instance.lotCount, most) }
  const relaxation = new PatternRelaxation(solver, instance, limits)
  const known = new Set<string>()
  let added = fresh(course.best, known)
  try {
    while (added.length > 0) {
      relaxation.add(added)
      const relaxed = relaxation.solve(course.secondsLeft)
      course.throwIfAborted()
      onStep()
      if (relaxed === undefined || course.over) return
      const search = new PatternSearch(instance, order, relaxed.prices)
      const { patterns, worthMax } = paying(search, Math.ceil(PATTERNS_PER_LOT * instance.lotCount), course)
      course.raise(relaxed.hours - limits.blocksMax * worthMax)
      if (course.proven) return
      added = fresh(patterns, known)
    }
  } finally {
    relaxation.dispose()
  }
}

/** Patterns that pay, first only those that pay well, and what none is worth more than: a search that ends without finding one shows that it is less than was looked for. */
function paying(
  search: PatternSearch,
  patternsMax: number,
  course: Course,
): { patterns: readonly Pattern[]; worthMax: number } {
  let worthMax = Math.max(WORTH_HOURS_MIN, search.worthMax)
  for (const share of [0.6, 0.2, 0]) {
    const worthMin = Math.max(WORTH_HOURS_MIN, search.worthMax * share)
    const limits = { patternsMax, stepsMax: STEPS_MAX, over: () => course.over }
    const { patterns, complete } = search.find(worthMin, limits)
    if (patterns.length > 0) return { patterns, worthMax }
    if (complete) worthMax = Math.min(worthMax, worthMin)
  }
  return { patterns: [], worthMax }
}

function fresh(patterns: readonly Pattern[], known: Set<string>): Pattern[] {
  return patterns.filter(({ counts }) => {
    const key = counts.join()
    return !known.has(key) && known.add(key) !== undefined
  })
}
