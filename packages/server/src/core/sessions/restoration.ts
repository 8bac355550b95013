import type { PresenceEntry, Stream } from '../../engine/engine.js'
import type { Admission } from '../limits/admission.js'
import type { PresenceTracker } from '../channels/presence.js'
import type { Quotas } from '../limits/quotas.js'
import type { Retries } from '../retries.js'
import type { SessionHolder } from './session-keeper.js'
import type { Sessions } from './session.js'

/** A connection as the restoration sees it. */
export interface Restored extends SessionHolder {
  readonly isOpen: boolean
  /** Where it is present. */
  presences(): Iterable<{ readonly stream: Stream; readonly entry: PresenceEntry }>
}

/** What a restoration works with. */
export interface RestorationParts {
  readonly retries: Pick<Retries, 'hurry'>
  readonly admission: Pick<Admission, 'restore'>
  readonly quotas: Pick<Quotas, 'restore'>
  readonly sessions: Pick<Sessions, 'confirm'>
  readonly presence: Pick<PresenceTracker, 'renew'>
  readonly connections: () => Iterable<Restored>
}

/** Connections that are restored at a time. */
const BATCH = 100

/** Enters again what this node holds in the engine, after its lease lapsed or the engine may have lost it. Doing so for nothing changes nothing. */
export class Restoration {
  readonly #parts: RestorationParts

  constructor(parts: RestorationParts) {
    this.#parts = parts
  }

  /** Rejects when the engine refuses: then it has to be done again. */
  async run(): Promise<void> {
    const { retries, admission, quotas } = this.#parts
    await admission.restore()
    await quotas.restore()
    await retries.hurry()
    let batch: Promise<void>[] = []
    for (const connection of [...this.#parts.connections()]) {
      batch.push(this.#one(connection))
      if (batch.length < BATCH) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
  }

  /** A session that another node resumed while this one slept is that node's: to enter its members here would take them away there. */
  async #one(connection: Restored): Promise<void> {
    if (!connection.isOpen || !(await this.#parts.sessions.confirm(connection))) return
    // One after the other: many connections with many channels each are more than an engine takes at a time. What is left meanwhile is not met any more.
    for (const { stream, entry } of connection.presences()) await this.#parts.presence.renew(stream, entry)
  }
}
