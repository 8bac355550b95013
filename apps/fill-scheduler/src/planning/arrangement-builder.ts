import type { Lot } from './lot.js'
import type { Arrangement } from './plan.js'
import type { Rules } from './rules.js'
import { freshBlock, lineAfter, lineAt, slotInOpenBlock, type LineState } from './line.js'

/** Builds an arrangement lot by lot, and knows where each line stands meanwhile. */
export class ArrangementBuilder {
  readonly #rules: Rules
  readonly #states: LineState[]
  readonly #blocks: Lot[][][]

  constructor(rules: Rules) {
    this.#rules = rules
    this.#states = Array.from({ length: rules.lines }, (_, index) => lineAt(rules.starts?.[index], rules))
    this.#blocks = this.#states.map(({ closesHours }) => (closesHours === undefined ? [] : [[]]))
  }

  /** Index of the line that is free first; the first of those that are. */
  get nextLine(): number {
    let next = 0
    for (const [index, { freeHours }] of this.#states.entries()) {
      if (freeHours < this.line(next).freeHours) next = index
    }
    return next
  }

  line(index: number): LineState {
    const state = this.#states[index]
    if (state === undefined) throw new RangeError(`there is no line ${index + 1}`)
    return state
  }

  /** Whether the lot fits into the block that is open on the line. */
  fits(index: number, lot: Lot): boolean {
    return slotInOpenBlock(this.line(index), lot, this.#rules) !== undefined
  }

  /** Places the lot into the open block, or into a new one where it does not fit. Throws a `RangeError` when it fits into no window. */
  place(index: number, lot: Lot): void {
    const line = this.line(index)
    const slot = slotInOpenBlock(line, lot, this.#rules)
    if (slot === undefined) return this.placeInNewBlock(index, lot)
    this.#blocks[index]?.at(-1)?.push(lot)
    this.#states[index] = lineAfter(line, lot, slot)
  }

  /** Closes the block that is open and begins one with this lot. Throws a `RangeError` when it fits into no window. */
  placeInNewBlock(index: number, lot: Lot): void {
    const block = freshBlock(this.line(index), [lot], this.#rules)
    if (block === undefined) throw new RangeError(doesNotFit(lot, this.#rules))
    this.#blocks[index]?.push([lot])
    this.#states[index] = block.after
  }

  /** What was built. Of nothing at all it is one cleaning. */
  get arrangement(): Arrangement {
    return this.#blocks.every((line) => line.length === 0) ? [[[]]] : this.#blocks
  }
}

/** What to say of a lot that no window can hold. */
export function doesNotFit(lot: Lot, rules: Rules): string {
  return `lot ${lot.id} of ${lot.fillHours} h fits into no clean window of ${rules.windowHours} h`
}
