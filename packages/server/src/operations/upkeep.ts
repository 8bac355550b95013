import { type OperationEvent, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import { asked } from './asking.js'
import { type Sighting, type View, hasLapsed } from './deadlines.js'
import type { Echo } from './echo.js'
import type { Ledger } from './ledger.js'
import type { OperationPlaces } from './places.js'
import type { OperationRecord } from './record.js'
import type { Register } from './register.js'
import type { Writer } from './writer.js'

/** What upkeep works with. */
export interface UpkeepParts {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly register: Register
  readonly echo: Echo
  readonly places: OperationPlaces
  /** Milliseconds after which an operation that nobody has is given up. */
  readonly idleMs: number
  /** An operation has ended that has its place on another node. */
  readonly onEnded: ((tenant: string, id: string) => void) | undefined
  readonly onError: (error: unknown) => void
}

/** After which what follows from an end is looked at again, if it was not done. */
const FOLLOW_UP_MS = 5_000

/** What follows from what was written, and from time: who is told of it, where it is found, and when it is looked at. */
export class Upkeep {
  readonly #parts: UpkeepParts
  /** What follows from ends, on its way. */
  readonly #following = new Set<Promise<void>>()

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Resolves when what follows from the ends so far was tried. */
  async settled(): Promise<void> {
    await Promise.all(this.#following)
  }

  /** Something was written by this node. */
  written(record: OperationRecord, event: OperationEvent): void {
    const { clock, idleMs, onError } = this.#parts
    if (isTerminal(record.snapshot.state)) {
      const following = this.#followUp(record).catch(onError)
      this.#following.add(following)
      return void following.then(() => this.#following.delete(following))
    }
    this.#parts.echo.tell(record, event)
    const { tenant, id } = record.snapshot
    const writer = this.#parts.ledger.here(tenant, id)
    const isOld = writer !== undefined && clock.now() - writer.enteredAt >= idleMs / 4
    if (!isOld && !['started', 'stalled', 'resumed'].includes(event)) return
    if (writer) writer.enteredAt = clock.now()
    this.#parts.register.enter(record).catch(onError)
    if (event !== 'started') this.#parts.register.due(record).catch(onError)
  }

  /** Does what follows from an end: tells it where it is to be told, and forgets when to look. Until that is done it stays due, on whichever node. */
  async #followUp(record: OperationRecord): Promise<void> {
    const { tenant, id } = record.snapshot
    if (!this.#parts.places.leave(tenant, id)) this.#parts.onEnded?.(tenant, id)
    await Promise.all([this.#parts.echo.tellEnd(record), this.#parts.register.enter(record)])
    await this.#parts.register.settled(tenant, id)
  }

  /** What nobody had was to be looked at much later; whoever takes it up or ends it may die right after that. */
  async dueSoonIfIdle(tenant: string, id: string): Promise<void> {
    const writer = await asked(this.#parts.ledger.find(tenant, id))
    if (writer?.record.work.idleSince === undefined) return
    const soonMs = Math.min(FOLLOW_UP_MS, writer.record.work.leaseMs)
    await asked(this.#parts.register.due(writer.record, this.#parts.clock.now() + soonMs))
  }

  /** An operation is due. Answers what to remember of it until the next look. */
  async look(tenant: string, id: string, view: View): Promise<Sighting | undefined> {
    const { seen } = view
    const known = this.#parts.ledger.here(tenant, id)
    await known?.refresh()
    const writer = known ?? (await this.#parts.ledger.find(tenant, id))
    if (writer === undefined || writer.isGone) return this.#parts.register.absent(tenant, id, seen)
    if (isTerminal(writer.stored.snapshot.state)) return void (await this.#followUp(writer.stored))
    const now = this.#parts.clock.now()
    const { version } = writer.record.snapshot
    const isLapsed = hasLapsed(writer.record, now, view)
    const ruling = writer.say({ do: 'due', lapsed: isLapsed ? version : undefined })
    if (ruling.kind === 'changed') await writer.written()
    const { stored } = writer
    if (!isTerminal(stored.snapshot.state)) await this.#parts.register.due(writer.record)
    if (writer.record.work.idleSince !== undefined) await this.#lookAgain(writer)
    return { version: stored.snapshot.version, since: seen?.version === stored.snapshot.version ? seen.since : now }
  }

  /** To be looked at much later, now that nobody has it: unless somebody took it up or ended it while that was noted. */
  async #lookAgain(writer: Writer): Promise<void> {
    await writer.refresh()
    const { stored } = writer
    if (isTerminal(stored.snapshot.state)) await this.#followUp(stored)
    else if (stored.work.idleSince === undefined) await this.#parts.register.due(stored)
  }
}
