import type { Lot } from '../lot.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'

/** Lots by their index, in the order in which they are filled. */
export interface Block {
  readonly lots: readonly number[]
  readonly fillHours: number
  readonly changeoverHours: number
}

/** A block that lots are being put into. */
export interface OpenBlock {
  readonly lots: number[]
  fillHours: number
  changeoverHours: number
}

/** Where a lot would go into a block, and what that would add. */
export interface Insertion {
  readonly at: number
  readonly changeoverHours: number
}

/** How much an hour of a block that is filled to the brim is worth beside hours of the plan; see `energy`. */
const CONCENTRATION = 0.25

/** What the search needs to know of lots and rules, as numbers: lots and types are indices. */
export class BlockModel {
  readonly fills: Float64Array
  /** Index of the type of each lot. */
  readonly types: Int32Array
  readonly typeCount: number
  /** Changeovers where they know two lengths and staying with a type is the shorter one. */
  readonly twoLevels: { readonly same: number; readonly different: number } | undefined
  readonly cleanHours: number
  readonly windowHours: number
  readonly #changeovers: Float64Array

  constructor(lots: readonly Lot[], rules: Rules) {
    const names = [...new Set(lots.map(({ type }) => type))]
    const indices = new Map(names.map((name, index) => [name, index]))
    this.fills = Float64Array.from(lots, ({ fillHours }) => fillHours)
    this.types = Int32Array.from(lots, ({ type }) => indices.get(type) ?? 0)
    this.typeCount = names.length
    this.cleanHours = rules.cleanHours
    this.windowHours = rules.windowHours
    this.#changeovers = Float64Array.from(
      names.flatMap((from) => names.map((to) => changeoverHours(rules.changeover, from, to))),
    )
    this.twoLevels = this.#levels()
  }

  /** Hours between two lots that follow each other; 0 where there is none before or after. */
  between(before: number | undefined, after: number | undefined): number {
    if (before === undefined || after === undefined) return 0
    return this.#changeovers[(this.types[before] ?? 0) * this.typeCount + (this.types[after] ?? 0)] ?? 0
  }

  /** The block of these lots in this order, whether or not it fits. */
  inOrder(lots: readonly number[]): Block {
    let fillHours = 0
    let hours = 0
    for (const [at, lot] of lots.entries()) {
      fillHours += this.fills[lot] ?? 0
      hours += this.between(lots[at - 1], lot)
    }
    return { lots, fillHours, changeoverHours: hours }
  }

  fits({ fillHours, changeoverHours: hours }: Block): boolean {
    return fillHours + hours <= this.windowHours + EPSILON_HOURS
  }

  /** The cheapest place for a lot in a block; undefined where it does not fit. */
  insertion(block: Block, lot: number): Insertion | undefined {
    const room = this.windowHours + EPSILON_HOURS - block.fillHours - block.changeoverHours - (this.fills[lot] ?? 0)
    if (room < 0) return undefined
    let best = { at: 0, changeoverHours: this.between(lot, block.lots[0]) }
    for (let at = 1; at <= block.lots.length; at++) {
      const before = block.lots[at - 1]
      const after = block.lots[at]
      const hours = this.between(before, lot) + this.between(lot, after) - this.between(before, after)
      if (hours < best.changeoverHours) best = { at, changeoverHours: hours }
    }
    return best.changeoverHours <= room ? best : undefined
  }

  insert(block: OpenBlock, lot: number, { at, changeoverHours: hours }: Insertion): void {
    block.lots.splice(at, 0, lot)
    block.fillHours += this.fills[lot] ?? 0
    block.changeoverHours += hours
  }

  /** What the block adds to the plan beside fills, which every plan has alike. */
  cost({ changeoverHours: hours }: Block): number {
    return this.cleanHours + hours
  }

  /**
   * What the search makes small: the cost, less a bonus that grows with the square of how full the block is. Plans with the same number of blocks differ in it, and the best are those with
   * full blocks and nearly empty ones, which are what a block can be saved from.
   */
  energy(fillHours: number, hours: number): number {
    const full = fillHours / this.windowHours
    return this.cleanHours + hours - CONCENTRATION * this.cleanHours * full * full
  }

  #levels(): { same: number; different: number } | undefined {
    const { typeCount } = this
    const same = this.#changeovers[0] ?? 0
    const different = typeCount < 2 ? same : (this.#changeovers[1] ?? 0)
    if (different < same) return undefined
    const even = this.#changeovers.every((hours, index) => {
      const own = Math.floor(index / typeCount) === index % typeCount
      return hours === (own ? same : different)
    })
    return even ? { same, different } : undefined
  }
}
