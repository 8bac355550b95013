import { seededRandom, type Random } from '../../random.js'
import { bestHeuristic } from '../best-heuristic.js'
import { givenOrder } from '../given-order.js'
import { leastLateHours, lowerBoundHours, makespanOfWork } from '../lower-bound.js'
import { objectiveHours } from '../objective.js'
import type { Arrangement } from '../plan.js'
import type { Planned, PlanningTask, Strategy } from '../strategy.js'
import { timetable } from '../timetable.js'
import { BlockModel, type Block } from './block-model.js'
import { Budget, REACHED_HOURS } from './budget.js'
import { byDueDate, indicesOf, isPlain, lotsOf, mayBeLate, spread } from './lines.js'
import { LineMoves } from './line-moves.js'
import { LinePlanner } from './line-plan.js'
import { searchLines } from './line-search.js'
import { searchPacking } from './packing-search.js'
import { patternBound } from './pattern-bound.js'
import { Repacker } from './repack.js'
import { StretchFilling } from './stretch-filling.js'

/** Of the time, how much heuristics may take to find a plan to start from. */
const START_SHARE = 0.25

/** Of the time, how much goes into filling stretches where there is a calendar; so many ways in a row that are no better end it before. */
const FILLING_SHARE = 0.4
const IDLE_FILLINGS_MAX = 200

/** Of the time, how much goes into packing blocks where lines and times have to be searched, too. */
const PACKING_SHARE = 0.3

/**
 * For hundreds of lots: begins with the best heuristic and improves it by taking blocks apart and packing them anew, until the lower bound (or `targetGapPercent`) is reached, the time is over or
 * nothing better has been found for long. The same seed goes the same way; the time limit decides only how far. Never worse than the best heuristic, of those that end in a quarter of the time.
 */
export const improver: Strategy = {
  name: 'improver',
  aliases: ['improve'],
  description:
    'Improves the best heuristic by taking blocks apart and packing them anew; for hundreds of lots, with a lower bound.',
  plan: (task) => new Improvement(task).run(),
}

/** Seconds without which raising the bound by patterns of a thousand lots is not begun; of more lots the square of it. To write all blocks down as patterns takes a third. */
const PATTERNS_SECONDS_MIN = 0.5

/** Of the time, how much is searched before the bound is raised by patterns, and how much raising it may take. */
const BEFORE_PATTERNS_SHARE = 0.1
const PATTERNS_SHARE = 0.5

/** What a plan comes to. */
interface Value {
  readonly makespanHours: number
  readonly objectiveHours: number
}

/** One plan being improved. */
class Improvement {
  readonly #task: PlanningTask
  readonly #model: BlockModel
  readonly #random: Random
  readonly #beganAt: number
  readonly #lateHours: number
  /** Of thousands of lots it takes long to give times to a plan. */
  readonly #values = new WeakMap<Arrangement, Value>()
  #raised = false

  constructor(task: PlanningTask) {
    this.#beganAt = task.now()
    this.#task = task
    this.#model = new BlockModel(task.lots, task.rules)
    this.#random = seededRandom(task.settings.strategies.improver.seed)
    this.#lateHours = leastLateHours(task.lots, task.rules)
  }

