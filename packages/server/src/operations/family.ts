import { isTerminal } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'
import type { Ledger } from './ledger.js'
import type { OperationRecord } from './record.js'
import type { Word } from './word.js'

/** What a family works with. */
export interface FamilyParts {
  readonly ledger: Ledger
  readonly childrenMax: number
  /** Asks an operation to stop; false when there is none or it has ended. */
  readonly cancel: (tenant: string, id: string) => Promise<boolean>
}

/** Operations and those that they are a part of. */
export class Family {
  readonly #parts: FamilyParts

  constructor(parts: FamilyParts) {
    this.#parts = parts
  }

  /** The record of an operation that is to begin, with what it needs to know of the one above it. @throws HoldfastError where that is none that could have it. */
  async placed(record: OperationRecord): Promise<OperationRecord> {
    const { tenant, parent } = record.snapshot
    if (parent === undefined) return record
    const above = (await this.#parts.ledger.find(tenant, parent))?.record
    if (above === undefined) throw new HoldfastError('bad_request', 'parent must be an operation of the tenant')
    if (isTerminal(above.snapshot.state)) throw new HoldfastError('already_ended', 'the parent has ended')
    const { childrenMax } = this.#parts
    if (Object.keys(above.work.children ?? {}).length >= childrenMax)
      throw new HoldfastError('limit_exceeded', `an operation must have at most ${childrenMax} children`)
    return { ...record, work: { ...record.work, parentSince: above.work.createdAt } }
  }

  /** Tells the operation above how far this one is. Resolves when that is taken, or stored where this one has just begun or has ended. */
  async tellParent({ snapshot, work }: OperationRecord): Promise<void> {
    const { tenant, id, parent = '', state } = snapshot
    const above = await this.#parts.ledger.find(tenant, parent)
    // Ids are free again when what had them is forgotten: another operation must neither see this one nor stop it.
    if (above === undefined || above.record.work.createdAt !== (work.parentSince ?? above.record.work.createdAt)) return
    const word: Word = { do: 'child', id, weight: work.weight, fraction: work.progress.fraction, state }
    const isFirst = !Object.hasOwn(above.stored.work.children ?? {}, id)
    const { kind } = above.say(word)
    if (kind === 'changed' && (isFirst || isTerminal(state))) await above.written()
    const isStopping = above.record.snapshot.cancelRequested === true
    if (isStopping && !isTerminal(state) && !snapshot.cancelRequested) await this.#parts.cancel(tenant, id)
  }

  /** Asks what is below an operation to stop, too. */
  async cancelChildren({ snapshot, work }: OperationRecord): Promise<void> {
    const live = Object.entries(work.children ?? {}).filter(([, [, , state]]) => !isTerminal(state))
    await Promise.all(live.map(([child]) => this.#parts.cancel(snapshot.tenant, child)))
  }
}
