import type { Cancel, Clock } from '../../clock.js'
import {
  type Engine,
  type MemberChange,
  type MemberList,
  type PresenceEntry,
  type Stream,
  streamKey,
} from '../../engine/engine.js'
import { type LifecycleDoor, NOBODY_FOLLOWS } from '../lifecycle.js'
import type { Retries } from '../retries.js'

/** How presence behaves. */
export interface PresenceOptions {
  /** Milliseconds after an unclean end before a member counts as gone. */
  readonly graceMs: number
  /** Milliseconds over which changes of a channel are gathered. */
  readonly coalesceMs: number
  /** Members named in an answer; above it there are counts and a sample. */
  readonly sampleMax: number
}

/** What an entry came to. */
export interface Entered {
  readonly own: MemberChange
  readonly list: MemberList
}

/** Who of this node's sessions is in which channel: enters and leaves the engine's table, which announces what changed. */
export class PresenceTracker {
  readonly #engine: Pick<Engine, 'members'>
  readonly #clock: Clock
  readonly #options: PresenceOptions
  readonly #retries: Retries
  readonly #lifecycle: LifecycleDoor
  /** Leaves that wait for their grace to end, or for the engine, by channel and connection. */
  readonly #leaving = new Map<string, Leave>()

  /** `lifecycle`: who is told of those who enter and leave (default: nobody). */
  constructor(
    engine: Pick<Engine, 'members'>,
    clock: Clock,
    options: PresenceOptions,
    retries: Retries,
    lifecycle: LifecycleDoor = NOBODY_FOLLOWS,
  ) {
    this.#engine = engine
    this.#clock = clock
    this.#options = options
    this.#retries = retries
    this.#lifecycle = lifecycle
  }

  /** A session enters, or comes back within its grace; answers its change, and who is there. The leave of the connection that it had before goes on: the engine knows whose the entry is. */
  async enter(stream: Stream, entry: PresenceEntry): Promise<Entered> {
    this.#cancelLeave(leaveKey(stream, entry))
    this.#lifecycle.listener?.entering(stream, entry)
    const own = await this.#engine.members.enter(stream, entry)
    this.#lifecycle.listener?.entered(stream, entry, own)
    return { own, list: await this.list(stream) }
  }

  /** Enters again what the engine may have lost. Does nothing once the session has left. */
  async renew(stream: Stream, entry: PresenceEntry): Promise<void> {
    if (this.#leaving.has(leaveKey(stream, entry))) return
    const change = await this.#engine.members.enter(stream, entry)
    this.#lifecycle.listener?.entered(stream, entry, change)
  }

  /** A session leaves: at once when it said so, after the grace when its connection broke. */
  leave(stream: Stream, entry: PresenceEntry, clean: boolean): void {
    const key = leaveKey(stream, entry)
    this.#cancelLeave(key)
    if (clean) return this.#remove(key, stream, entry)
    const cancel = this.#clock.after(this.#options.graceMs, () => this.#remove(key, stream, entry))
    this.#leaving.set(key, { cancel })
  }

  /** Who is in a channel. */
  list(stream: Stream, limit: number = this.#options.sampleMax): Promise<MemberList> {
    return this.#engine.members.list(stream, Math.min(limit, this.#options.sampleMax))
  }

  /** Forgets every timer: who is in the grace of a broken connection stays until the lease of the node ends. */
  close(): void {
    for (const { cancel } of this.#leaving.values()) cancel()
    this.#leaving.clear()
  }

  #cancelLeave(key: string): void {
    this.#leaving.get(key)?.cancel()
    this.#leaving.delete(key)
  }

  /** Tried until the engine takes it, or the connection enters again: a member who stays for ever would be a lie. */
  #remove(key: string, stream: Stream, entry: PresenceEntry): void {
    const leave: Leave = { cancel: () => undefined }
    this.#leaving.set(key, leave)
    void this.#retries.insist(async () => {
      if (this.#leaving.get(key) !== leave) return
      const change = await this.#engine.members.leave(stream, entry)
      this.#lifecycle.listener?.left(stream, entry, change)
      if (this.#leaving.get(key) === leave) this.#leaving.delete(key)
    })
  }
}

interface Leave {
  readonly cancel: Cancel
}

function leaveKey(stream: Stream, entry: PresenceEntry): string {
  return `${streamKey(stream)} ${entry.connection} ${entry.session}`
}
