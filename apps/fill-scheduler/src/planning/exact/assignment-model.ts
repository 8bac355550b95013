import { EPSILON_HOURS } from '../rules.js'
import type { CostGrid } from './cost-grid.js'
import type { Instance } from './instance.js'
import type { BlockLimits } from './block-limits.js'
import { addRow, modelData, noRows, type Rows } from './solver.js'

/** Room in a row for what comparisons of hours let pass. */
const SLACK_HOURS = EPSILON_HOURS

/** The columns of one block. Changeovers, first, last and flow only where the order in a block is a question. */
export interface BlockColumns {
  /** Whether it is used. */
  readonly used: number
  /** By class: how many of its lots. */
  readonly lots: readonly number[]
  /** By type: whether it is in the block. */
  readonly present: readonly number[]
  readonly sequence?: SequenceColumns
}

/** The order of types in a block as a walk: how often it goes from type to type, where it begins and ends. */
export interface SequenceColumns {
  /** From type, to type: how many changeovers. */
  readonly steps: readonly (readonly number[])[]
  readonly first: readonly number[]
  readonly last: readonly number[]
  /** From type, to type: what the first type sends to the others, one to each, along changeovers; so the walk is in one piece. */
  readonly flow: readonly (readonly number[])[]
}

/** A model that says which lots are in which block. */
export interface AssignmentModel {
  readonly data: ReturnType<typeof modelData>
  readonly blocks: readonly BlockColumns[]
  /** The objective as hours of cleaning and changeover. */
  readonly toHours: (objective: number) => number
}

/**
 * The assignment formulation, for so many blocks. With two levels it is bin packing with a setup for each type in a block: `Σ (fill + same)·lots + (different − same)·Σ present <= (window + different)·used`.
 * With a matrix the changeovers of a block are a walk over the types of its lots: in and out of a type as often as it has lots, but for the first and the last; a flow from the first type keeps the walk
 * in one piece; `Σ fill·lots + Σ changeover·steps <= window·used`. Lots of a type are alike in this, so there is a step for each pair of types, not of lots, and no big M but in the flow.
 *
 * Equal blocks are told apart by their smallest class: the blocks come in that order, so a class may be in a block only where one up to it is in the block before.
 */
export function assignmentModel(
  instance: Instance,
  limits: BlockLimits,
  grid: CostGrid,
  blockCount: number,
): AssignmentModel {
  const builder = new Builder(instance, grid)
  const blocks = Array.from({ length: blockCount }, (_, index) => builder.block(index, index < limits.fewest.all))
  builder.everyLotOnce(blocks)
  builder.inOrder(blocks)
  builder.atLeast(blocks, limits)
  return { data: builder.data, blocks, toHours: builder.toHours }
}

/** Collects columns and rows. */
class Builder {
  readonly #instance: Instance
  readonly #grid: CostGrid
  readonly #cost: number[] = []
  readonly #upper: number[] = []
  readonly #whole: boolean[] = []
  readonly #rows: Rows = noRows()

  constructor(instance: Instance, grid: CostGrid) {
    this.#instance = instance
    this.#grid = grid
  }

  get data(): ReturnType<typeof modelData> {
    return modelData({ cost: this.#cost, upper: this.#upper, whole: this.#whole }, this.#rows)
  }

  /** Costs are steps of the grid above `lotHours` for each lot and `lotLevel` more. */
  readonly toHours = (objective: number): number => {
    const { lotHours, stepHours, baseHours } = this.#grid
    const { levels, lotCount } = this.#instance
    const level = levels === undefined ? 0 : lotCount * (levels.sameHours - lotHours)
    return baseHours + level + objective * (stepHours === 0 ? 1 : stepHours)
  }

  block(index: number, certain: boolean): BlockColumns {
    const { classes, types, levels } = this.#instance
    const first = levels === undefined ? this.#grid.lotHours : levels.differentHours
    const used = this.#column(this.#instance.cleanHours - first, 1)
    if (certain) this.#row(1, 1, [[used, 1]])
    const lots = classes.map((_, at) => this.#column(0, this.#mostLots(index, at)))
    const setup = levels === undefined ? 0 : levels.differentHours - levels.sameHours
    const present = types.map(() => this.#column(setup, 1))
    const columns = { used, lots, present }
    this.#presence(columns)
    if (levels === undefined) return { ...columns, sequence: this.#sequence(columns) }
    this.#fitByLevels(columns, levels)
    return columns
  }

  everyLotOnce(blocks: readonly BlockColumns[]): void {
    for (const [at, { lots }] of this.#instance.classes.entries()) {
      this.#row(
        lots.length,
        lots.length,
        blocks.map((block) => [block.lots[at] ?? 0, 1]),
      )
    }
  }

  inOrder(blocks: readonly BlockColumns[]): void {
    for (const [index, block] of blocks.entries()) {
      const before = blocks[index - 1]
      if (before === undefined) continue
      this.#row(0, 1, [
        [before.used, 1],
        [block.used, -1],
      ])
      for (const [at, column] of block.lots.entries()) {
        const most = this.#upper[column] ?? 0
        if (most === 0) continue
        this.#row(0, Infinity, [
          [column, -1],
          ...before.lots.slice(0, at + 1).map((each): [number, number] => [each, most]),
        ])
      }
    }
  }

