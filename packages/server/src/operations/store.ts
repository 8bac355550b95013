import { type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'
import { SYSTEM } from '../core/services.js'
import type { Engine, Stream } from '../engine/engine.js'

/** What is stored of an operation beside its log. */
export interface StoredOperation {
  readonly snapshot: OperationSnapshot
  /** Users besides the owner who may watch and cancel. */
  readonly sharedWith: readonly string[]
}

/** How long an operation is kept, in milliseconds. */
export interface OperationRetention {
  readonly runningMs: number
  readonly completedMs: number
  readonly failedMs: number
}

/** Events kept per operation: enough to replay a short absence; each carries the whole snapshot. */
const EVENTS_KEPT = 100

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

/** Operations in the engine: a snapshot beside the log of the operation's channel, replaced in one step with the event that tells of it. */
export class OperationStore {
  readonly #engine: Engine
  readonly #retention: OperationRetention
  readonly #bytesMax: number

  constructor(engine: Engine, retention: OperationRetention, bytesMax: number) {
    this.#engine = engine
    this.#retention = retention
    this.#bytesMax = bytesMax
  }

  /** What is stored; undefined when there is no such operation in the tenant. */
  async read(tenant: string, id: string): Promise<StoredOperation | undefined> {
    if (!isOperationId(id)) return undefined
    const state = await this.#engine.state(this.#stream(tenant, id))
    return state && parseStored(state.value)
  }

  /**
   * Writes a snapshot as version `snapshot.version` and announces it. False when another writer was first: the version before it is
   * not the one stored.
   *
   * @throws HoldfastError `limit_exceeded` when the snapshot is too large for a message.
   */
  async write(stored: StoredOperation, event: OperationEvent): Promise<boolean> {
    const { snapshot } = stored
    const data = JSON.stringify(snapshot)
    if (Buffer.byteLength(data) > this.#bytesMax) {
      throw new HoldfastError('limit_exceeded', `the snapshot with its result must be at most ${this.#bytesMax} bytes`)
    }
    const ttlMs = this.#lifetime(snapshot)
    const outcome = await this.#engine.publish({
      stream: this.#stream(snapshot.tenant, snapshot.id),
      event,
      data,
      from: SYSTEM,
      at: snapshot.updatedAt,
      retention: { size: EVENTS_KEPT, ttlMs },
      state: { value: JSON.stringify(stored), ifVersion: snapshot.version - 1, ttlMs },
      final: isTerminal(snapshot.state),
    })
    return outcome.kind === 'published'
  }

  #stream(tenant: string, id: string): Stream {
    return { tenant, channel: operationChannel(id) }
  }

  #lifetime({ state }: OperationSnapshot): number {
    if (state === 'failed') return this.#retention.failedMs
    return isTerminal(state) ? this.#retention.completedMs : this.#retention.runningMs
  }
}

/** Reads what `write` stored. */
export function parseStored(value: string): StoredOperation {
  return JSON.parse(value) as StoredOperation
}
