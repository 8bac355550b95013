import type { Clock } from '../../clock.js'
import type { Records, StoredRecord } from '../engine.js'

interface Kept {
  readonly record: StoredRecord
  readonly until: number
}

/** Characters that the records hold together; beyond it the oldest goes early. Whoever connects and leaves again and again leaves sessions behind. */
const CHARACTERS_MAX = 134_217_728

/** Keyed records in a table. */
export class MemoryRecords implements Records {
  readonly #clock: Clock
  readonly #charactersMax: number
  readonly #table = new Map<string, Kept>()
  #characters = 0

  constructor(clock: Clock, charactersMax: number = CHARACTERS_MAX) {
    this.#clock = clock
    this.#charactersMax = charactersMax
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return this.#live(key)
  }

  async put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined> {
    const held = this.#live(key)?.version ?? 0
    if (options.ifVersion !== undefined && options.ifVersion !== held) return undefined
    const version = held + 1
    // Removed first, so that the table stays in order of age.
    this.#remove(key)
    this.#table.set(key, { record: { value, version }, until: this.#clock.now() + options.ttlMs })
    this.#characters += key.length + value.length
    if (this.#characters > this.#charactersMax) this.#removeOldest()
    return version
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const record = this.#live(key)
    this.#remove(key)
    return record
  }

  sweep(): void {
    for (const key of this.#table.keys()) this.#live(key)
  }

  #live(key: string): StoredRecord | undefined {
    const kept = this.#table.get(key)
    if (kept === undefined || kept.until > this.#clock.now()) return kept?.record
    this.#remove(key)
    return undefined
  }

  #remove(key: string): void {
    const kept = this.#table.get(key)
    if (kept === undefined) return
    this.#table.delete(key)
    this.#characters -= key.length + kept.record.value.length
  }

  /** The newest stays, whatever its size. */
  #removeOldest(): void {
    for (const key of this.#table.keys()) {
      if (this.#characters <= this.#charactersMax || this.#table.size === 1) return
      this.#remove(key)
    }
  }
}
