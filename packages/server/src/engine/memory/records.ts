import type { Clock } from '../../clock.js'
import type { Records, StoredRecord } from '../engine.js'

/** A record, and when it ends (milliseconds since 1970). */
export interface KeptRecord {
  readonly record: StoredRecord
  readonly until: number
}

/** Characters that the records hold together; beyond it the oldest goes early. Whoever connects and leaves again and again leaves sessions behind. */
const CHARACTERS_MAX = 134_217_728

/** Keyed records in a table. */
export class MemoryRecords implements Records {
  readonly #clock: Clock
  readonly #charactersMax: number
  readonly #table = new Map<string, KeptRecord>()
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
    return this.peek(key)
  }

  async put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined> {
    const held = this.peek(key)?.version ?? 0
    if (options.ifVersion !== undefined && options.ifVersion !== held) return undefined
    const version = held + 1
    this.hold(key, { value, version }, this.#clock.now() + options.ttlMs)
    return version
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const record = this.peek(key)
    this.drop(key)
    return record
  }

  /** All records, the oldest first, with the time when each ends. */
  entries(): IterableIterator<[string, KeptRecord]> {
    return this.#table.entries()
  }

  /** The record now, without waiting. */
  peek(key: string): StoredRecord | undefined {
    const kept = this.#table.get(key)
    if (kept === undefined || kept.until > this.#clock.now()) return kept?.record
    this.drop(key)
    return undefined
  }

  /** Puts a record in place, whatever is there. */
  hold(key: string, record: StoredRecord, until: number): void {
    // Removed first, so that the table stays in order of age.
    this.drop(key)
    this.#table.set(key, { record, until })
    this.#characters += key.length + record.value.length
    if (this.#characters > this.#charactersMax) this.#removeOldest()
  }

  /** Removes a record, if there is one. */
  drop(key: string): void {
    const kept = this.#table.get(key)
    if (kept === undefined) return
    this.#table.delete(key)
    this.#characters -= key.length + kept.record.value.length
  }

  sweep(): void {
    for (const key of this.#table.keys()) this.peek(key)
  }

  /** The newest stays, whatever its size. */
  #removeOldest(): void {
    for (const key of this.#table.keys()) {
      if (this.#characters <= this.#charactersMax || this.#table.size === 1) return
      this.drop(key)
    }
  }
}