  atLeast(blocks: readonly BlockColumns[], { fewest }: BlockLimits): void {
    this.#row(
      fewest.all,
      blocks.length,
      blocks.map(({ used }) => [used, 1]),
    )
    for (const [type, least] of fewest.ofType.entries()) {
      this.#row(
        least,
        blocks.length,
        blocks.map(({ present }) => [present[type] ?? 0, 1]),
      )
    }
  }

  /** A class is in a block only when there are lots enough up to it for each block before to hold one. */
  #mostLots(block: number, at: number): number {
    const { classes, types, windowHours } = this.#instance
    const upTo = classes.slice(0, at + 1).reduce((sum, { lots }) => sum + lots.length, 0)
    const { type, fillHours, lots } = classes[at] ?? { type: 0, fillHours: 0, lots: [] }
    const { lotHours } = types[type] ?? { lotHours: 0 }
    const fit = Math.max(1, Math.floor((windowHours + lotHours) / (fillHours + lotHours) + 1e-9))
    return Math.max(0, Math.min(lots.length, fit, upTo - block))
  }

  #presence({ used, lots, present }: BlockColumns): void {
    for (const [at, column] of lots.entries()) {
      const type = this.#instance.classes[at]?.type ?? 0
      this.#row(-Infinity, 0, [
        [column, 1],
        [present[type] ?? 0, -(this.#upper[column] ?? 0)],
      ])
    }
    for (const [type, column] of present.entries()) {
      this.#row(0, Infinity, [[column, -1], ...this.#ofType(lots, type)])
      this.#row(0, 1, [
        [used, 1],
        [column, -1],
      ])
    }
    this.#row(-Infinity, 0, [[used, 1], ...present.map((column): [number, number] => [column, -1])])
  }

  #fitByLevels(
    { used, lots, present }: BlockColumns,
    { sameHours, differentHours }: NonNullable<Instance['levels']>,
  ): void {
    const { classes, windowHours } = this.#instance
    this.#row(-Infinity, SLACK_HOURS, [
      ...lots.map((column, at): [number, number] => [column, (classes[at]?.fillHours ?? 0) + sameHours]),
      ...present.map((column): [number, number] => [column, differentHours - sameHours]),
      [used, -windowHours - differentHours],
    ])
  }

  #sequence(block: BlockColumns): SequenceColumns {
    const { types, changeover, classes, windowHours } = this.#instance
    const most = (from: number, to: number): number =>
      Math.min(types[from]?.count ?? 0, (types[to]?.count ?? 0) - (from === to ? 1 : 0))
    const steps = changeover.map((row, from) =>
      row.map((hours, to) => this.#column(hours - this.#grid.lotHours, most(from, to))),
    )
    const first = types.map(() => this.#column(0, 1))
    const last = types.map(() => this.#column(0, 1))
    const flow = types.map((_, from) => types.map((__, to) => this.#column(0, from === to ? 0 : Infinity, false)))
    const sequence = { steps, first, last, flow }
    this.#row(0, 0, [[block.used, -1], ...first.map((column): [number, number] => [column, 1])])
    this.#row(0, 0, [[block.used, -1], ...last.map((column): [number, number] => [column, 1])])
    for (const type of types.keys()) this.#walk(block, sequence, type)
    this.#row(-Infinity, SLACK_HOURS, [
      ...block.lots.map((column, at): [number, number] => [column, classes[at]?.fillHours ?? 0]),
      ...steps.flatMap((row, from) => row.map((column, to): [number, number] => [column, changeover[from]?.[to] ?? 0])),
      [block.used, -windowHours],
    ])
    return sequence
  }

  /** In and out of a type, as often as it has lots; from another type, if it is there; and reached by the flow. */
  #walk(block: BlockColumns, { steps, first, last, flow }: SequenceColumns, type: number): void {
    const others = [...steps.keys()].filter((other) => other !== type)
    const lots = this.#ofType(block.lots, type).map(([column]): [number, number] => [column, -1])
    const [begins, ends, is] = [first[type] ?? 0, last[type] ?? 0, block.present[type] ?? 0]
    const into = (table: readonly (readonly number[])[], from: readonly number[]): [number, number][] =>
      from.map((each) => [table[each]?.[type] ?? 0, 1])
    const outOf = (table: readonly (readonly number[])[], to: readonly number[], value: number): [number, number][] =>
      to.map((each) => [table[type]?.[each] ?? 0, value])
    this.#row(0, 0, [...into(steps, [...steps.keys()]), [begins, 1], ...lots])
    this.#row(0, 0, [...outOf(steps, [...steps.keys()], 1), [ends, 1], ...lots])
    this.#row(0, Infinity, [...into(steps, others), [begins, 1], [is, -1]])
    this.#row(0, Infinity, [...outOf(steps, others, 1), [ends, 1], [is, -1]])
    this.#row(0, Infinity, [...into(flow, others), ...outOf(flow, others, -1), [is, -1], [begins, steps.length]])
    for (const to of others) {
      this.#row(0, Infinity, [
        [steps[type]?.[to] ?? 0, steps.length - 1],
        [flow[type]?.[to] ?? 0, -1],
      ])
    }
  }

  #ofType(lots: readonly number[], type: number): [number, number][] {
    return lots.flatMap((column, at): [number, number][] =>
      this.#instance.classes[at]?.type === type ? [[column, 1]] : [],
    )
  }

  #column(costHours: number, upper: number, whole = true): number {
    const { stepHours } = this.#grid
    this.#cost.push(stepHours === 0 ? costHours : Math.round(costHours / stepHours))
    this.#upper.push(upper)
    this.#whole.push(whole)
    return this.#cost.length - 1
  }

  #row(lower: number, upper: number, entries: readonly (readonly [number, number])[]): void {
    addRow(this.#rows, lower, upper, entries)
  }
}
