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
  /** The id of the message; the engine makes one where there is none. */
  readonly id?: string
  /** Whether to answer how much the log keeps then. */
  readonly weigh?: boolean
  /** Messages up to this one are not needed any more: in this epoch they go in the same step, as if the retention were so much smaller. */
  readonly settled?: { readonly epoch: string; readonly offset: number }
}

/** What a publish came to. `epoch` and `offset` are empty and 0 on a channel without history. */
export type PublishOutcome =
  | {
      readonly kind: 'published'
      readonly epoch: string
      readonly offset: number
      readonly id: string
      readonly duplicate: boolean
      /**
       * Characters of data (or bytes, where the engine counts those) of all messages that the log keeps now; only where that was asked, and nothing for a duplicate. Exact from the
       * first message on for which it was asked; a log that was older is estimated until it has been renewed.
       */
      readonly kept?: number
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

/** How the disk of an engine is, at one moment. */
export interface DiskStats {
  /** Bytes of the journal since the last snapshot, and the files that they are in: what a start would read behind it. */
  readonly journalBytes: number
  readonly segments: number
  /** Bytes of the last snapshot; 0: there is none. */
  readonly snapshotBytes: number
  /** When something was stored last (ISO-8601, UTC), and how many milliseconds that took; undefined: nothing was since the start. */
  readonly storedAt: string | undefined
  readonly storedMs: number | undefined
  /** How often the journal could not be written since the start, each new try counted. */
  readonly failures: number
  /** What was missing at the start of that which had been acknowledged, in one sentence: the epochs of all channels changed. Undefined: nothing was. */
  readonly loss: string | undefined
}

/** A signal: announced, never stored. */
export interface Signal {
  readonly event: string
  readonly data: string
  readonly from: Sender
  readonly at: string
}

/** Where a log stands: its epoch and its newest message (offset 0 and an empty id when there never was one in this epoch). */
export interface LogTop {
  readonly epoch: string
  readonly top: { readonly offset: number; readonly id: string }
}

/**
 * What a node hears of a stream that it listens to. Called synchronously. On the way from another node an announcement may be lost, come twice or
 * come late: offsets and versions tell.
 */
export interface Receiver {
  message(epoch: string, message: StreamMessage): void
  signal(signal: Signal): void
  /** Who is there has changed. */
  members(change: MemberChange): void
  /** The epoch ended: what was stored under it is gone. */
  rotated(epoch: string): void
  /** Announcements may have been lost before now: the link that brings them broke. */
  uncertain(): void
}

/** One session in a channel, as presence stores it. The connection owns the entry: an older one cannot remove what a newer one took over. */
export interface PresenceEntry {
  readonly session: string
  readonly connection: string
  /** The node that holds the connection: when its lease lapses the entry goes. */
  readonly node: string
  readonly user: string
  /** JSON text of what the member tells of itself. */
  readonly info: string | undefined
}

/** One member after a change. */
export interface MemberChange {
  readonly member: Member
  readonly counts: Counts
  /** Connections of the member before the change. */
  readonly before: number
  /** Whether anything is different now. Only what is gets announced. */
  readonly changed: boolean
  /** One more with each change of the channel; higher by any number when the channel was empty before. A listener that misses a number has missed a change. */
  readonly version: number
}

/** Who is in a channel: at most `limit` members, and the counts of all. */
export interface MemberList {
  readonly members: readonly Member[]
  readonly counts: Counts
  /** The version of the last change; 0 while the channel is empty. */
  readonly version: number
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

/** Numbers that nodes share. Each node has a share of each: it goes with the node's lease. */
export interface Counters {
  /** Adds to the share of `node` if the sum stays at or under `max`; answers the sum, or undefined when it would not. A share never falls below 0. */
  add(name: string, by: number, options: { node: string; max?: number }): Promise<number | undefined>
}

/** A token bucket: it holds `burst` tokens and gets `perSecond` of them each second. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Token buckets that nodes share. A bucket that nobody took from for as long as it takes to fill is forgotten. */
export interface Rates {
  /** Takes `cost` tokens and answers 0; where there are not as many, takes none and answers after how many milliseconds there will be (Infinity: more than the bucket holds). */
  take(name: string, cost: number, rate: Rate): Promise<number>
}

/** One entry of a register. */
export interface RegisterEntry {
  readonly key: string
  readonly value: string
  /** A whole number, 0 or more, that counts towards the total of the register. */
  readonly amount: number
}

/** What a register holds. */
export interface RegisterTotals {
  readonly entries: number
  readonly amount: number
}

/** What is entered in a register, for how long, and up to which totals. */
export interface RegisterRequest {
  readonly key: string
  /** Default: empty. */
  readonly value?: string
  /** Default: 0. */
  readonly amount?: number
  readonly ttlMs: number
  /** Whole, from 0 on (default 0). An entry that has the same value and a higher rank stays as it is: this one came late. */
  readonly rank?: number
  /** A new key is refused where there are as many entries. */
  readonly entriesMax?: number
}

/**
 * Named tables of entries, each with a lifetime. What a node has entered outlives the node, so that another can see to what it left. Every step is atomic.
 */
export interface Registers {
  /** Enters or replaces an entry. Undefined: refused, because the register is full and the key is new. */
  put(name: string, request: RegisterRequest): Promise<(RegisterTotals & { readonly added: boolean }) | undefined>
  /** Removes an entry; of several who do it one is told that it `removed` it. */
  remove(name: string, key: string): Promise<RegisterTotals & { readonly removed: boolean }>
  totals(name: string): Promise<RegisterTotals>
  /** Up to `limit` entries, in no order. */
  list(name: string, limit: number): Promise<readonly RegisterEntry[]>
}

/** One entry of an index. */
export interface IndexEntry {
  readonly key: string
  /** A finite number, by which the index is sorted. Entries of one score stand in the order of their keys, by code unit. */
  readonly score: number
}

/** Which entries of an index: those with a score from `from` to `to`, both inclusive (default: all of them), at most `limit`. */
export interface IndexRange {
  readonly from?: number
  readonly to?: number
  /** Only what stands behind this entry, in the order asked for; it need not be there. */
  readonly after?: IndexEntry
  /** Default `ascending`. */
  readonly order?: 'ascending' | 'descending'
  readonly limit: number
}

/** Named lists of keys, sorted by a number, each entry with a lifetime. What a node has entered outlives the node. Every step is atomic. */
export interface Indexes {
  /** Enters a key or moves it; it is forgotten `ttlMs` after it was entered last. */
  put(name: string, entry: IndexEntry & { readonly ttlMs: number }): Promise<void>
  /** Removes a key; of several who do it one is answered true. */
  remove(name: string, key: string): Promise<boolean>
  range(name: string, range: IndexRange): Promise<readonly IndexEntry[]>
}

/** Bytes of a field of a report that are handed over; what is longer is cut. Of a report with many fields the first 16 are. */
export const REPORT_FIELD_BYTES_MAX = 262_144

/** A report that somebody left for the operations beside the node, not through it. */
export interface LeftReport {
  /** Rises with each report, as two numbers: `1690000000000-3`. */
  readonly entry: string
  readonly fields: Readonly<Record<string, string>>
}

/** A report of which nothing came, and why. */
export interface RefusedReport extends LeftReport {
  readonly code: string
  readonly reason: string
}

/** Where programs beside the nodes leave reports. Of all nodes one reads at a time, in order; what it did not finish is read again by the next. */
export interface Reports {
  /**
   * Hands over what was left, in order and in batches; what `take` resolves for is done and never read again, of what it rejects nothing is, and it comes again. `behind` says how
   * many reports wait after these. A node that was taken for dead may still be at a batch that another has got. Answers its undo, which waits for the batch under way.
   */
  consume(node: string, take: (reports: readonly LeftReport[], behind: number) => Promise<void>): () => Promise<void>
  /** Puts reports where whoever left them can find out what was wrong with them, in the order of their entries; one that is there already is not put there again. */
  refuse(refused: readonly RefusedReport[]): Promise<void>
}

/** A node that holds its lease, and what it tells of itself. */
export interface LiveNode {
  readonly node: string
  readonly about: string
}

/** The nodes that share the state. What a node holds in it (member entries, shares of counters) lives as long as its lease. */
export interface Nodes {
  /** Takes or renews a lease. False when it was not held: what the node had entered before may be gone, and has to be entered again. */
  renew(node: string, about: string, ttlMs: number): Promise<boolean>
  /** Gives a lease back; what the node still holds is left to `reap`. */
  leave(node: string): Promise<void>
  list(): Promise<readonly LiveNode[]>
  /** Lets go of what nodes hold whose lease has lapsed or was given back; listeners hear of each member. Of several callers one does it. Answers those nodes. */
  reap(): Promise<readonly string[]>
}

/** Short texts from node to node. Best effort: whoever needs an answer waits for one, for a limited time. */
export interface Control {
  /** To one node, or to all of them, the sender included. False when nobody listens there now: no answer will come. */
  send(to: string | undefined, text: string): Promise<boolean>
  /** From the moment it resolves, what is sent to `node` or to all reaches `receive`. Resolves to its undo. */
  receive(node: string, receive: (text: string) => void): Promise<() => Promise<void>>
}

/** Who is in which channel. A change is announced to the listeners of the channel in one step with itself. */
export interface Members {
  enter(stream: Stream, entry: PresenceEntry): Promise<MemberChange>
  leave(stream: Stream, entry: PresenceEntry): Promise<MemberChange>
  list(stream: Stream, limit: number): Promise<MemberList>
  /** One member; undefined where the user is not in the channel. */
  find(stream: Stream, user: string): Promise<Member | undefined>
}

/**
 * The port to the state that nodes share. Every method rejects only when the state cannot be reached, with an error whose `code` is `engine_unavailable`; a
 * refusal is a value. What `publish` has answered is stored; of one that was rejected nobody knows.
 */
export interface Engine {
  readonly name: string
  /** Whether a log can lose acknowledged messages and go on under the same epoch (a replica that took over, say). */
  readonly canDiverge: boolean
  readonly records: Records
  readonly leases: Leases
  readonly counters: Counters
  readonly members: Members
  readonly rates: Rates
  readonly registers: Registers
  readonly indexes: Indexes
  /** Where programs beside the nodes can leave reports; absent where there is no such place. */
  readonly reports?: Reports
  readonly nodes: Nodes
  readonly control: Control
  /**
   * Resolves when the engine serves, or has given up waiting for what it needs: then `problem` says so, and it goes on trying.
   *
   * @throws Error when it can never serve: a server that is too old, a directory that cannot be read.
   */
  start(): Promise<void>
  close(): Promise<void>
  /** Undefined while state can be reached and announcements arrive; else what is wrong, in one sentence. */
  problem(): string | undefined
  /** How many things were stored without an end that should have had one, and got one. Absent where everything ends by itself. */
  lifetimesGiven?(): number
  /** What is on the disk of this node; absent where nothing is. */
  diskStats?(): DiskStats
  /**
   * Tells each change of `problem`. Before undefined is told, everything that is listened to is listened to again, and every receiver was told `uncertain`
   * if it has to be. Answers its undo.
   */
  watch(listener: (problem: string | undefined) => void): () => void
  /** One atomic step: idempotency, state, epoch, offset, append, trim, expiry, announcement. */
  publish(request: PublishRequest): Promise<PublishOutcome>
  /** Announces what is never stored. */
  announce(stream: Stream, signal: Signal): Promise<void>
  /** From the moment it resolves every announcement of the stream reaches `receiver`. Resolves to its undo. */
  listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>>
  /** Reads the log; a stream that has none gets an epoch, so that a position can be issued. */
  read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage>
  /** Where many logs stand, in the order asked; as with `read`, one that has none begins. What is asked for again and again does not end by age. */
  tops(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Promise<readonly LogTop[]>
  /** The state of a stream, without creating anything. */
  state(stream: Stream): Promise<StreamState | undefined>
  /** Ends an epoch if it still is `epoch`: the log goes, a new epoch begins, listeners are told. Answers the epoch in force. */
  rotate(stream: Stream, epoch: string): Promise<string>
}
