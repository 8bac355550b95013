import type { Random } from '../../random.js'
import type { Block, BlockModel } from './block-model.js'

/** Blocks that hold each lot once, and which block each lot is in. */
export class Packing {
  readonly model: BlockModel
  readonly blocks: Block[] = []
  readonly #blockOf: Int32Array
  /** Cleanings and changeovers, in hours. */
  cost = 0
  energy = 0

  constructor(model: BlockModel, blocks: readonly Block[]) {
    this.model = model
    this.#blockOf = new Int32Array(model.fills.length)
    for (const block of blocks) this.#add(block)
  }

  /** Puts blocks in the place of those with these indices, which hold the same lots. */
  replace(indices: readonly number[], blocks: readonly Block[]): void {
    for (const index of indices.toSorted((a, b) => b - a)) this.#remove(index)
    for (const block of blocks) this.#add(block)
  }

  blockOf(lot: number): number {
    return this.#blockOf[lot] ?? 0
  }

  energyOf(blocks: readonly Block[]): number {
    let sum = 0
    for (const { fillHours, changeoverHours } of blocks) sum += this.model.energy(fillHours, changeoverHours)
    return sum
  }

  #add(block: Block): void {
    for (const lot of block.lots) this.#blockOf[lot] = this.blocks.length
    this.blocks.push(block)
    this.cost += this.model.cost(block)
    this.energy += this.model.energy(block.fillHours, block.changeoverHours)
  }

  #remove(index: number): void {
    const block = this.blocks[index]
    const last = this.blocks.pop()
    if (block === undefined || last === undefined) return
    this.cost -= this.model.cost(block)
    this.energy -= this.model.energy(block.fillHours, block.changeoverHours)
    if (last === block) return
    this.blocks[index] = last
    for (const lot of last.lots) this.#blockOf[lot] = index
  }
}

/** A whole number from 0 to below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}
