import type { Clock } from '../../clock.js'
import type { Records, StoredRecord } from '../engine.js'

interface Kept {
  readonly record: StoredRecord
  readonly until: number
}

/** Keyed records in a table. */
export class MemoryRecords implements Records {
  readonly #clock: Clock
  readonly #table = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return this.#live(key)
  }

  async put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined> {
    const held = this.#live(key)?.version ?? 0
    if (options.ifVersion !== undefined && options.ifVersion !== held) return undefined
    const version = held + 1
    this.#table.set(key, { record: { value, version }, until: this.#clock.now() + options.ttlMs })
    return version
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const record = this.#live(key)
    this.#table.delete(key)
    return record
  }

  sweep(): void {
    for (const key of this.#table.keys()) this.#live(key)
  }

  #live(key: string): StoredRecord | undefined {
    const kept = this.#table.get(key)
    if (kept === undefined || kept.until > this.#clock.now()) return kept?.record
    this.#table.delete(key)
    return undefined
  }
}
