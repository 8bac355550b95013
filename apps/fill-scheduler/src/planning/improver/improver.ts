import { seededRandom, type Random } from '../../random.js'
import { bestHeuristic } from '../best-heuristic.js'
import { leastLateHours, lowerBoundHours } from '../lower-bound.js'
import { objectiveHours } from '../objective.js'
import type { Arrangement } from '../plan.js'
import type { Planned, PlanningTask, Strategy } from '../strategy.js'
import { timetable } from '../timetable.js'
import { BlockModel } from './block-model.js'
import { Budget, REACHED_HOURS } from './budget.js'
import { indicesOf, isPlain, lotsOf, spread } from './lines.js'
import { LineMoves } from './line-moves.js'
import { LinePlanner } from './line-plan.js'
import { searchLines } from './line-search.js'
import { searchPacking } from './packing-search.js'
import { Repacker } from './repack.js'

/** Of the time, how much goes into packing blocks where lines and times have to be searched, too. */
const PACKING_SHARE = 0.3

/**
 * For hundreds of lots: begins with the best heuristic and improves it by taking blocks apart and packing them anew, until the lower bound (or `targetGapPercent`) is reached, the time is over or
 * nothing better has been found for long. The same seed goes the same way; the time limit decides only how far. Never worse than the best heuristic.
 */
export const improver: Strategy = {
  name: 'improver',
  aliases: ['improve'],
  description:
    'Improves the best heuristic by taking blocks apart and packing them anew; for hundreds of lots, with a lower bound.',
  plan: (task) => new Improvement(task).run(),
}

/** One plan being improved. */
class Improvement {
  readonly #task: PlanningTask
  readonly #model: BlockModel
  readonly #random: Random
  readonly #repacker: Repacker
  readonly #boundHours: number
  readonly #beganAt: number

  constructor(task: PlanningTask) {
    this.#beganAt = task.now()
    this.#task = task
    this.#model = new BlockModel(task.lots, task.rules)
    this.#random = seededRandom(task.settings.strategies.improver.seed)
    this.#repacker = new Repacker(this.#model)
    this.#boundHours = lowerBoundHours(task.lots, task.rules)
  }

  async run(): Promise<Planned> {
    const { lots, rules } = this.#task
    let best = await bestHeuristic(this.#task)
    if (lots.length === 0) return { arrangement: best }
    const boundHours = this.#boundHours + leastLateHours(lots, rules)
    const budget = new Budget(this.#task, this.#beganAt, this.#objective(best), boundHours)
    if (rules.calendar === undefined) best = this.#better(best, await this.#pack(best, budget))
    if (!isPlain(lots, rules)) best = this.#better(best, await this.#arrange(best, budget))
    const objective = this.#objective(best)
    budget.end(objective)
    return { arrangement: best, proof: this.#proof(best, objective <= boundHours + REACHED_HOURS) }
  }

  /** Packs blocks as if there were one line without times, and spreads them over the lines. */
  async #pack(from: Arrangement, budget: Budget): Promise<Arrangement> {
    const { lots, rules } = this.#task
    const plain = isPlain(lots, rules)
    const start = indicesOf(from, lots)
      .flat()
      .filter(({ length }) => length > 0)
    const fillHours = lots.reduce((sum, lot) => sum + lot.fillHours, 0)
    const blocks = await searchPacking(
      start.map((block) => this.#model.inOrder(block)),
      this.#model,
      this.#random,
      (cost) => (plain ? budget.over(cost + fillHours) : budget.over(Infinity, PACKING_SHARE)),
    )
    return lotsOf(spread(blocks, lots, rules), lots)
  }

  async #arrange(from: Arrangement, budget: Budget): Promise<Arrangement> {
    const { lots, rules } = this.#task
    const planner = new LinePlanner(lots, rules)
    const moves = new LineMoves(this.#model, this.#repacker, this.#random, (line) => planner.isOpen(line))
    const lines = await searchLines(indicesOf(from, lots), { moves, planner, rules, random: this.#random }, (hours) =>
      budget.over(hours),
    )
    return lotsOf(lines, lots)
  }

  #better(one: Arrangement, other: Arrangement): Arrangement {
    return this.#objective(other) < this.#objective(one) ? other : one
  }

  #objective(arrangement: Arrangement): number {
    return objectiveHours(timetable(arrangement, this.#task.rules), this.#task.lots, this.#task.rules)
  }

  #proof(arrangement: Arrangement, optimal: boolean): NonNullable<Planned['proof']> {
    const { makespanHours } = timetable(arrangement, this.#task.rules)
    const boundHours = Math.min(this.#boundHours, makespanHours)
    const gap = makespanHours > 0 ? (makespanHours - boundHours) / makespanHours : 0
    return { status: optimal ? 'optimal' : 'feasible', boundHours, gap }
  }
}
