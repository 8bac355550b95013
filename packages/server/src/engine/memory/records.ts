import type { Clock } from '../../clock.js'
import type { Records, StoredRecord } from '../engine.js'

interface Kept extends StoredRecord {
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
    this.#table.set(key, { value, version: held + 1, until: this.#clock.now() + options.ttlMs })
    return held + 1
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const kept = this.#live(key)
    this.#table.delete(key)
    return kept
  }

  sweep(): void {
    for (const key of this.#table.keys()) this.#live(key)
  }

  #live(key: string): Kept | undefined {
    const kept = this.#table.get(key)
    if (kept === undefined || kept.until > this.#clock.now()) return kept
    this.#table.delete(key)
    return undefined
  }
}
