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
  /** Leaves that wait for their grace to end, by channel and session. */
  readonly #leaving = new Map<string, Cancel>()
  /** Changes that wait to be announced, by channel and user. */
  readonly #gathered = new Map<string, Map<string, Gathered>>()

  constructor(engine: Engine, clock: Clock, options: PresenceOptions, onError: (error: unknown) => void) {
    this.#engine = engine
    this.#clock = clock
    this.#options = options
    this.#onError = onError
  }

  /** A session enters, or comes back within its grace; answers who is there. */
  async enter(stream: Stream, entry: PresenceEntry): Promise<MemberList> {
    this.#cancelLeave(stream, entry)
    this.#gather(stream, await this.#engine.members.enter(stream, entry))
    return this.list(stream)
  }

  /** A session leaves: at once when it said so, after the grace when its connection broke. */
  leave(stream: Stream, entry: PresenceEntry, clean: boolean): void {
    this.#cancelLeave(stream, entry)
    if (clean) return this.#remove(stream, entry)
    const key = leaveKey(stream, entry)
    const cancel = this.#clock.after(this.#options.graceMs, () => {
      this.#leaving.delete(key)
      this.#remove(stream, entry)
    })
    this.#leaving.set(key, cancel)
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
  }

  #cancelLeave(stream: Stream, entry: PresenceEntry): void {
    const key = leaveKey(stream, entry)
    this.#leaving.get(key)?.()
    this.#leaving.delete(key)
  }

  #remove(stream: Stream, entry: PresenceEntry): void {
    this.#engine.members.leave(stream, entry).then((change) => this.#gather(stream, change), this.#onError)
  }

  #gather(stream: Stream, change: MemberChange): void {
    if (!change.changed) return
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
      this.#gathered.delete(key)
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
  return `${streamKey(stream)} ${entry.session}`
}

/** Undefined when somebody came and went before anybody was told. */
function kindOfChange(before: number, after: number): PresenceChange['kind'] | undefined {
  if (after === 0) return before === 0 ? undefined : 'left'
  return before === 0 ? 'joined' : 'updated'
}
