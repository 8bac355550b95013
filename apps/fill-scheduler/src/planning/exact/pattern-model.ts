import type { Model } from 'highs'
import type { Course } from './course.js'
import type { BlockLimits } from './block-limits.js'
import type { Instance } from './instance.js'
import { typeCounts, type Pattern } from './pattern.js'
import type { Prices } from './pattern-search.js'
import { addRow, modelData, noRows, solve, type Rows, type Solved, type Solver } from './solver.js'

/**
 * The pattern formulation: how often each pattern is used. One row for each class (all its lots are filled, each once), one for the number of blocks, one for each type (in how many blocks it is). Blocks that
 * are equal, and lots that are, are one here, so that there is no symmetry to break, and what fits into a window was decided before.
 */
class PatternColumns {
  readonly #instance: Instance
  readonly #limits: BlockLimits

  constructor(instance: Instance, limits: BlockLimits) {
    this.#instance = instance
    this.#limits = limits
  }

  bounds(): { lower: number[]; upper: number[] } {
    const lots = this.#instance.classes.map((each) => each.lots.length)
    const { fewest, blocksMax } = this.#limits
    return {
      lower: [...lots, fewest.all, ...fewest.ofType],
      upper: [...lots, blocksMax, ...this.#instance.types.map(() => this.#instance.lotCount)],
    }
  }

  /** The entries of the column: row, value. */
  entries({ counts }: Pattern): [number, number][] {
    const classes = this.#instance.classes.length
    const ofClasses = counts.flatMap((count, index): [number, number][] => (count > 0 ? [[index, count]] : []))
    const ofTypes = typeCounts(this.#instance, counts).flatMap((count, type): [number, number][] =>
      count > 0 ? [[classes + 1 + type, 1]] : [],
    )
    return [...ofClasses, [classes, 1], ...ofTypes]
  }

  prices(duals: Float64Array): Prices {
    const classes = this.#instance.classes.length
    const all = [...duals]
    return { ofClass: all.slice(0, classes), ofBlock: all[classes] ?? 0, ofType: all.slice(classes + 1) }
  }
}

/** The linear relaxation over the patterns known so far. It holds memory of the solver: dispose of it. */
export class PatternRelaxation {
  readonly #columns: PatternColumns
  readonly #model: Model

  constructor(solver: Solver, instance: Instance, limits: BlockLimits) {
    this.#columns = new PatternColumns(instance, limits)
    const { lower, upper } = this.#columns.bounds()
    const rows: Rows = { ...noRows(), lower, upper, starts: [0, ...lower.map(() => 0)] }
    const { integrality: _, ...linear } = modelData({ cost: [], upper: [], whole: [] }, rows)
    this.#model = solver.createModel(linear)
    this.#model.options.set({ output_flag: false })
  }

