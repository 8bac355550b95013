import type { Clock } from '../../clock.js'
import type { RegisterEntry, RegisterRequest, RegisterTotals, Registers } from '../engine.js'

/** An entry as it is kept. */
export interface KeptEntry {
  readonly value: string
  readonly amount: number
  /** When it ends, in milliseconds since 1970. */
  readonly until: number
}

/** Registers in tables. */
export class MemoryRegisters implements Registers {
  readonly #clock: Pick<Clock, 'now'>
  readonly #tables = new Map<string, Map<string, KeptEntry>>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Entries held, in all registers. */
  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  async put(
    name: string,
    { key, value = '', amount = 0, ttlMs, entriesMax = Infinity }: RegisterRequest,
  ): Promise<(RegisterTotals & { readonly added: boolean }) | undefined> {
    const table = this.#live(name)
    const added = !table.has(key)
    if (added && table.size >= entriesMax) return undefined
    table.set(key, { value, amount, until: this.#clock.now() + ttlMs })
    this.#tables.set(name, table)
    return { ...totalsOf(table), added }
  }

  async remove(name: string, key: string): Promise<RegisterTotals & { readonly removed: boolean }> {
    const table = this.#live(name)
    const removed = table.delete(key)
    if (table.size === 0) this.#tables.delete(name)
    return { ...totalsOf(table), removed }
  }

  async totals(name: string): Promise<RegisterTotals> {
    return totalsOf(this.#live(name))
  }

  async list(name: string, limit: number): Promise<readonly RegisterEntry[]> {
    const entries = [...this.#live(name)].slice(0, limit)
    return entries.map(([key, { value, amount }]) => ({ key, value, amount }))
  }

  sweep(): void {
    for (const name of [...this.#tables.keys()]) this.#live(name)
  }

  /** A register without what has ended. */
  #live(name: string): Map<string, KeptEntry> {
    const table = this.#tables.get(name)
    if (table === undefined) return new Map()
    const now = this.#clock.now()
    for (const [key, { until }] of table) if (until <= now) table.delete(key)
    if (table.size === 0) this.#tables.delete(name)
    return table
  }
}

function totalsOf(table: ReadonlyMap<string, KeptEntry>): RegisterTotals {
  let amount = 0
  for (const entry of table.values()) amount += entry.amount
  return { entries: table.size, amount }
}
