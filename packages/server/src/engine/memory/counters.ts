import type { Counters } from '../engine.js'

/** Counters in a table. */
export class MemoryCounters implements Counters {
  readonly #table = new Map<string, number>()

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async add(name: string, by: number, max: number = Infinity): Promise<number | undefined> {
    const sum = (this.#table.get(name) ?? 0) + by
    if (by > 0 && sum > max) return undefined
    if (sum <= 0) this.#table.delete(name)
    else this.#table.set(name, sum)
    return Math.max(sum, 0)
  }
}
