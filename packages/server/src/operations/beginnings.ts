import type { OperationEvent } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import type { Random } from '../random.js'
import { isAway } from './asking.js'
import type { OperationSpec } from './desk.js'
import type { Echo } from './echo.js'
import type { Family } from './family.js'
import type { Ledger } from './ledger.js'
import type { OperationPlaces } from './places.js'
import { type OperationRecord, showRecord } from './record.js'
import type { Register } from './register.js'
import { idInUse, newOperationId, recordOf } from './spec.js'
import { type OperationStore, operationKey } from './store.js'
import { isAfter } from './word.js'
import type { Writer } from './writer.js'

/** What beginnings work with. */
export interface BeginningsParts {
  readonly clock: Clock
  readonly random: Random
  readonly leaseMs: number
  readonly store: OperationStore
  readonly ledger: Ledger
  readonly register: Register
  readonly family: Family
  readonly echo: Echo
  readonly places: OperationPlaces
  /** Asked before an operation begins; answers what to call when it has ended. Rejects when the tenant may not begin another. */
  readonly admit: ((tenant: string) => Promise<() => void>) | undefined
  readonly onError: (error: unknown) => void
}

/** How operations begin, each once, whatever answers are lost. */
export class Beginnings {
  readonly #parts: BeginningsParts
  /** Whose stop was asked for while its beginning was on its way. */
  readonly #starting = new Map<string, { isCancelled: boolean }>()

  constructor(parts: BeginningsParts) {
    this.#parts = parts
  }

  /** Somebody asked an operation to stop: if it is just beginning, its worker learns of that with it. */
  cancelAsked(tenant: string, id: string): void {
    const starting = this.#starting.get(operationKey(tenant, id))
    if (starting !== undefined) starting.isCancelled = true
  }

  /** Begins an operation. Where to look for it is stored first: an operation that nobody looks at could stay for ever. */
  async begin(tenant: string, spec: OperationSpec, entry?: string): Promise<Writer> {
    const { clock, random, leaseMs, admit, family, register, places } = this.#parts
    const id = spec.id ?? newOperationId(spec.kind, random.id(6))
    const now = clock.now()
    const first = recordOf(tenant, id, spec, { now, leaseMs, entry, stamp: random.id(6) })
    const alone = { ...first, snapshot: showRecord(first, now, 1) }
    const key = operationKey(tenant, id)
    const repeated = spec.id === undefined ? undefined : await this.#repeated(tenant, id, entry)
    if (repeated) return repeated
    const leave = await admit?.(tenant)
    const starting = { isCancelled: false }
    try {
      const record = await family.placed(alone)
      await Promise.all([register.enter(record), register.due(record)])
      this.#starting.set(key, starting)
      const event = spec.queued ? 'progress' : 'started'
      if (!(await this.#writeFirst(record, event, now))) {
        // Two nodes may have read the same entry at the same time.
        const begun = await this.#repeated(tenant, id, entry)
        if (begun === undefined) throw idInUse(id)
        leave?.()
        return begun
      }
      if (leave) places.take(tenant, id, leave)
      return await this.#begun(record, event, starting.isCancelled)
    } catch (error) {
      leave?.()
      throw error
    } finally {
      this.#starting.delete(key)
    }
  }

  /** Whether this began it. Whoever lost the answer looks; another that was first has to be looked at when it says. */
  async #writeFirst(record: OperationRecord, event: OperationEvent, now: number): Promise<boolean> {
    const { tenant, id } = record.snapshot
    const [stamp = ''] = record.work.stamps
    const outcome = await this.#parts.store.write(record, event, now).catch((error: unknown) => ({ error }))
    if (outcome === true) return true
    if (outcome !== false && !isAway(outcome.error)) throw outcome.error
    const stored = await this.#parts.store.read(tenant, id)
    if (stored?.work.stamps.includes(stamp)) return true
    if (outcome !== false) throw outcome.error
    if (stored) await this.#parts.register.due(stored)
    return false
  }

  /** The operation, if this entry has begun it before. @throws HoldfastError `bad_request` when something else has. */
  async #repeated(tenant: string, id: string, entry: string | undefined): Promise<Writer | undefined> {
    const stored = await this.#parts.store.read(tenant, id)
    if (stored === undefined) return undefined
    const last = stored.work.entry
    if (entry === undefined || last === undefined || isAfter(entry, last)) throw idInUse(id)
    return this.#parts.ledger.find(tenant, id)
  }

  async #begun(record: OperationRecord, event: OperationEvent, isCancelled: boolean): Promise<Writer> {
    const { parent } = record.snapshot
    const writer = this.#parts.ledger.adopt(record)
    // If that fails, the worker learns of it with its next word.
    if (isCancelled) await writer.refresh().catch(this.#parts.onError)
    this.#parts.echo.tell(record, event)
    // Its parent must not complete before it: whoever began it may rely on that.
    if (parent !== undefined) await this.#parts.family.tellParent(record).catch(this.#parts.onError)
    return writer
  }
}
