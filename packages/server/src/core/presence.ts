import type { Cancel, Clock } from '../clock.js'
import {
  type Engine,
  type MemberChange,
  type MemberList,
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

/** What an entry came to. */
export interface Entered {
  readonly own: MemberChange
  readonly list: MemberList
}

/** Who of this node's sessions is in which channel: enters and leaves the engine's table, which announces what changed. */
export class PresenceTracker {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #options: PresenceOptions
  readonly #onError: (error: unknown) => void
  /** Leaves that wait for their grace to end, or for the engine, by channel and connection. */
  readonly #leaving = new Map<string, Cancel>()

  constructor(engine: Engine, clock: Clock, options: PresenceOptions, onError: (error: unknown) => void) {
    this.#engine = engine
    this.#clock = clock
    this.#options = options
    this.#onError = onError
  }

  /** A session enters, or comes back within its grace; answers its change, and who is there. The leave of the connection that it had before goes on: the engine knows whose the entry is. */
  async enter(stream: Stream, entry: PresenceEntry): Promise<Entered> {
    this.#cancelLeave(stream, entry)
    const own = await this.#engine.members.enter(stream, entry)
    return { own, list: await this.list(stream) }
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
    const left = (): void => {
      if (this.#leaving.get(key) === underWay) this.#leaving.delete(key)
    }
    const refused = (error: unknown): void => {
      this.#onError(error)
      if (this.#leaving.get(key) !== underWay) return
      this.#removeAfter(retryMs, stream, entry, Math.min(retryMs * 2, RETRY_MS_MAX))
    }
    this.#engine.members.leave(stream, entry).then(left, refused)
  }
}

function leaveKey(stream: Stream, entry: PresenceEntry): string {
  return `${streamKey(stream)} ${entry.connection} ${entry.session}`
}