  add(patterns: readonly Pattern[]): void {
    for (const pattern of patterns) {
      const entries = this.#columns.entries(pattern)
      this.#model.addCol(pattern.hours, 0, Infinity, {
        indices: entries.map(([row]) => row),
        values: entries.map(([, value]) => value),
      })
    }
  }

  /** The least hours of a fractional plan of these patterns, and what its rows are worth; undefined where the solver was stopped. */
  solve(seconds: number, centred = false): { readonly hours: number; readonly prices: Prices } | undefined {
    this.#model.zeroAllClocks()
    this.#model.options.set({ solver: centred ? 'ipm' : 'choose', run_crossover: centred ? 'off' : 'on' })
    this.#model.options.set('time_limit', Math.max(0.01, seconds))
    this.#model.run()
    if (this.#model.getModelStatus() !== 7) return undefined
    return { hours: this.#model.getObjectiveValue(), prices: this.#columns.prices(this.#model.getSolution().rowDual) }
  }

  dispose(): void {
    this.#model.dispose()
  }
}

/** What choosing came to: blocks that fill every lot once; where it is finished, there are no cheaper ones, or none at all. */
export interface Chosen {
  readonly blocks?: readonly Pattern[]
  readonly finished: boolean
}

/** How a choice is made. */
interface ChoiceOptions {
  /** Only blocks that take at most this are looked for; otherwise the cheapest, beginning with the best plan, whose patterns must be among these. */
  readonly hoursMax?: number
  readonly seconds?: number
}

/** Lets HiGHS choose among the patterns the cheapest that fill every lot once. Costs are whole numbers of steps, so that the solver rounds its bounds up as well. */
export function choosePatterns(
  solver: Solver,
  instance: Instance,
  limits: BlockLimits,
  course: Course,
  patterns: readonly Pattern[],
  { hoursMax, seconds = Infinity }: ChoiceOptions,
): Chosen {
  const scale = inSteps(instance, course)
  const { data, rows } = choiceModel(instance, limits, patterns, scale.cost)
  if (hoursMax === undefined) {
    const start = startOf(course.best, patterns)
    return chosen(patterns, solve(solver, modelData(data, rows), course, { start, seconds, presolve: false }))
  }
  const most = scale.toSteps(hoursMax)
  addRow(
    rows,
    -Infinity,
    most,
    data.cost.map((cost, column): [number, number] => [column, cost]),
  )
  return chosen(patterns, solve(solver, modelData(data, rows), course, { seconds, presolve: false }))
}

function choiceModel(
  instance: Instance,
  limits: BlockLimits,
  patterns: readonly Pattern[],
  cost: (pattern: Pattern) => number,
): { data: Parameters<typeof modelData>[0]; rows: Rows } {
  const columns = new PatternColumns(instance, limits)
  const { lower, upper } = columns.bounds()
  const entries: [number, number][][] = lower.map(() => [])
  for (const [column, pattern] of patterns.entries()) {
    for (const [row, value] of columns.entries(pattern)) entries[row]?.push([column, value])
  }
  const rows = noRows()
  for (const [row, each] of entries.entries()) addRow(rows, lower[row] ?? 0, upper[row] ?? 0, each)
  const most = patterns.map(({ counts }) => copiesMax(instance, counts))
  return { data: { cost: patterns.map(cost), upper: most, whole: patterns.map(() => true) }, rows }
}

function copiesMax(instance: Instance, counts: readonly number[]): number {
  const copies = counts.flatMap((count, index) =>
    count > 0 ? [(instance.classes[index]?.lots.length ?? 0) / count] : [],
  )
  return Math.floor(Math.min(...copies))
}

/** Hours above those that every plan has, counted in steps of the grid. */
function inSteps(
  instance: Instance,
  { grid }: Course,
): { toSteps: (hours: number) => number; cost: (pattern: Pattern) => number } {
  const { stepHours, lotHours, baseHours } = grid
  if (stepHours === 0) return { toSteps: (hours) => hours, cost: ({ hours }) => hours }
  const lots = (pattern: Pattern): number => typeCounts(instance, pattern.counts).reduce((sum, count) => sum + count, 0)
  return {
    toSteps: (hours) => Math.floor((hours - baseHours) / stepHours + 1e-3),
    cost: (pattern) => Math.round((pattern.hours - lots(pattern) * lotHours) / stepHours),
  }
}

function startOf(best: readonly Pattern[], patterns: readonly Pattern[]): Float64Array {
  const start = new Float64Array(patterns.length)
  const byKey = new Map(patterns.map((pattern, index) => [pattern.counts.join(), index]))
  for (const { counts } of best) {
    const index = byKey.get(counts.join())
    if (index !== undefined) start[index] = (start[index] ?? 0) + 1
  }
  return start
}

function chosen(patterns: readonly Pattern[], { values, finished }: Solved): Chosen {
  if (values === undefined) return { finished }
  const blocks = patterns.flatMap((pattern, index) => Array<Pattern>(Math.round(values[index] ?? 0)).fill(pattern))
  return { blocks, finished }
}
