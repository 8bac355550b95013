import type { Instance } from './instance.js'

/** So many counts are remembered; then it begins anew. */
const MEMORY_MAX = 200_000

/** Up to this many hours two orders count as equally long. */
const TIE_HOURS = 1e-12

/**
 * What the changeovers of a block take at least, and in which order of types they take that. Lots of a type are alike here, so counts decide: with two levels by a formula, with a matrix by dynamic
 * programming over the counts that are left and the type filled last (Held and Karp, on counts instead of sets).
 */
export class BlockOrder {
  readonly #instance: Instance
  /** By counts: for each type the least hours of an order of these lots that ends with the type. */
  readonly #ends = new Map<string, readonly number[]>()

  constructor(instance: Instance) {
    this.#instance = instance
  }

  /** Hours of changeovers in a block with so many lots of each type; 0 for a block with one lot. */
  hours(counts: readonly number[]): number {
    const { levels } = this.#instance
    if (levels === undefined) return this.#cheapest(counts)
    let lots = 0
    let types = 0
    for (const count of counts) {
      lots += count
      if (count > 0) types++
    }
    if (lots === 0) return 0
    return levels.sameHours * (lots - 1) + (levels.differentHours - levels.sameHours) * (types - 1)
  }

  /** The types of the lots, one after the other, in an order that takes no longer than `hours`. */
  order(counts: readonly number[]): number[] {
    if (this.#instance.levels !== undefined) return counts.flatMap((count, type) => Array<number>(count).fill(type))
    const left = [...counts]
    let last = this.#endOf(this.#endings(left))
    const order: number[] = []
    while (last !== undefined) {
      order.push(last)
      const to = last
      const hours = this.#endings(left)[to] ?? 0
      left[to] = (left[to] ?? 0) - 1
      const before = this.#endings(left)
      last = before.findIndex((least, from) => least + this.#between(from, to) <= hours + TIE_HOURS)
      if (last < 0) last = undefined
    }
    return order.toReversed()
  }

  #cheapest(counts: readonly number[]): number {
    const endings = this.#endings(counts)
    const hours = Math.min(...endings)
    return Number.isFinite(hours) ? hours : 0
  }

  #endOf(endings: readonly number[]): number | undefined {
    const hours = Math.min(...endings)
    return Number.isFinite(hours) ? endings.indexOf(hours) : undefined
  }

  #between(from: number, to: number): number {
    return this.#instance.changeover[from]?.[to] ?? 0
  }

  #endings(counts: readonly number[]): readonly number[] {
    const key = counts.join()
    const known = this.#ends.get(key)
    if (known !== undefined) return known
    if (this.#ends.size > MEMORY_MAX) this.#ends.clear()
    const endings = counts.map((count, to) => (count === 0 ? Infinity : this.#ending(counts, to)))
    this.#ends.set(key, endings)
    return endings
  }

  #ending(counts: readonly number[], to: number): number {
    const left = counts.with(to, (counts[to] ?? 0) - 1)
    if (left.every((count) => count === 0)) return 0
    return this.#endings(left).reduce(
      (least, hours, from) => Math.min(least, hours + this.#between(from, to)),
      Infinity,
    )
  }
}
