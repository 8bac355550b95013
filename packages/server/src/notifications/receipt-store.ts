import { HoldfastError } from '../core/errors.js'
import type { Engine, Stream } from '../engine/engine.js'
import { DUE, KEPT_MS, dueKey, openOf, readDueKey, recordOf, roomOf } from './places.js'
import { type ReceiptRecord, hasEnded, readReceiptRecord } from './receipt.js'

/** What a store of receipts works with. */
export interface ReceiptStoreParts {
  readonly engine: Pick<Engine, 'records' | 'indexes' | 'registers'>
  readonly now: () => number
  /** Open receipts of one tenant. */
  readonly receiptsMax: number
}

/** Which receipt. */
export interface ReceiptName {
  readonly tenant: string
  readonly id: string
}

/** How often a change is tried that others make, too, at the same moment. */
const TRIES = 20

/** Open receipts of an inbox that are read at a time. */
const OPEN_LIMIT = 100

/** Receipts of all tenants in the engine: a record each, found by when it is due, and by its place in the inbox while it is open. Every method rejects when the engine refuses. */
export class ReceiptStore {
  readonly #parts: ReceiptStoreParts

  constructor(parts: ReceiptStoreParts) {
    this.#parts = parts
  }

  async find(tenant: string, id: string): Promise<ReceiptRecord | undefined> {
    const stored = await this.#parts.engine.records.get(recordOf(tenant, id))
    return stored && readReceiptRecord(stored.value)
  }

  /**
   * Enters a new receipt, to be looked at when `dueAt` is over; false when there is one of this id.
   *
   * @throws HoldfastError `limit_exceeded` when the tenant has as many as it may.
   */
  async enter(tenant: string, record: ReceiptRecord, dueAt: number): Promise<boolean> {
    const { engine, receiptsMax } = this.#parts
    const ttlMs = this.#lifeOf(record)
    // First, so that whoever dies on the way leaves it to the others.
    await this.plan(tenant, record, dueAt)
    const room = await engine.registers.put(roomOf(tenant), { key: record.id, ttlMs, entriesMax: receiptsMax })
    if (room !== undefined) return this.#put(tenant, record, 0)
    await this.settle({ tenant, id: record.id })
    throw new HoldfastError('limit_exceeded', `a tenant must have at most ${receiptsMax} open receipts`)
  }

  /** Replaces a record by what `change` makes of it, and answers that; undefined where there is none, or `change` answers none. It may be called again. */
  async change(
    { tenant, id }: ReceiptName,
    change: (record: ReceiptRecord) => ReceiptRecord | undefined,
  ): Promise<ReceiptRecord | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const stored = await this.#parts.engine.records.get(recordOf(tenant, id))
      const record = stored && readReceiptRecord(stored.value)
      const changed = record && change(record)
      if (stored === undefined || changed === undefined) return undefined
      if (await this.#put(tenant, changed, stored.version)) return changed
    }
    throw new HoldfastError('engine_unavailable', 'the receipt could not be changed')
  }

  /** Has a receipt looked at when `dueAt` is over. */
  plan(tenant: string, record: ReceiptRecord, dueAt: number): Promise<void> {
    const entry = { key: dueKey(tenant, record.id), score: dueAt, ttlMs: this.#lifeOf(record) }
    return this.#parts.engine.indexes.put(DUE, entry)
  }

  /** Receipts that are due, the longest first. */
  async due(limit: number): Promise<readonly ReceiptName[]> {
    const entries = await this.#parts.engine.indexes.range(DUE, { to: this.#parts.now(), limit })
    return entries.map(({ key }) => readDueKey(key)).filter((name) => name !== undefined)
  }

  /** Nobody need look at it any more. */
  async settle({ tenant, id }: ReceiptName): Promise<void> {
    await this.#parts.engine.indexes.remove(DUE, dueKey(tenant, id))
  }

  /** Finds it by its place in the inbox from now on. */
  open(tenant: string, record: ReceiptRecord): Promise<void> {
    const entry = { key: record.id, score: record.offset, ttlMs: this.#lifeOf(record) }
    return this.#parts.engine.indexes.put(openOf({ tenant, channel: record.channel }), entry)
  }

  /** It is open no more. */
  async close(tenant: string, { id, channel }: Pick<ReceiptRecord, 'id' | 'channel'>): Promise<void> {
    const { indexes, registers } = this.#parts.engine
    await Promise.all([indexes.remove(openOf({ tenant, channel }), id), registers.remove(roomOf(tenant), id)])
  }

  /** The ids of the oldest open receipts of an inbox, up to an offset. */
  async openUpTo(inbox: Stream, offset: number): Promise<readonly string[]> {
    const entries = await this.#parts.engine.indexes.range(openOf(inbox), { to: offset, limit: OPEN_LIMIT })
    return entries.map(({ key }) => key)
  }

  /** Forgets one that was never sent. */
  async forget(name: ReceiptName): Promise<void> {
    const { records, registers } = this.#parts.engine
    await records.take(recordOf(name.tenant, name.id))
    await registers.remove(roomOf(name.tenant), name.id)
    await this.settle(name)
  }

  async #put(tenant: string, record: ReceiptRecord, ifVersion: number): Promise<boolean> {
    const options = { ttlMs: this.#lifeOf(record), ifVersion }
    const key = recordOf(tenant, record.id)
    return (await this.#parts.engine.records.put(key, JSON.stringify(record), options)) !== undefined
  }

  #lifeOf(record: ReceiptRecord): number {
    const end = hasEnded(record) ? (record.endedAt ?? record.expiresAt) : record.expiresAt
    return Math.max(1_000, end + KEPT_MS - this.#parts.now())
  }
}
