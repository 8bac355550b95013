import type { Block, BlockModel } from './block-model.js'

/** So many lots are packed anew exactly where changeovers know two lengths; 2^12 sets are looked at. */
export const REPACK_LOTS_MAX = 12

/** The same with a matrix, where each set needs its shortest order, too. */
export const REPACK_LOTS_MAX_ORDERED = 9

/**
 * The best packing of a few lots into blocks, found exactly: the least energy of every set of lots is the least, over the blocks that its first lot can be in, of the energy of that block and
 * of the rest (a recursion over subsets). `concentration` multiplies the bonus for full blocks; another one gives another of the packings that cost the same.
 */
export class Repacker {
  readonly #model: BlockModel
  readonly #energy: Float64Array
  readonly #fill: Float64Array
  readonly #changeover: Float64Array
  readonly #types: Int32Array
  readonly #least: Float64Array
  readonly #choice: Int32Array
  readonly #path: Float64Array

  constructor(model: BlockModel) {
    this.#model = model
    const sets = 1 << REPACK_LOTS_MAX
    this.#energy = new Float64Array(sets)
    this.#fill = new Float64Array(sets)
    this.#changeover = new Float64Array(sets)
    this.#types = new Int32Array(sets)
    this.#least = new Float64Array(sets)
    this.#choice = new Int32Array(sets)
    this.#path = new Float64Array((1 << REPACK_LOTS_MAX_ORDERED) * REPACK_LOTS_MAX_ORDERED)
  }

  /** How many lots it takes at once. */
  get lotsMax(): number {
    return this.#model.twoLevels === undefined ? REPACK_LOTS_MAX_ORDERED : REPACK_LOTS_MAX
  }

  repack(lots: readonly number[], concentration: number): Block[] {
    const sets = 1 << lots.length
    this.#measure(lots, sets)
    const starting = this.#fitting(lots.length, sets, concentration)
    this.#least[0] = 0
    for (let set = 1; set < sets; set++) {
      const first = 31 - Math.clz32(set)
      const blocks = starting[first] ?? []
      this.#least[set] = Infinity
      if (blocks.length > sets / 16) this.#chooseOfSubsets(set, 1 << first)
      else this.#chooseOf(set, blocks)
    }
    return this.#blocks(lots, sets - 1)
  }

  #chooseOf(set: number, blocks: readonly number[]): void {
    for (const block of blocks) if ((block & set) === block) this.#consider(set, block)
  }

  #chooseOfSubsets(set: number, first: number): void {
    const others = set ^ first
    for (let some = others; ; some = (some - 1) & others) {
      this.#consider(set, some | first)
      if (some === 0) return
    }
  }

  #consider(set: number, block: number): void {
    const energy = (this.#energy[block] ?? Infinity) + (this.#least[set ^ block] ?? 0)
    if (energy >= (this.#least[set] ?? Infinity)) return
    this.#least[set] = energy
    this.#choice[set] = block
  }

  /** Fills and changeovers of every set. */
  #measure(lots: readonly number[], sets: number): void {
    const { fills, types, twoLevels } = this.#model
    const local = lots.map((lot) => 1 << lots.findIndex((other) => types[other] === types[lot]))
    for (let set = 1; set < sets; set++) {
      const first = 31 - Math.clz32(set)
      const rest = set ^ (1 << first)
      this.#fill[set] = (rest === 0 ? 0 : (this.#fill[rest] ?? 0)) + (fills[lots[first] ?? 0] ?? 0)
      if (twoLevels === undefined) continue
      const before = rest === 0 ? 0 : (this.#types[rest] ?? 0)
      const type = local[first] ?? 0
      this.#types[set] = before | type
      const hours = rest === 0 ? 0 : (before & type) === 0 ? twoLevels.different : twoLevels.same
      this.#changeover[set] = (rest === 0 ? 0 : (this.#changeover[rest] ?? 0)) + hours
    }
    if (twoLevels === undefined) this.#measureOrders(lots, sets)
  }

  /** The shortest order of every set that ends with each of its lots (M. Held and R. Karp, 1962). */
  #measureOrders(lots: readonly number[], sets: number): void {
    const count = lots.length
    for (let set = 1; set < sets; set++) {
      let shortest = Infinity
      for (let last = 0; last < count; last++) {
        const hours = this.#shortestTo(lots, set, last)
        this.#path[set * count + last] = hours
        if (hours < shortest) shortest = hours
      }
      this.#changeover[set] = shortest
    }
  }

  #shortestTo(lots: readonly number[], set: number, last: number): number {
    if ((set & (1 << last)) === 0) return Infinity
    const rest = set ^ (1 << last)
    if (rest === 0) return 0
    let shortest = Infinity
    for (let before = 0; before < lots.length; before++) {
      if ((rest & (1 << before)) === 0) continue
      const hours = (this.#path[rest * lots.length + before] ?? 0) + this.#model.between(lots[before], lots[last])
      if (hours < shortest) shortest = hours
    }
    return shortest
  }

  /** Sets that fit into a window, by the last of their lots. */
  #fitting(count: number, sets: number, concentration: number): number[][] {
    const fitting: number[][] = Array.from({ length: count }, () => [])
    const model = this.#model
    for (let set = 1; set < sets; set++) {
      const fillHours = this.#fill[set] ?? 0
      const hours = this.#changeover[set] ?? 0
      this.#energy[set] = Infinity
      if (fillHours + hours > model.windowHours + 1e-9) continue
      const plain = model.cleanHours + hours
      this.#energy[set] = plain + concentration * (model.energy(fillHours, hours) - plain)
      fitting[31 - Math.clz32(set)]?.push(set)
    }
    return fitting
  }

  #blocks(lots: readonly number[], all: number): Block[] {
    const blocks: Block[] = []
    for (let left = all; left !== 0; left ^= this.#choice[left] ?? left) {
      blocks.push(this.#model.inOrder(this.#ordered(lots, this.#choice[left] ?? left)))
    }
    return blocks
  }

  #ordered(lots: readonly number[], set: number): number[] {
    if (this.#model.twoLevels === undefined) return this.#shortestOrder(lots, set)
    const { types } = this.#model
    const inside = lots.filter((_, index) => (set & (1 << index)) !== 0)
    return inside.toSorted((a, b) => (types[a] ?? 0) - (types[b] ?? 0) || a - b)
  }

  #shortestOrder(lots: readonly number[], set: number): number[] {
    const order: number[] = []
    let left = set
    while (left !== 0) {
      const next = order[0]
      let best = -1
      let shortest = Infinity
      for (let last = 0; last < lots.length; last++) {
        if ((left & (1 << last)) === 0) continue
        const hours = (this.#path[left * lots.length + last] ?? 0) + this.#model.between(lots[last], next)
        if (hours < shortest) [best, shortest] = [last, hours]
      }
      order.unshift(lots[best] ?? 0)
      left ^= 1 << best
    }
    return order
  }
}
