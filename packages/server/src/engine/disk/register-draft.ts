import type { RegisterRequest, RegisterTotals } from '../engine.js'
import { type KeptEntry, type MemoryRegisters, isLate } from '../memory/registers.js'
import type { Decision } from './draft.js'

interface Changed {
  /** What was entered, or removed (undefined), since the last write. */
  readonly entries: Map<string, KeptEntry | undefined>
  totals: RegisterTotals
}

/** The registers as they will be when everything decided since the last write is on the disk. */
export class RegisterDraft {
  readonly #registers: MemoryRegisters
  readonly #now: number
  readonly #changed = new Map<string, Changed>()

  /** Everything in it happens at `now`. */
  constructor(registers: MemoryRegisters, now: number) {
    this.#registers = registers
    this.#now = now
  }

  put(
    name: string,
    { key, value = '', amount = 0, rank = 0, ttlMs, entriesMax = Infinity }: RegisterRequest,
  ): Decision<(RegisterTotals & { readonly added: boolean }) | undefined> {
    const changed = this.#touch(name)
    const before = this.#entry(changed, name, key)
    if (isLate(before, value, rank)) return { entries: [], answer: { ...changed.totals, added: false } }
    if (before === undefined && changed.totals.entries >= entriesMax) return { entries: [], answer: undefined }
    const entry = { value, amount, rank, until: this.#now + ttlMs }
    this.#change(changed, key, before, entry)
    return {
      entries: [{ kind: 'enter', register: name, key, ...entry }],
      answer: { ...changed.totals, added: before === undefined },
    }
  }

  remove(name: string, key: string): Decision<RegisterTotals & { readonly removed: boolean }> {
    const changed = this.#touch(name)
    const before = this.#entry(changed, name, key)
    if (before === undefined) return { entries: [], answer: { ...changed.totals, removed: false } }
    this.#change(changed, key, before, undefined)
    return { entries: [{ kind: 'remove', register: name, key }], answer: { ...changed.totals, removed: true } }
  }

  #touch(name: string): Changed {
    const known = this.#changed.get(name)
    if (known !== undefined) return known
    const changed = { entries: new Map<string, KeptEntry | undefined>(), totals: this.#registers.sum(name) }
    this.#changed.set(name, changed)
    return changed
  }

  #entry({ entries }: Changed, name: string, key: string): KeptEntry | undefined {
    return entries.has(key) ? entries.get(key) : this.#registers.peek(name, key)
  }

  #change(changed: Changed, key: string, before: KeptEntry | undefined, after: KeptEntry | undefined): void {
    const { entries, amount } = changed.totals
    changed.entries.set(key, after)
    changed.totals = {
      entries: entries + (after ? 1 : 0) - (before ? 1 : 0),
      amount: amount + (after?.amount ?? 0) - (before?.amount ?? 0),
    }
  }
}
