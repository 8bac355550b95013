import type { BlockOrder } from './block-order.js'
import type { Course } from './course.js'
import type { Instance } from './instance.js'
import { patternOf, type Pattern } from './pattern.js'
import { choosePatterns, PatternRelaxation, type BlockLimits } from './pattern-model.js'
import { PatternSearch, type Prices } from './pattern-search.js'
import type { Solver } from './solver.js'

/** Worth less than this, in hours, a pattern does not pay for being added. */
const WORTH_HOURS_MIN = 1e-7

/** So many patterns are added between two relaxations. */
const PATTERNS_AT_A_TIME = 40

/** The last choice is made among at most so many; the solver takes about 2 kB for each. */
const PATTERNS_MAX = 60_000

/** Steps of a search that may be given up. */
const STEPS_MAX = 20_000_000

/** A choice among the patterns that the relaxation brought may take this share of the time that is left: it proves nothing, and often finds the best plan. */
const FIRST_CHOICE_SHARE = 0.1

/** What the relaxation came to: what no plan is below, and the prices that show which patterns a better plan may have. */
interface Relaxed {
  readonly hours: number
  readonly prices: Prices
}

/**
 * Column generation, then a proof by listing. The relaxation over all patterns is solved by adding those that pay at its prices. Its value is a bound, mostly within a step of the best plan. A better plan
 * can hold only patterns that cost less than the rest of the gap at those prices: these are listed, all of them, and HiGHS chooses among them. Answers false where there are too many to list.
 */
export function provePatterns(
  solver: Solver,
  instance: Instance,
  order: BlockOrder,
  limits: BlockLimits,
  course: Course,
): boolean {
  const known = new KnownPatterns([...course.best, ...singles(instance, order)])
  const relaxed = relax(solver, instance, order, limits, course, known)
  if (course.proven || course.over) return true
  const seconds = Math.max(1, course.secondsLeft * FIRST_CHOICE_SHARE)
  course.offer(choosePatterns(solver, instance, limits, course, known.all, { seconds }).blocks ?? course.best)
  if (course.proven || course.over) return true
  return relaxed !== undefined && chooseAmongAll(solver, instance, order, limits, course, relaxed)
}

function relax(
  solver: Solver,
  instance: Instance,
  order: BlockOrder,
  limits: BlockLimits,
  course: Course,
  known: KnownPatterns,
): Relaxed | undefined {
  const relaxation = new PatternRelaxation(solver, instance, limits)
  try {
    relaxation.add(known.all)
    for (;;) {
      const relaxed = relaxation.solve(course.secondsLeft)
      course.throwIfAborted()
      if (relaxed === undefined || course.over) return undefined
      const search = new PatternSearch(instance, order, relaxed.prices)
      course.raise(relaxed.hours - limits.blocksMax * Math.max(0, search.worthMax))
      course.report()
      if (course.proven) return relaxed
      const { patterns, complete } = paying(search, course)
      const added = known.add(patterns)
      if (added.length > 0) relaxation.add(added)
      else if (complete) return concluded(relaxed, limits, course)
      else return undefined
    }
  } finally {
    relaxation.dispose()
  }
}

/** No pattern pays any more: the relaxation is over all of them, but for what is worth next to nothing. */
function concluded(relaxed: Relaxed, limits: BlockLimits, course: Course): Relaxed {
  const hours = relaxed.hours - limits.blocksMax * WORTH_HOURS_MIN
  course.raise(hours)
  return { ...relaxed, hours }
}

/** Patterns that pay; first only those that pay well. */
function paying(search: PatternSearch, course: Course): { patterns: readonly Pattern[]; complete: boolean } {
  for (const share of [0.6, 0.2]) {
    const least = search.worthMax * share
    if (least <= WORTH_HOURS_MIN) break
    const found = search.find(least, limitsOf(course, PATTERNS_AT_A_TIME, STEPS_MAX / 100))
    if (found.patterns.length > 0) return found
  }
  return search.find(WORTH_HOURS_MIN, limitsOf(course, PATTERNS_AT_A_TIME, STEPS_MAX))
}

function chooseAmongAll(
  solver: Solver,
  instance: Instance,
  order: BlockOrder,
  limits: BlockLimits,
  course: Course,
  relaxed: Relaxed,
): boolean {
  const spare = course.betterHours - relaxed.hours + WORTH_HOURS_MIN
  const search = new PatternSearch(instance, order, relaxed.prices)
  const { patterns, complete } = search.find(-spare, limitsOf(course, PATTERNS_MAX, STEPS_MAX))
  course.throwIfAborted()
  if (!complete) return course.over
  const all = new KnownPatterns([...course.best, ...patterns]).all
  const onBoundHours = (hours: number): void => course.raise(hours)
  const { blocks, boundHours, finished } = choosePatterns(solver, instance, limits, course, all, { onBoundHours })
  if (blocks !== undefined) course.offer(blocks)
  course.raise(finished ? course.bestHours : boundHours)
  return true
}

function limitsOf(
  course: Course,
  patternsMax: number,
  stepsMax: number,
): { patternsMax: number; stepsMax: number; over: () => boolean } {
  return { patternsMax, stepsMax, over: () => course.over }
}

function singles(instance: Instance, order: BlockOrder): Pattern[] {
  return instance.classes.flatMap((_, index) => {
    const pattern = patternOf(
      instance,
      order,
      instance.classes.map((_, other) => (other === index ? 1 : 0)),
    )
    return pattern === undefined ? [] : [pattern]
  })
}

/** Patterns, each once. */
class KnownPatterns {
  readonly all: Pattern[] = []
  readonly #keys = new Set<string>()

  constructor(patterns: readonly Pattern[]) {
    this.add(patterns)
  }

  /** Adds them; answers those that were new. */
  add(patterns: readonly Pattern[]): Pattern[] {
    const added = patterns.filter(({ counts }) => {
      const key = counts.join()
      return !this.#keys.has(key) && this.#keys.add(key) !== undefined
    })
    for (const pattern of added) this.all.push(pattern)
    return added
  }
}
