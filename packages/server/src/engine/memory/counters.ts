import type { Counters } from '../engine.js'

/** Counters in a table: the share of each node in each. */
export class MemoryCounters implements Counters {
  readonly #table = new Map<string, Map<string, number>>()

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async add(name: string, by: number, options: { node: string; max?: number }): Promise<number | undefined> {
    const { node, max = Infinity } = options
    const shares = this.#table.get(name) ?? new Map<string, number>()
    const [sum, share] = [sumOf(shares), shares.get(node) ?? 0]
    if (by > 0 && sum + by > max) return undefined
    const next = Math.max(share + by, 0)
    if (next === 0) shares.delete(node)
    else shares.set(node, next)
    if (shares.size === 0) this.#table.delete(name)
    else this.#table.set(name, shares)
    return sum - share + next
  }

  /** A node is gone: its shares go. */
  forget(node: string): void {
    for (const [name, shares] of this.#table) {
      shares.delete(node)
      if (shares.size === 0) this.#table.delete(name)
    }
  }
}

function sumOf(shares: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const share of shares.values()) sum += share
  return sum
}