  async run(): Promise<Planned> {
    const { lots, rules } = this.#task
    const { timeLimitSeconds } = this.#task.settings.strategies.improver
    let best = await bestHeuristic(this.#task, this.#beganAt + START_SHARE * timeLimitSeconds * 1_000)
    if (lots.length === 0) return { arrangement: best }
    if (mayBeLate(lots, rules)) best = this.#better(best, givenOrder(byDueDate(lots), rules))
    const boundHours = lowerBoundHours(lots, rules, this.#value(best).makespanHours) + this.#lateHours
    const budget = new Budget(this.#task, this.#beganAt, this.#objective(best), boundHours)
    best =
      rules.calendar === undefined ? this.#better(best, await this.#pack(best, budget)) : await this.#fill(best, budget)
    if (!isPlain(lots, rules) && !(await budget.over(this.#objective(best))))
      best = this.#better(best, await this.#arrange(best, budget))
    budget.end(this.#objective(best))
    return { arrangement: best, proof: this.#proof(best, budget.boundHours) }
  }

  /** Fills stretches of working time in one way after the other, and takes the best. */
  async #fill(from: Arrangement, budget: Budget): Promise<Arrangement> {
    const { lots, rules } = this.#task
    const filling = new StretchFilling(lots, rules, 2 * this.#value(from).makespanHours)
    let best = from
    for (let idle = 0, random: Random | undefined; idle < IDLE_FILLINGS_MAX; idle++, random = this.#random) {
      if (await budget.over(this.#objective(best), FILLING_SHARE)) return best
      // Of thousands of lots the first takes most of a short time, and is worth it.
      const share = random === undefined ? 1 : FILLING_SHARE
      const next = filling.filled(random, () => budget.spent >= share)
      if (next === undefined) return best
      if (this.#objective(next) >= this.#objective(best)) continue
      best = next
      idle = -1
    }
    return best
  }

  /** Packs blocks as if there were one line without times, and spreads them over the lines. */
  async #pack(from: Arrangement, budget: Budget): Promise<Arrangement> {
    const { lots, rules } = this.#task
    const plain = isPlain(lots, rules)
    const fillHours = lots.reduce((sum, lot) => sum + lot.fillHours, 0)
    const start = indicesOf(from, lots)
      .flat()
      .filter(({ length }) => length > 0)
    const over = (cost: number): Promise<boolean> =>
      plain ? budget.over(cost + fillHours) : budget.over(Infinity, PACKING_SHARE)
    const blocks = await searchPacking(
      start.map((block) => this.#model.inOrder(block)),
      this.#model,
      this.#random,
      async (cost, best) => {
        if (await over(cost)) return true
        if (budget.spent >= BEFORE_PATTERNS_SHARE) await this.#raise(best, budget)
        return false
      },
    )
    if (!(await over(blocks.reduce((sum, block) => sum + this.#model.cost(block), 0))))
      await this.#raise(blocks, budget)
    return lotsOf(spread(blocks, lots, rules), lots)
  }

  /** Raises the bound by patterns, once, where blocks are all that makes a plan, or the work that the lines share. */
  async #raise(blocks: readonly Block[], budget: Budget): Promise<void> {
    if (this.#raised) return
    this.#raised = true
    const { lots, settings } = this.#task
    const { starts: _begun, ...rules } = this.#task.rules
    const share = PATTERNS_SHARE * settings.strategies.improver.timeLimitSeconds
    const seconds = Math.max(0, Math.min(budget.secondsLeft, share))
    if (seconds < PATTERNS_SECONDS_MIN * (lots.length / 1_000) ** 2) return
    const idle = { ...this.#task, rules: { ...rules, lines: 1 } }
    const arrangement = lotsOf([blocks.map((block) => block.lots)], lots)
    const known = lowerBoundHours(lots, idle.rules)
    const workHours = await patternBound(idle, arrangement, known, seconds, () => budget.report())
    budget.raise(makespanOfWork(workHours, lots, this.#task.rules) + this.#lateHours)
  }

  async #arrange(from: Arrangement, budget: Budget): Promise<Arrangement> {
    const { lots, rules } = this.#task
    const planner = new LinePlanner(lots, rules, 2 * this.#value(from).makespanHours)
    const moves = new LineMoves(this.#model, new Repacker(this.#model), this.#random, (line) => planner.isOpen(line))
    const parts = { moves, planner, rules, random: this.#random }
    const lines = await searchLines(indicesOf(from, lots), parts, (hours) => budget.over(hours))
    return lotsOf(lines, lots)
  }

  #better(one: Arrangement, other: Arrangement): Arrangement {
    return this.#objective(other) < this.#objective(one) ? other : one
  }

  #objective(arrangement: Arrangement): number {
    return this.#value(arrangement).objectiveHours
  }

  #value(arrangement: Arrangement): Value {
    const known = this.#values.get(arrangement)
    if (known !== undefined) return known
    const plan = timetable(arrangement, this.#task.rules)
    const hours = objectiveHours(plan, this.#task.lots, this.#task.rules)
    const value = { makespanHours: plan.makespanHours, objectiveHours: hours }
    this.#values.set(arrangement, value)
    return value
  }

  #proof(arrangement: Arrangement, objectiveBoundHours: number): NonNullable<Planned['proof']> {
    const { makespanHours } = this.#value(arrangement)
    const boundHours = Math.min(objectiveBoundHours - this.#lateHours, makespanHours)
    const optimal = this.#objective(arrangement) <= objectiveBoundHours + REACHED_HOURS
    const gap = makespanHours - boundHours > REACHED_HOURS ? (makespanHours - boundHours) / makespanHours : 0
    return { status: optimal ? 'optimal' : 'feasible', boundHours, gap }
  }
}
