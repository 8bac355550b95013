import { blocksAt, type BlockLimits } from './block-limits.js'
import { roundUp } from './cost-grid.js'
import { findCover, type PricedPattern } from './exact-cover.js'
import { choosePatterns, type Chosen } from './pattern-model.js'
import { PatternSearch } from './pattern-search.js'
import { relax, WORTH_HOURS_MIN, type KnownPatterns, type Relaxed, type Search } from './relaxation.js'

/** So many patterns are listed at most, in so many steps. */
const PATTERNS_MAX = 20_000
const STEPS_MAX = 20_000_000

/** Up to so many are for HiGHS. */
const PATTERNS_FOR_SOLVER_MAX = 500

/** Patterns that trying looks at before it gives up; some seconds. */
const COVER_STEPS_MAX = 100_000_000

/** The plans with a certain number of blocks, and what none of them is below. */
interface Branch {
  readonly blocks: number
  readonly limits: BlockLimits
  readonly relaxed: Relaxed
  boundHours: number
}

/** The plans that are looked for next: those of a branch that take no more than `hoursMax`. */
interface Goal {
  readonly hoursMax: number
  /** What all plans of the branch take at least where there are none of these. */
  readonly aboveHours: number
  /** What their patterns may cost together above the prices. */
  readonly spareHours: number
  /** What they may leave of their windows, which hold all fills and the changeovers: exactly known, but where there is no grid. */
  readonly slackHoursMax: number
}

/**
 * Tries one cost after the other, from the bound up, for each number of blocks by itself: lists the patterns that a plan of that cost and that many blocks may hold, and chooses among them. The first plan
 * that can be had is the best. Answers false where it came to too many patterns.
 */
export function climb(search: Search, limits: BlockLimits, known: KnownPatterns, relaxed: Relaxed): boolean {
  const { course } = search
  const branches = branchesOf(search, limits, known, relaxed)
  while (!course.proven) {
    if (course.over) return true
    const lowest = branches.toSorted((a, b) => a.boundHours - b.boundHours)[0]
    course.raise(lowest?.boundHours ?? Infinity)
    course.report()
    if (lowest === undefined || course.proven) return true
    if (!tryNext(search, lowest)) return course.over
  }
  return true
}

function branchesOf(search: Search, limits: BlockLimits, known: KnownPatterns, relaxed: Relaxed): Branch[] {
  const { instance, course } = search
  const branches: Branch[] = []
  const most = blocksAt(instance, limits, course.betterHours)
  for (let blocks = limits.fewest.all; blocks <= most; blocks++) {
    const exactly = { fewest: { ...limits.fewest, all: blocks }, blocksMax: blocks }
    const own = relax(search, exactly, known, () => undefined) ?? relaxed
    branches.push({ blocks, limits: exactly, relaxed: own, boundHours: roundUp(course.grid, own.hours) })
  }
  return branches
}

/** Looks for the plans of the branch that come next. False: it could not be settled. */
function tryNext(search: Search, branch: Branch): boolean {
  const { course, instance, order } = search
  const goal = goalOf(search, branch)
  if (goal.slackHoursMax < 0) {
    branch.boundHours = Infinity
    return true
  }
  const patterns = new PatternSearch(instance, order, branch.relaxed.prices)
  const found = patterns.find(-goal.spareHours, {
    patternsMax: PATTERNS_MAX,
    stepsMax: STEPS_MAX,
    slackHoursMax: goal.slackHoursMax,
    over: () => course.over,
  })
  course.throwIfAborted()
  if (!found.complete) return false
  const priced = found.patterns.map((pattern) => ({ pattern, extraHours: -patterns.worthOf(pattern) }))
  const { blocks, finished } = choose(search, branch.limits, priced, goal)
  if (!finished) return false
  if (blocks === undefined) branch.boundHours = goal.aboveHours
  else course.offer(blocks)
  return true
}

function goalOf({ course, instance }: Search, { blocks, boundHours, relaxed }: Branch): Goal {
  const { stepHours } = course.grid
  const hoursMax = stepHours === 0 ? course.betterHours : boundHours
  const roomHours = blocks * (instance.cleanHours + instance.windowHours)
  return {
    hoursMax,
    aboveHours: stepHours === 0 ? course.bestHours : hoursMax + stepHours,
    spareHours: hoursMax - relaxed.hours + WORTH_HOURS_MIN,
    slackHoursMax: roomHours - instance.fillHours - boundHours + WORTH_HOURS_MIN,
  }
}

/** Few patterns are for HiGHS; of many, those that leave little beside them are tried. */
function choose(
  { solver, instance, course }: Search,
  limits: BlockLimits,
  priced: readonly PricedPattern[],
  goal: Goal,
): Chosen {
  if (priced.length === 0) return { finished: true }
  if (priced.length <= PATTERNS_FOR_SOLVER_MAX) {
    const patterns = priced.map(({ pattern }) => pattern)
    return choosePatterns(solver, instance, limits, course, patterns, { hoursMax: goal.hoursMax })
  }
  const { spareHours, slackHoursMax } = goal
  const hoursMax = goal.hoursMax + WORTH_HOURS_MIN
  const limit = { blocksMax: limits.blocksMax, stepsMax: COVER_STEPS_MAX, over: () => course.over }
  const { blocks, complete } = findCover(instance, priced, { spareHours, slackHoursMax, hoursMax, ...limit })
  course.throwIfAborted()
  return { finished: complete, ...(blocks === undefined ? {} : { blocks }) }
}
