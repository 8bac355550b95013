import type { Cancel, Clock } from '../clock.js'
import {
  type Engine,
  type MemberChange,
  type MemberList,
  type PresenceChange,
  type PresenceEntry,
  type Stream,
  streamKey,
} from '../engine/engine.js'

/** How presence behaves. */
export interface PresenceOptions {
  /** Milliseconds after an unclean end before a member counts as gone. */
  readonly graceMs: number
  /** Milliseconds over which changes of a channel are gathered. */
  readonly coalesceMs: number
  /** Members named in an answer; above it there are counts and a sample. */
  readonly sampleMax: number
}

/** Milliseconds until a leave that the engine refused is tried again; each further try waits twice as long, up to the longest. */
const RETRY_MS = 1_000
const RETRY_MS_MAX = 30_000

interface Gathered {
  readonly before: number
  last: MemberChange
}

/** Who of this node's sessions is in which channel: enters and leaves the engine's table and announces what changed. */
export class PresenceTracker {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #options: PresenceOptions
  readonly #onError: (error: unknown) => void
  /** Leaves that wait for their grace to end, or for the engine, by channel and connection. */
  readonly #leaving = new Map<string, Cancel>()
  /** Changes that wait to be announced, by channel and user. */
  readonly #gathered = new Map<string, Map<string, Gathered>>()
  #closed = false

  constructor(engine: Engine, clock: Clock, options: PresenceOptions, onError: (error: unknown) => void) {
    this.#engine = engine
    this.#clock = clock
    this.#options = options
    this.#onError = onError
  }

  /** A session enters, or comes back within its grace; answers who is there. The leave of the connection that it had before goes on: the engine knows whose the entry is. */
  async enter(stream: Stream, entry: PresenceEntry): Promise<MemberList> {
    this.#cancelLeave(stream, entry)
    this.#gather(stream, await this.#engine.members.enter(stream, entry))
    return this.list(stream)
  }

  /** A session leaves: at once when it said so, after the grace when its connection broke. */
  leave(stream: Stream, entry: PresenceEntry, clean: boolean): void {
    this.#cancelLeave(stream, entry)
    if (clean) return this.#remove(stream, entry)
    this.#removeAfter(this.#options.graceMs, stream, entry, RETRY_MS)
  }

  /** Who is in a channel. */
  list(stream: Stream, limit: number = this.#options.sampleMax): Promise<MemberList> {
    return this.#engine.members.list(stream, Math.min(limit, this.#options.sampleMax))
  }

  /** Forgets every timer. */
  close(): void {
    for (const cancel of this.#leaving.values()) cancel()
    this.#leaving.clear()
    this.#gathered.clear()
    this.#closed = true
  }

  #cancelLeave(stream: Stream, entry: PresenceEntry): void {
    const key = leaveKey(stream, entry)
    this.#leaving.get(key)?.()
    this.#leaving.delete(key)
  }

  #removeAfter(ms: number, stream: Stream, entry: PresenceEntry, retryMs: number): void {
    const cancel = this.#clock.after(ms, () => this.#remove(stream, entry, retryMs))
    this.#leaving.set(leaveKey(stream, entry), cancel)
  }

  /** Tried until the engine takes it, or the connection enters again: a member who stays for ever would be a lie. */
  #remove(stream: Stream, entry: PresenceEntry, retryMs: number = RETRY_MS): void {
    const key = leaveKey(stream, entry)
    const underWay: Cancel = () => undefined
    this.#leaving.set(key, underWay)
    const left = (change: MemberChange): void => {
      if (this.#leaving.get(key) === underWay) this.#leaving.delete(key)
      this.#gather(stream, change)
    }
    const refused = (error: unknown): void => {
      this.#onError(error)
      if (this.#leaving.get(key) !== underWay) return
      this.#removeAfter(retryMs, stream, entry, Math.min(retryMs * 2, RETRY_MS_MAX))
    }
    this.#engine.members.leave(stream, entry).then(left, refused)
  }

  #gather(stream: Stream, change: MemberChange): void {
    if (!change.changed || this.#closed) return
    const key = streamKey(stream)
    const changes = this.#gathered.get(key) ?? this.#beginGathering(stream, key)
    const known = changes.get(change.member.user)
    if (known === undefined) changes.set(change.member.user, { before: change.before, last: change })
    else known.last = change
  }

  #beginGathering(stream: Stream, key: string): Map<string, Gathered> {
    const changes = new Map<string, Gathered>()
    this.#gathered.set(key, changes)
    this.#clock.after(this.#options.coalesceMs, () => {
      if (!this.#gathered.delete(key)) return
      for (const gathered of changes.values()) this.#announce(stream, gathered)
    })
    return changes
  }

  #announce(stream: Stream, { before, last }: Gathered): void {
    const kind = kindOfChange(before, last.member.connections)
    if (kind === undefined) return
    this.#engine.announce(stream, { kind, member: last.member, counts: last.counts }).catch(this.#onError)
  }
}

function leaveKey(stream: Stream, entry: PresenceEntry): string {
  return `${streamKey(stream)} ${entry.connection} ${entry.session}`
}

/** Undefined when somebody came and went before anybody was told. */
function kindOfChange(before: number, after: number): PresenceChange['kind'] | undefined {
  if (after === 0) return before === 0 ? undefined : 'left'
  return before === 0 ? 'joined' : 'updated'
}
