import type { Engine, LogTop } from '../engine/engine.js'
import { readCursor } from './cursors.js'
import type { EventLog } from './event-log.js'
import { inParallel } from './in-parallel.js'
import { TENANTS_MAX } from './places.js'
import type { Destination } from './destination.js'
import { knownReceivers } from './receivers.js'

/** What a trimmer works with. */
export interface LogTrimmerParts {
  readonly engine: Pick<Engine, 'records' | 'registers' | 'problem'>
  readonly log: Pick<EventLog, 'tenants' | 'tops' | 'first' | 'settle'>
  readonly onError: (error: unknown) => void
}

/** Events that have to be delivered to everybody before it is worth a write to let them go. */
const WORTH = 1_000

/** Tenants that are looked at at a time. */
const TENANTS_AT_ONCE = 16

/** Lets events go that everybody has who was there within a day: a log is kept for those who are behind, and short for those who are not. */
export class LogTrimmer {
  readonly #parts: LogTrimmerParts
  /** From where on the logs of tenants are kept, as far as that is known. */
  readonly #firsts = new Map<string, { readonly epoch: string; readonly first: number }>()
  #running: Promise<void> | undefined

  constructor(parts: LogTrimmerParts) {
    this.#parts = parts
  }

  /** Resolves when all logs were looked at, or could not be. One run at a time. */
  run(): Promise<void> {
    this.#running ??= this.#run()
      .catch(this.#parts.onError)
      .finally(() => (this.#running = undefined))
    return this.#running
  }

  async #run(): Promise<void> {
    const { engine, log } = this.#parts
    if (engine.problem() !== undefined) return
    const tenants = await log.tenants()
    const tops = await log.tops(tenants)
    // After the tops: a receiver that nobody knows of yet begins behind them.
    const receivers = await knownReceivers(engine)
    if (receivers === undefined || receivers.length === 0) return
    const places = tenants.flatMap((tenant, at) => {
      const top = tops[at]
      return top !== undefined && top.top.offset >= WORTH ? [{ tenant, top }] : []
    })
    await inParallel(places, TENANTS_AT_ONCE, ({ tenant, top }) => this.#trim(tenant, top, receivers))
  }

  async #trim(
    tenant: string,
    { epoch, top }: LogTop,
    receivers: readonly Pick<Destination, 'id' | 'tenant'>[],
  ): Promise<void> {
    const first = await this.#firstOf(tenant, epoch)
    const isWorth = (offset: number): boolean => offset - first + 1 >= WORTH
    let offset = top.offset
    for (const { id, tenant: only } of receivers) {
      if (!isWorth(offset)) return
      if (only === undefined || only === tenant) offset = Math.min(offset, await this.#delivered(id, tenant, epoch))
    }
    if (!isWorth(offset)) return
    await this.#parts.log.settle(tenant, { epoch, offset })
    this.#know(tenant, epoch, offset + 1)
  }

  /** Up to where a receiver has everything; 0 where that is not known, because it has not begun or is in another log. */
  async #delivered(receiver: string, tenant: string, epoch: string): Promise<number> {
    const { cursor } = await readCursor(this.#parts.engine, receiver, tenant)
    return cursor?.epoch === epoch ? cursor.offset : 0
  }

  async #firstOf(tenant: string, epoch: string): Promise<number> {
    const known = this.#firsts.get(tenant)
    if (known?.epoch === epoch) return known.first
    const first = await this.#parts.log.first(tenant)
    this.#know(tenant, epoch, first)
    return first
  }

  #know(tenant: string, epoch: string, first: number): void {
    if (this.#firsts.size >= TENANTS_MAX) this.#firsts.clear()
    this.#firsts.set(tenant, { epoch, first })
  }
}
