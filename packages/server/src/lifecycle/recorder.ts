import { type Clock, timestamp } from '../clock.js'
import type { ConnectionEnd, FollowedConnection } from '../core/lifecycle.js'
import type { Engine } from '../engine/engine.js'
import { userKey } from '../access/identity.js'
import type { ConnectionEvent, LifecycleEvent, LifecycleType } from './event.js'
import type { EventLog } from './event-log.js'
import type { Interest } from './interest.js'
import type { Lanes } from './lanes.js'
import type { Life } from './life.js'
import { ENTRY_MS, heldBy } from './places.js'
import { connectionKey } from './subject.js'

/** A connection as it is written down, so that its end can be told by whoever survives it. */
export interface RecordedConnection {
  readonly tenant: string
  readonly user: string
  readonly connection: string
  readonly session: string
  readonly node: string
  readonly address: string
  /** Milliseconds since 1970. */
  readonly openedAt: number
  /** How it was told that the connection is there, and when; milliseconds since 1970. */
  readonly beginning: 'connected' | 'resumed'
  readonly begunAt: number
  /** How often it was told that the connection is there: again when its node was taken for dead and came back. */
  readonly tellings: number
}

/** What a recorder works with. */
export interface RecorderParts {
  readonly engine: Pick<Engine, 'registers'>
  readonly clock: Pick<Clock, 'now'>
  readonly node: string
  readonly life: Pick<Life, 'id'>
  readonly lanes: Lanes
  readonly log: Pick<EventLog, 'tell'>
  readonly interest: Pick<Interest, 'wants'>
  /** A work that has no place among those that wait. */
  readonly onDropped: () => void
}

const CONNECTION_TYPES: readonly LifecycleType[] = ['connected', 'resumed', 'disconnected']

/** What it comes to when a node dies, or is taken for dead. */
const NODE_LOST: ConnectionEnd = { code: 1006, reason: 'Node lost' }

/** Tells of the connections of this node. Each is entered in the engine before anything is told of it, and taken out after its end was told; all of it in order. */
export class Recorder {
  readonly #parts: RecorderParts
  readonly #connections = new Map<string, RecordedConnection>()

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /** Connections that are written down. */
  get size(): number {
    return this.#connections.size
  }

  /** A connection was welcomed. One that is known already is not told again. */
  welcomed({ id, address, openedAt, identity, session }: FollowedConnection, resumed: boolean): void {
    const { tenant, user } = identity
    if (this.#connections.has(id) || !this.#parts.interest.wants(CONNECTION_TYPES, tenant)) return
    const { node } = this.#parts
    const beginning = resumed ? 'resumed' : 'connected'
    const places = { connection: id, session: session.id, node, address, openedAt }
    this.#begin({ tenant, user, ...places, beginning, begunAt: this.#parts.clock.now(), tellings: 1 })
  }

  /** A connection has ended; one that is not known is ignored. */
  ended({ id }: FollowedConnection, end: ConnectionEnd): void {
    const about = this.#connections.get(id)
    if (about === undefined) return
    this.#connections.delete(id)
    const at = this.#parts.clock.now()
    this.#later(about, () => this.#tell(endingOf(about, end, at)))
    this.#later(about, () => this.#parts.engine.registers.remove(this.#held, connectionKey(id)))
  }

  /** Enters again what may have been lost or is soon to end. */
  refresh(): void {
    for (const about of this.#connections.values()) this.#later(about, () => this.#enterIfThere(about))
  }

  /** Others took this node for dead and have told of it, or will: the connections that are still there begin again. */
  reborn(): void {
    const at = this.#parts.clock.now()
    for (const about of [...this.#connections.values()]) {
      // Under the id that the others give it, so that it is the same event.
      this.#later(about, () => this.#tell(endingOf(about, NODE_LOST, at)))
      this.#begin({ ...about, beginning: 'resumed', begunAt: at, tellings: about.tellings + 1 })
    }
  }

  #begin(about: RecordedConnection): void {
    this.#connections.set(about.connection, about)
    this.#later(about, () => this.#enter(about))
    this.#later(about, () => this.#tell(beginningOf(about)))
  }

  get #held(): string {
    return heldBy(this.#parts.life.id)
  }

  #later(about: RecordedConnection, work: () => Promise<unknown>): void {
    // Events of a user are told one after the other.
    if (!this.#parts.lanes.add(userKey(about), work, about.tenant)) this.#parts.onDropped()
  }

  #enter(about: RecordedConnection): Promise<unknown> {
    const request = { key: connectionKey(about.connection), value: JSON.stringify(about), ttlMs: ENTRY_MS }
    return this.#parts.engine.registers.put(this.#held, request)
  }

  async #enterIfThere(about: RecordedConnection): Promise<void> {
    if (this.#connections.get(about.connection) === about) await this.#enter(about)
  }

  async #tell(event: LifecycleEvent): Promise<void> {
    if (this.#parts.interest.wants([event.type], event.tenant)) await this.#parts.log.tell(event)
  }
}

/** The connection that a text in a life's register describes; undefined where it describes none. */
export function readRecordedConnection(text: string): RecordedConnection | undefined {
  try {
    const about = JSON.parse(text) as Partial<Record<keyof RecordedConnection, unknown>>
    const { tenant, user, connection, session, node, address, openedAt, begunAt, tellings } = about
    const hasNames = [tenant, user, connection, session, node, address].every((name) => typeof name === 'string')
    const hasNumbers = [openedAt, begunAt, tellings].every((number) => Number.isSafeInteger(number))
    return hasNames && hasNumbers && (about.beginning === 'connected' || about.beginning === 'resumed')
      ? (about as RecordedConnection)
      : undefined
  } catch {
    return undefined
  }
}

/** How long ago a beginning may be that was entered and may not have been told: the log knows for five minutes what it was told. */
const UNTOLD_MS = 240_000

/** The events that tell that a connection went with its node, found out at `at`; also of one whose node died before it could tell that it was there. */
export function lossOf(about: RecordedConnection, at: number): readonly LifecycleEvent[] {
  const loss = endingOf(about, NODE_LOST, at)
  return at - about.begunAt < UNTOLD_MS ? [beginningOf(about), loss] : [loss]
}

function beginningOf({ beginning: type, begunAt, tellings, ...about }: RecordedConnection): LifecycleEvent {
  return { id: `${about.connection}.${tellings}`, type, ...placesOf(about), at: timestamp(begunAt) } as LifecycleEvent
}

function endingOf(about: RecordedConnection, { code, reason }: ConnectionEnd, at: number): LifecycleEvent {
  const { connection, tellings, openedAt } = about
  const durationMs = Math.max(0, at - openedAt)
  const places = { ...placesOf(about), at: timestamp(at) }
  return { id: `${connection}.${tellings}.end`, type: 'disconnected', ...places, code, reason, durationMs }
}

function placesOf({
  tenant,
  user,
  connection,
  session,
  node,
  address,
}: Pick<RecordedConnection, 'tenant' | 'user' | 'connection' | 'session' | 'node' | 'address'>): Omit<
  ConnectionEvent<'connected'>,
  'id' | 'type' | 'at'
> {
  return { tenant, key: user, user, connection, session, node, address }
}
