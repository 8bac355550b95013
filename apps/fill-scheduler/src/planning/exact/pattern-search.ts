import { EPSILON_HOURS } from '../rules.js'
import type { BlockOrder } from './block-order.js'
import type { Instance } from './instance.js'
import { patternOf, typeCounts, type Pattern } from './pattern.js'

/** The window is divided into so many parts where the most that still fits is looked up. */
const PARTS = 2_048

/** After so many steps it is asked whether to go on. */
const STEPS_BETWEEN_ASKING = 4_096

/** What the parts of a block are worth, in hours: prices that an LP gives to lots, blocks and types. */
export interface Prices {
  readonly ofClass: readonly number[]
  /** Of a type in a block. */
  readonly ofType: readonly number[]
  readonly ofBlock: number
}

/** What a search found. */
export interface Found {
  readonly patterns: readonly Pattern[]
  /** There are no others. */
  readonly complete: boolean
}

/** How far a search goes. */
export interface SearchLimits {
  /** Only patterns that leave no more of the window. */
  readonly slackHoursMax?: number
  readonly patternsMax: number
  readonly stepsMax: number
  /** Asked now and then; it ends when it answers true. */
  readonly over: () => boolean
}

/**
 * Finds the patterns whose worth, the prices of their parts less their hours, is at least some number. Depth first over the classes; a table says what the classes that are left can add at most, so that
 * a branch is left as soon as it cannot reach the number. With two levels the table is right but for the width of its parts; with a matrix it counts changeovers at their least.
 */
export class PatternSearch {
  readonly #instance: Instance
  readonly #order: BlockOrder
  readonly #prices: Prices
  readonly #room: number
  readonly #part: number
  /** By class: the most that it and those after it add to a block, by free parts of the window: where its type is in the block already, and where it is not. */
  readonly #opened: Float64Array[] = []
  readonly #unopened: Float64Array[] = []

  constructor(instance: Instance, order: BlockOrder, prices: Prices) {
    this.#instance = instance
    this.#order = order
    this.#prices = prices
    this.#room = instance.windowHours + instance.creditHours
    this.#part = this.#room / PARTS
    this.#fillTables()
  }

  /** No pattern is worth more. */
  get worthMax(): number {
    return this.#blockWorth + (this.#unopened[0]?.[PARTS] ?? 0)
  }

  /** The patterns that are worth at least this much. */
  find(worthMin: number, limits: SearchLimits): Found {
    const walk = new Walk(limits)
    this.#descend(walk, worthMin, 0, this.#room, this.#blockWorth, false)
    return { patterns: walk.patterns, complete: !walk.ended }
  }

  get #blockWorth(): number {
    return this.#prices.ofBlock - this.#instance.cleanHours + this.#instance.creditHours
  }

  #fillTables(): void {
    const nothing = new Float64Array(PARTS + 1)
    for (let index = this.#instance.classes.length - 1; index >= 0; index--) {
      const after = this.#unopened[index + 1] ?? nothing
      const opened = this.#typeEnds(index) ? after : (this.#opened[index + 1] ?? nothing)
      this.#opened[index] = this.#best(index, opened, opened, 0, 0)
      const { setupHours, worth } = this.#setup(index)
      this.#unopened[index] = this.#best(index, after, opened, setupHours, worth)
    }
  }

  /** The most with no lot of the class (`without`), or with some, and the setup, and what follows then. */
  #best(
    index: number,
    without: Float64Array,
    following: Float64Array,
    setupHours: number,
    setupWorth: number,
  ): Float64Array {
    const best = Float64Array.from(without)
    const { hours, worth } = this.#lot(index)
    for (let count = 1; count <= this.#copies(index); count++) {
      const parts = Math.floor((setupHours + count * hours) / this.#part + 1e-9)
      const added = setupWorth + count * worth
      for (let free = parts; free <= PARTS; free++) {
        const total = added + (following[free - parts] ?? 0)
        if (total > (best[free] ?? 0)) best[free] = total
      }
    }
    return best
  }

  #descend(walk: Walk, worthMin: number, index: number, room: number, worth: number, opened: boolean): void {
    if (walk.step()) return
    if (index === this.#instance.classes.length) return this.#arrive(walk, worthMin)
    const table = opened ? this.#opened[index] : this.#unopened[index]
    const parts = Math.min(PARTS, Math.floor((room + EPSILON_HOURS) / this.#part + 1e-9))
    if (worth + (table?.[parts] ?? 0) < worthMin) return
    const setup = opened ? { setupHours: 0, worth: 0 } : this.#setup(index)
    const lot = this.#lot(index)
    for (let count = this.#copies(index); count >= 0; count--) {
      const left = count === 0 ? room : room - setup.setupHours - count * lot.hours
      if (left < -EPSILON_HOURS) continue
      walk.counts[index] = count
      const added = count === 0 ? 0 : setup.worth + count * lot.worth
      const stillOpen = !this.#typeEnds(index) && (opened || count > 0)
      this.#descend(walk, worthMin, index + 1, left, worth + added, stillOpen)
    }
    walk.counts[index] = 0
  }

  #arrive(walk: Walk, worthMin: number): void {
    if (walk.counts.every((count) => count === 0)) return
    const pattern = patternOf(this.#instance, this.#order, walk.counts)
    if (pattern !== undefined && this.worthOf(pattern) >= worthMin) walk.take(pattern)
  }

  /** The prices of the parts of a pattern, less its hours. */
  worthOf({ counts, hours }: Pattern): number {
    const { ofClass, ofType, ofBlock } = this.#prices
    let worth = ofBlock - hours
    for (const [index, count] of counts.entries()) worth += count * (ofClass[index] ?? 0)
    for (const [type, count] of typeCounts(this.#instance, counts).entries()) if (count > 0) worth += ofType[type] ?? 0
    return worth
  }

  #typeEnds(index: number): boolean {
    return this.#instance.classes[index]?.type !== this.#instance.classes[index + 1]?.type
  }

  #copies(index: number): number {
    return this.#instance.classes[index]?.lots.length ?? 0
  }

  #setup(index: number): { setupHours: number; worth: number } {
    const type = this.#instance.classes[index]?.type ?? 0
    const { setupHours } = this.#instance.types[type] ?? { setupHours: 0 }
    return { setupHours, worth: (this.#prices.ofType[type] ?? 0) - setupHours }
  }

  #lot(index: number): { hours: number; worth: number } {
    const { type, fillHours } = this.#instance.classes[index] ?? { type: 0, fillHours: 0 }
    const { lotHours } = this.#instance.types[type] ?? { lotHours: 0 }
    return { hours: fillHours + lotHours, worth: (this.#prices.ofClass[index] ?? 0) - lotHours }
  }
}

/** One search: the counts on the way, what was found, when to end. */
class Walk {
  readonly counts: number[] = []
  readonly patterns: Pattern[] = []
  readonly #limits: SearchLimits
  #steps = 0
  ended = false

  constructor(limits: SearchLimits) {
    this.#limits = limits
  }

  /** Counts a step; true when it is time to end. */
  step(): boolean {
    this.#steps++
    if (this.#steps > this.#limits.stepsMax) this.ended = true
    if (this.#steps % STEPS_BETWEEN_ASKING === 0 && this.#limits.over()) this.ended = true
    return this.ended
  }

  take(pattern: Pattern): void {
    if (pattern.slackHours > (this.#limits.slackHoursMax ?? Infinity)) return
    if (this.patterns.length >= this.#limits.patternsMax) this.ended = true
    else this.patterns.push(pattern)
  }
}
