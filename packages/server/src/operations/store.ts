import { type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'
import { SYSTEM } from '../core/services.js'
import type { Engine, Stream } from '../engine/engine.js'
import { dueAt } from './deadlines.js'
import { type OperationRecord, encodeRecord, parseRecord } from './record.js'

/** How long an operation is kept, in milliseconds. */
export interface OperationRetention {
  /** Without a worker, after which it is given up. */
  readonly runningMs: number
  readonly completedMs: number
  readonly failedMs: number
}

/** Events kept per operation: enough to replay a short absence; each carries the whole snapshot. */
const EVENTS_KEPT = 100

/** Bytes that are left to what happens to an operation after its beginning, or a quarter of a message where that is less. */
const ROOM_BYTES = 2_048

/** An id of dots alone could not be reached at its address: URLs resolve them. */
const OPERATION_ID = /^(?!\.+$)[A-Za-z0-9_.@~+=-]{1,128}$/

/** The channel of an operation. */
export function operationChannel(id: string): string {
  return `operation:${id}`
}

/** Whether this can be the id of an operation. */
export function isOperationId(id: string): boolean {
  return OPERATION_ID.test(id)
}

/** The name of an operation among those of all tenants. The tenant's length stands first, so that no two share it. */
export function operationKey(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}

/** Reads what `operationKey` wrote; undefined when it is none. */
export function parseOperationKey(key: string): { readonly tenant: string; readonly id: string } | undefined {
  const [, length] = /^(\d{1,9}):/.exec(key) ?? []
  if (length === undefined) return undefined
  const start = length.length + 1
  const end = start + Number(length)
  return { tenant: key.slice(start, end), id: key.slice(end) }
}

/** Operations in the engine: a record beside the log of the operation's channel, replaced in one step with the event that tells of it. */
export class OperationStore {
  readonly #engine: Engine
  readonly #retention: OperationRetention
  readonly #bytesMax: number
  readonly #room: number

  constructor(engine: Engine, retention: OperationRetention, bytesMax: number) {
    this.#engine = engine
    this.#retention = retention
    this.#bytesMax = bytesMax
    this.#room = Math.min(ROOM_BYTES, Math.floor(bytesMax / 4))
  }

  /** What is stored; undefined when there is no such operation in the tenant. */
  async read(tenant: string, id: string): Promise<OperationRecord | undefined> {
    if (!isOperationId(id)) return undefined
    const state = await this.#engine.state(this.stream(tenant, id))
    return state && parseRecord(state.value)
  }

  /**
   * Writes a record as version `snapshot.version` at `now` and announces its snapshot. False when another writer was first: the version before it is not the one stored.
   *
   * @throws HoldfastError `limit_exceeded` when the snapshot is too large for a message.
   */
  async write(record: OperationRecord, event: OperationEvent, now: number): Promise<boolean> {
    const { snapshot } = record
    const data = JSON.stringify(snapshot)
    const bytesMax = snapshot.version === 1 ? this.#bytesMax - this.#room : this.#bytesMax
    if (Buffer.byteLength(data) > bytesMax)
      throw new HoldfastError('limit_exceeded', `the snapshot with its result must be at most ${bytesMax} bytes`)
    const ttlMs = this.lifetime(record, now)
    const outcome = await this.#engine.publish({
      stream: this.stream(snapshot.tenant, snapshot.id),
      event,
      data,
      from: SYSTEM,
      at: snapshot.updatedAt,
      retention: { size: EVENTS_KEPT, ttlMs },
      state: { value: encodeRecord(record, data), ifVersion: snapshot.version - 1 - record.work.unstored, ttlMs },
      final: isTerminal(snapshot.state),
    })
    return outcome.kind === 'published'
  }

  /** How long a record is kept from now on: one that has not ended until long after it was to be looked at. */
  lifetime(record: OperationRecord, now: number): number {
    const { runningMs, completedMs, failedMs } = this.#retention
    const due = dueAt(record, runningMs)
    if (due !== undefined) return Math.max(0, due - now) + runningMs
    return isFailure(record.snapshot) ? failedMs : completedMs
  }

  /** Where an operation lies. */
  stream(tenant: string, id: string): Stream {
    return { tenant, channel: operationChannel(id) }
  }
}

function isFailure({ state }: OperationSnapshot): boolean {
  return state === 'failed' || state === 'expired'
}
