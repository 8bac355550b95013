import type { Counts, Member, Sender } from '@holdfast/protocol'

/** One channel of one tenant: the unit that an engine stores, announces and expires. */
export interface Stream {
  readonly tenant: string
  readonly channel: string
}

/** The name of a stream in tables. The tenant's length stands first, so that no choice of characters makes two streams one. */
export function streamKey(stream: Stream): string {
  return `${stream.tenant.length}:${stream.tenant}${stream.channel}`
}

/** A message as it is stored and announced. */
export interface StreamMessage {
  readonly id: string
  /** Dense from 1 within an epoch; undefined on a channel without history. */
  readonly offset: number | undefined
  readonly event: string
  /** JSON text, as the sender encoded it. */
  readonly data: string
  readonly from: Sender
  /** ISO-8601, UTC. */
  readonly at: string
  /** The last message that the stream will ever carry. */
  readonly final?: boolean
}

/** How much of a stream is kept. */
export interface Retention {
  /** Newest messages kept. */
  readonly size: number
  /** Milliseconds without a publish after which the whole log expires. */
  readonly ttlMs: number
}

/** A value stored beside the log of a stream, replaced in one step with a publish. */
export interface StreamState {
  readonly value: string
  /** 1 after the first write, then one more with each. */
  readonly version: number
}

/** What is to be published. */
export interface PublishRequest {
  readonly stream: Stream
  readonly event: string
  readonly data: string
  readonly from: Sender
  readonly at: string
  /** Undefined: the message is announced, not stored. */
  readonly retention: Retention | undefined
  /** The same `scope` and `key` with the same content is answered as before; with other content it is refused. Kept 5 minutes. */
  readonly idempotency?: { readonly scope: string; readonly key: string }
  /** Replaces the stream's state if its version is `ifVersion` (0: there must be none), else nothing is published. */
  readonly state?: { readonly value: string; readonly ifVersion: number; readonly ttlMs: number }
  readonly final?: boolean
}

/** What a publish came to. `epoch` and `offset` are empty and 0 on a channel without history. */
export type PublishOutcome =
  | {
      readonly kind: 'published'
      readonly epoch: string
      readonly offset: number
      readonly id: string
      readonly duplicate: boolean
    }
  | { readonly kind: 'idempotency_conflict' }
  | { readonly kind: 'state_conflict' }

/** Which messages to read: those from offset `from` on (default: the oldest), below `before`, at most `limit` and `bytesMax` of data. */
export interface ReadRange {
  readonly from?: number
  readonly before?: number
  readonly limit: number
  readonly bytesMax: number
  /** Which end survives the limit. */
  readonly keep: 'oldest' | 'newest'
}

/** A log at one moment: epoch, top, messages and state belong together. */
export interface LogPage {
  readonly epoch: string
  /** The newest message: offset 0 and an empty id when there never was one in this epoch. */
  readonly top: { readonly offset: number; readonly id: string }
  /** The offset of the oldest message still stored; top + 1 when none is. */
  readonly first: number
  /** Whether what is missing below `first` went by age, not by size. */
  readonly expired: boolean
  /** In order of offset. */
  readonly messages: readonly StreamMessage[]
  readonly state: StreamState | undefined
}

/** A signal: announced, never stored. */
export interface Signal {
  readonly event: string
  readonly data: string
  readonly from: Sender
  readonly at: string
}

/** A change of presence as it is announced. */
export interface PresenceChange {
  readonly kind: 'joined' | 'left' | 'updated'
  readonly member: Member
  readonly counts: Counts
}

/** What a node hears of a stream that it listens to. Called synchronously, in order. */
export interface Receiver {
  message(epoch: string, message: StreamMessage): void
  signal(signal: Signal): void
  presence(change: PresenceChange): void
  /** The epoch ended: what was stored under it is gone. */
  rotated(epoch: string): void
}

/** One session in a channel, as presence stores it. The connection owns the entry: an older one cannot remove what a newer one took over. */
export interface PresenceEntry {
  readonly session: string
  readonly connection: string
  readonly user: string
  /** JSON text of what the member tells of itself. */
  readonly info: string | undefined
}

/** Who is in a channel, after a change or at a reading. */
export interface MemberChange {
  readonly member: Member
  readonly counts: Counts
  /** Connections of the member before the change. */
  readonly before: number
  /** Whether anything is different now. */
  readonly changed: boolean
}

/** Who is in a channel: at most `limit` members, and the counts of all. */
export interface MemberList {
  readonly members: readonly Member[]
  readonly counts: Counts
}

/** A keyed record. `version` counts its writes from 1. */
export interface StoredRecord {
  readonly value: string
  readonly version: number
}

/** Keyed records with compare-and-set and a lifetime. */
export interface Records {
  get(key: string): Promise<StoredRecord | undefined>
  /** Writes if the version stored is `ifVersion` (0: none; undefined: whatever it is). Answers the new version, or undefined when refused. */
  put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined>
  /** Reads and removes in one step: of several takers one gets it. */
  take(key: string): Promise<StoredRecord | undefined>
}

/** Who may do a thing that only one may do at a time. */
export interface Leases {
  /** Takes or renews; false when another holds it. */
  hold(name: string, holder: string, ttlMs: number): Promise<boolean>
  release(name: string, holder: string): Promise<void>
}

/** Numbers that nodes share. */
export interface Counters {
  /** Adds if the sum stays at or under `max`; answers the sum, or undefined when it would not. A counter that reaches 0 is gone. */
  add(name: string, by: number, max?: number): Promise<number | undefined>
}

/** Who is in which channel. */
export interface Members {
  enter(stream: Stream, entry: PresenceEntry): Promise<MemberChange>
  leave(stream: Stream, entry: PresenceEntry): Promise<MemberChange>
  list(stream: Stream, limit: number): Promise<MemberList>
}

/**
 * The port to the state that nodes share. Every method rejects with an error only when the state cannot be reached; a refusal is
 * a value. What `publish` has answered is stored.
 */
export interface Engine {
  readonly name: string
  /** Whether a log can lose acknowledged messages and go on under the same epoch (a replica that took over, say). */
  readonly canDiverge: boolean
  readonly records: Records
  readonly leases: Leases
  readonly counters: Counters
  readonly members: Members
  start(): Promise<void>
  close(): Promise<void>
  /** Undefined while all is well; else what is wrong, in one sentence. */
  problem(): string | undefined
  /** One atomic step: idempotency, state, epoch, offset, append, trim, expiry, announcement. */
  publish(request: PublishRequest): Promise<PublishOutcome>
  /** Announces what is never stored. */
  announce(stream: Stream, announcement: Signal | PresenceChange): Promise<void>
  /** From the moment it resolves every announcement of the stream reaches `receiver`. Resolves to its undo. */
  listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>>
  /** Reads the log; a stream that has none gets an epoch, so that a position can be issued. */
  read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage>
  /** The state of a stream, without creating anything. */
  state(stream: Stream): Promise<StreamState | undefined>
  /** Ends an epoch if it still is `epoch`: the log goes, a new epoch begins, listeners are told. Answers the epoch in force. */
  rotate(stream: Stream, epoch: string): Promise<string>
}
