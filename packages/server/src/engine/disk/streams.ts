import type { LogPage, ReadRange, StreamState } from '../engine.js'
import { MemoryLog } from '../memory/log.js'
import type { BeginEntry, HeldState, PublishEntry } from './entry.js'

/** How long the epoch and the top of a log outlive its messages, so that a reader learns `expired` rather than `epoch_changed`. */
const TOP_OUTLIVES_LOG = 2

/** Everything that is stored of one stream. */
export interface StoredStream {
  log: MemoryLog | undefined
  /** When the messages expire, and when the epoch does. */
  messagesUntil: number
  epochUntil: number
  state: HeldState | undefined
}

/** What the next change of a stream has to know of it. */
export interface StreamHead {
  readonly epoch: string
  /** The offset of the newest message; 0 when there never was one. */
  readonly offset: number
}

/**
 * The logs and states of all streams. Every change is an entry, judged by the time it carries, so that a replay comes to the same; what has expired goes
 * whenever it is met.
 */
export class StreamTable {
  readonly #streams = new Map<string, StoredStream>()
  readonly #isInUse: (stream: string) => boolean
  #streamsMax = Infinity

  /** The epoch of a stream that is in use does not end by itself. */
  constructor(isInUse: (stream: string) => boolean) {
    this.#isInUse = isInUse
  }

  /** Streams held. */
  get size(): number {
    return this.#streams.size
  }

  /** From now on at most so many: beyond it the oldest that is not in use is forgotten. A replay comes first, since it does not know what was in use. */
  limit(streamsMax: number): void {
    this.#streamsMax = streamsMax
    for (let excess = this.#streams.size - streamsMax; excess > 0; excess -= 1) this.#forgetOne()
  }

  /** All of them, the oldest first. */
  entries(): IterableIterator<[string, StoredStream]> {
    return this.#streams.entries()
  }

  /** Puts a stream back as it was. */
  restore(stream: string, stored: StoredStream): void {
    this.#make(stream, stored)
  }

  publish(entry: PublishEntry): void {
    if (entry.logged === undefined && entry.state === undefined) return
    const stored = this.#streams.get(entry.stream) ?? this.#make(entry.stream, nothing())
    if (entry.logged) append(stored, entry.logged, entry.at)
    if (entry.state) stored.state = entry.state
  }

  begin(entry: BeginEntry): void {
    const stored = this.#streams.get(entry.stream) ?? this.#make(entry.stream, nothing())
    stored.log = new MemoryLog(entry.epoch)
    if (entry.ttlMs !== undefined) extend(stored, entry.ttlMs, entry.at)
  }

  /** The head of a log; undefined when there is none. */
  head(stream: string, now: number): StreamHead | undefined {
    const log = this.#live(stream, now)?.log
    return log && { epoch: log.epoch, offset: log.top.offset }
  }

  /** Characters of data that a log keeps. */
  weigh(stream: string, now: number): number {
    return this.#live(stream, now)?.log?.characters ?? 0
  }

  /** A log at this moment, with its state; undefined when there is none. */
  read(stream: string, range: ReadRange, now: number): LogPage | undefined {
    return this.#live(stream, now)?.log?.read(range, this.state(stream, now))
  }

  /** Keeps the epoch of a log for as long again as if something had been published; answers its top, or undefined when there is none. */
  touch(stream: string, ttlMs: number, now: number): Pick<MemoryLog, 'epoch' | 'top'> | undefined {
    const stored = this.#live(stream, now)
    if (stored?.log === undefined) return undefined
    stored.epochUntil = Math.max(stored.epochUntil, now + ttlMs * TOP_OUTLIVES_LOG)
    return { epoch: stored.log.epoch, top: stored.log.top }
  }

  state(stream: string, now: number): StreamState | undefined {
    const stored = this.#streams.get(stream)
    if (stored?.state === undefined) return undefined
    if (now >= stored.state.until) stored.state = undefined
    return stored.state && { value: stored.state.value, version: stored.state.version }
  }

  /** Lets every epoch live until `until` at least: those who were connected before a restart come back, and missed nothing. */
  outlive(until: number): void {
    for (const stored of this.#streams.values()) stored.epochUntil = Math.max(stored.epochUntil, until)
  }

  /** Gives every log a new epoch, its messages with it; answers which took the place of which. */
  renew(newEpoch: () => string): ReadonlyMap<string, string> {
    const renewed = new Map<string, string>()
    for (const stored of this.#streams.values()) {
      if (stored.log === undefined) continue
      const epoch = newEpoch()
      renewed.set(stored.log.epoch, epoch)
      stored.log = MemoryLog.restore({ ...stored.log.kept(), epoch })
    }
    return renewed
  }

  sweep(now: number): void {
    for (const [stream, stored] of this.#streams) {
      this.#expire(stream, stored, now)
      if (stored.log === undefined && this.state(stream, now) === undefined) this.#streams.delete(stream)
    }
  }

  #live(stream: string, now: number): StoredStream | undefined {
    const stored = this.#streams.get(stream)
    if (stored !== undefined) this.#expire(stream, stored, now)
    return stored
  }

  #expire(stream: string, stored: StoredStream, now: number): void {
    if (stored.log === undefined) return
    if (now >= stored.messagesUntil) stored.log.expire()
    // While somebody listens the epoch stays: ending it would announce a gap to readers who missed nothing.
    if (now >= stored.epochUntil && !this.#isInUse(stream)) stored.log = undefined
  }

  #make(stream: string, stored: StoredStream): StoredStream {
    if (this.#streams.size >= this.#streamsMax) this.#forgetOne()
    this.#streams.set(stream, stored)
    return stored
  }

  #forgetOne(): void {
    for (const stream of this.#streams.keys()) {
      if (this.#isInUse(stream)) continue
      this.#streams.delete(stream)
      return
    }
  }
}

function nothing(): StoredStream {
  return { log: undefined, messagesUntil: 0, epochUntil: 0, state: undefined }
}

function append(stored: StoredStream, logged: NonNullable<PublishEntry['logged']>, at: number): void {
  const { epoch, message, retention } = logged
  if (stored.log?.epoch !== epoch) stored.log = new MemoryLog(epoch)
  else if (at >= stored.messagesUntil) stored.log.expire()
  stored.log.append(message, retention.size)
  extend(stored, retention.ttlMs, at)
}

function extend(stored: StoredStream, ttlMs: number, at: number): void {
  stored.messagesUntil = at + ttlMs
  stored.epochUntil = at + ttlMs * TOP_OUTLIVES_LOG
}
