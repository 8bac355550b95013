import type { Clock } from '../../clock.js'
import type { RegisterEntry, RegisterRequest, RegisterTotals, Registers } from '../engine.js'
import { Expiries } from './expiries.js'

/** An entry as it is kept. */
export interface KeptEntry {
  readonly value: string
  readonly amount: number
  readonly rank: number
  /** When it ends, in milliseconds since 1970. */
  readonly until: number
}

/** Ends noted beyond twice as many as there are entries, before they are noted anew: each renewal leaves one that no longer holds. */
const STALE_ENDS_MAX = 64

interface Register {
  /** Those written last stand last. */
  readonly entries: Map<string, KeptEntry>
  readonly ends: Expiries
  amount: number
}

/** Whether what is to be entered came too late for what is there. */
export function isLate(held: KeptEntry | undefined, value: string, rank: number): boolean {
  return held?.value === value && held.rank > rank
}

/** Registers in tables. */
export class MemoryRegisters implements Registers {
  readonly #clock: Pick<Clock, 'now'>
  readonly #registers = new Map<string, Register>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Entries held, in all registers. */
  get size(): number {
    let size = 0
    for (const { entries } of this.#registers.values()) size += entries.size
    return size
  }

  /** Registers that hold something. */
  get count(): number {
    return this.#registers.size
  }

  async put(
    name: string,
    { key, value = '', amount = 0, rank = 0, ttlMs, entriesMax = Infinity }: RegisterRequest,
  ): Promise<(RegisterTotals & { readonly added: boolean }) | undefined> {
    const held = this.peek(name, key)
    if (isLate(held, value, rank)) return { ...this.sum(name), added: false }
    const added = held === undefined
    if (added && this.sum(name).entries >= entriesMax) return undefined
    this.hold(name, key, { value, amount, rank, until: this.#clock.now() + ttlMs })
    return { ...this.sum(name), added }
  }

  async remove(name: string, key: string): Promise<RegisterTotals & { readonly removed: boolean }> {
    const removed = this.peek(name, key) !== undefined
    this.drop(name, key)
    return { ...this.sum(name), removed }
  }

  async totals(name: string): Promise<RegisterTotals> {
    return this.sum(name)
  }

  async list(name: string, limit: number): Promise<readonly RegisterEntry[]> {
    const listed: RegisterEntry[] = []
    for (const [key, { value, amount }] of this.#live(name)?.entries ?? []) {
      if (listed.length >= limit) break
      listed.push({ key, value, amount })
    }
    return listed
  }

  /** All registers with their entries, the oldest first. */
  tables(): { readonly size: number; entries(): Iterable<[name: string, entries: ReadonlyMap<string, KeptEntry>]> } {
    const registers = this.#registers
    return {
      size: registers.size,
      *entries() {
        for (const [name, { entries }] of registers) yield [name, entries]
      },
    }
  }

  /** An entry now, without waiting. */
  peek(name: string, key: string): KeptEntry | undefined {
    return this.#live(name)?.entries.get(key)
  }

  /** What a register holds now, without waiting. */
  sum(name: string): RegisterTotals {
    const register = this.#live(name)
    return { entries: register?.entries.size ?? 0, amount: register?.amount ?? 0 }
  }

  /** Puts an entry in place, whatever is there. */
  hold(name: string, key: string, entry: KeptEntry): void {
    const register = this.#registers.get(name) ?? {
      entries: new Map<string, KeptEntry>(),
      ends: new Expiries(),
      amount: 0,
    }
    this.#registers.set(name, register)
    register.amount += entry.amount - (register.entries.get(key)?.amount ?? 0)
    // Removed first, so that the table stays in order of age.
    register.entries.delete(key)
    register.entries.set(key, entry)
    register.ends.add(key, entry.until)
    if (register.ends.size > register.entries.size * 2 + STALE_ENDS_MAX) register.ends.reset(endsOf(register))
  }

  /** Removes an entry, if there is one. */
  drop(name: string, key: string): void {
    const register = this.#registers.get(name)
    const entry = register?.entries.get(key)
    if (register === undefined || entry === undefined) return
    register.entries.delete(key)
    register.amount -= entry.amount
    if (register.entries.size === 0) this.#registers.delete(name)
  }

  sweep(): void {
    for (const name of [...this.#registers.keys()]) this.#live(name)
  }

  /** A register without what has ended. */
  #live(name: string): Register | undefined {
    const register = this.#registers.get(name)
    if (register === undefined) return undefined
    const now = this.#clock.now()
    for (let key = register.ends.takeDue(now); key !== undefined; key = register.ends.takeDue(now))
      if ((register.entries.get(key)?.until ?? Infinity) <= now) this.drop(name, key)
    return this.#registers.get(name)
  }
}

function* endsOf({ entries }: Register): IterableIterator<[key: string, until: number]> {
  for (const [key, { until }] of entries) yield [key, until]
}
