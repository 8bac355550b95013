import type { BlockLimits } from './block-limits.js'
import type { BlockOrder } from './block-order.js'
import type { Course } from './course.js'
import type { Instance } from './instance.js'
import { patternOf, type Pattern } from './pattern.js'
import { PatternRelaxation } from './pattern-model.js'
import { PatternSearch, type Found, type Prices, type SearchLimits } from './pattern-search.js'
import type { Solver } from './solver.js'

/** Worth less than this, in hours, a pattern does not pay for being added; so far bounds are lowered, each for every block. */
export const WORTH_HOURS_MIN = 1e-7

/** So many patterns are added between two solves. */
const PATTERNS_AT_A_TIME = 40

/** Steps of a search for patterns that pay, and of one that may fail. */
const STEPS_MAX = 20_000_000
const STEPS_TO_TRY = 200_000

/** One relaxation may take this share of the time that is left: where patterns that pay are hard to find, other ways need time, too. */
const TIME_SHARE = 0.4

/** What all steps of a proof by patterns need. */
export interface Search {
  readonly solver: Solver
  readonly instance: Instance
  readonly order: BlockOrder
  readonly course: Course
}

/** What the relaxation came to: what no plan within the limits is below, and the prices that show which patterns such a plan may have. */
export interface Relaxed {
  readonly hours: number
  readonly prices: Prices
}

/**
 * Solves the relaxation over all patterns by column generation: those that pay at its prices are added until none does. Twice: by the simplex method, which is quick; then by interior points, whose prices lie
 * in the middle of all that are right, so that fewer patterns look as if they cost nothing. Tells bounds as it goes. Undefined where it took too long, or where there is no plan of the known patterns within the limits.
 */
export function relax(
  search: Search,
  limits: BlockLimits,
  known: KnownPatterns,
  onBoundHours: (hours: number) => void,
): Relaxed | undefined {
  const { solver, instance, order, course } = search
  const secondsKept = course.secondsLeft * (1 - TIME_SHARE)
  const over = (): boolean => course.over || course.secondsLeft < secondsKept
  const relaxation = new PatternRelaxation(solver, instance, limits)
  try {
    relaxation.add(known.all)
    let bySimplex: Relaxed | undefined
    for (;;) {
      const relaxed = relaxation.solve(course.secondsLeft - secondsKept, bySimplex !== undefined)
      course.throwIfAborted()
      if (relaxed === undefined || over()) return bySimplex
      const patterns = new PatternSearch(instance, order, relaxed.prices)
      onBoundHours(relaxed.hours - limits.blocksMax * Math.max(0, patterns.worthMax))
      course.report()
      const found = course.proven ? undefined : paying(patterns, over)
      const added = known.add(found?.patterns ?? [])
      if (added.length > 0) relaxation.add(added)
      else if (found?.complete !== true) return bySimplex
      else if (bySimplex !== undefined) return concluded(relaxed, limits, onBoundHours)
      else bySimplex = concluded(relaxed, limits, onBoundHours)
    }
  } finally {
    relaxation.dispose()
  }
}

/** No pattern pays any more: the relaxation is over all of them, but for what is worth next to nothing. */
function concluded(relaxed: Relaxed, limits: BlockLimits, onBoundHours: (hours: number) => void): Relaxed {
  const hours = relaxed.hours - limits.blocksMax * WORTH_HOURS_MIN
  onBoundHours(hours)
  return { ...relaxed, hours }
}

/** Patterns that pay; first only those that pay well. */
function paying(patterns: PatternSearch, over: () => boolean): Found {
  const limits: SearchLimits = { patternsMax: PATTERNS_AT_A_TIME, stepsMax: STEPS_TO_TRY, over }
  for (const share of [0.6, 0.2]) {
    const least = patterns.worthMax * share
    if (least <= WORTH_HOURS_MIN) break
    const found = patterns.find(least, limits)
    if (found.patterns.length > 0) return found
  }
  return patterns.find(WORTH_HOURS_MIN, { ...limits, stepsMax: STEPS_MAX })
}

/** Patterns, each once. */
export class KnownPatterns {
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

/** For each class the block that holds one of its lots and nothing else: with these every lot can be filled. */
export function singlePatterns(instance: Instance, order: BlockOrder): Pattern[] {
  return instance.classes.flatMap((_, index) => {
    const counts = instance.classes.map((__, other) => (other === index ? 1 : 0))
    return patternOf(instance, order, counts) ?? []
  })
}
