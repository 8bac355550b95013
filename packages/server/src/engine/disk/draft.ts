import type { Random } from '../../random.js'
import {
  type PublishOutcome,
  type PublishRequest,
  type Retention,
  type StoredRecord,
  type Stream,
  streamKey,
} from '../engine.js'
import { IDEMPOTENCY_KEPT_MS, fingerprint, idempotencyKey } from '../memory/idempotency.js'
import { sizeWith } from '../settled.js'
import type { BeginEntry, Entry, PublishEntry } from './entry.js'
import { IndexDraft } from './index-draft.js'
import { RegisterDraft } from './register-draft.js'
import type { StreamHead } from './streams.js'
import type { Tables } from './tables.js'

/** What a request came to: the entries that make it so, once they are on the disk, and what is answered then. */
export interface Decision<T> {
  readonly entries: readonly Entry[]
  readonly answer: T
  /** Called when the entries are stored, before the answer. */
  announce?(): void
}

type Published = Extract<PublishOutcome, { kind: 'published' }>

/**
 * The state as it will be when everything decided since the last write is on the disk. Requests of one group are decided on it one after the other, while
 * readers go on seeing the tables, which hold nothing that could still be lost. A group that cannot be written is forgotten with its draft.
 */
export class Draft {
  readonly #tables: Tables
  readonly #random: Random
  readonly #now: number
  readonly #heads = new Map<string, StreamHead>()
  readonly #stateVersions = new Map<string, number>()
  readonly #remembered = new Map<string, { readonly fingerprint: string; readonly outcome: Published }>()
  readonly #records = new Map<string, StoredRecord | undefined>()

  /** What is done to registers. */
  readonly registers: RegisterDraft
  /** What is done to indexes. */
  readonly indexes: IndexDraft

  /** Everything in it happens at `now`. */
  constructor(tables: Tables, random: Random, now: number) {
    this.#tables = tables
    this.#random = random
    this.#now = now
    this.registers = new RegisterDraft(tables.registers, now)
    this.indexes = new IndexDraft(tables.indexes, now)
  }

  /** Whether anything in it concerns a stream. */
  concerns(stream: string): boolean {
    return this.#heads.has(stream) || this.#stateVersions.has(stream)
  }

  publish(request: PublishRequest): Decision<PublishOutcome> {
    const stream = streamKey(request.stream)
    const key = request.idempotency && idempotencyKey(stream, request.idempotency)
    const print = key === undefined ? '' : fingerprint(request)
    const earlier = key === undefined ? undefined : (this.#remembered.get(key) ?? this.#tables.remembered.get(key))
    if (earlier && earlier.fingerprint !== print) return refusal({ kind: 'idempotency_conflict' })
    if (earlier) return refusal({ ...earlier.outcome, duplicate: true })
    if (request.state && request.state.ifVersion !== this.#stateVersion(stream))
      return refusal({ kind: 'state_conflict' })
    const entry = this.#publishEntry(stream, request)
    const outcome = outcomeOf(entry)
    if (key === undefined) return { entries: [entry], answer: outcome }
    this.#remembered.set(key, { fingerprint: print, outcome })
    const remembered = { key, fingerprint: print, until: this.#now + IDEMPOTENCY_KEPT_MS }
    return { entries: [{ ...entry, remembered }], answer: outcome }
  }

  /** Sees to it that each of these streams has a log. */
  begin(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Decision<undefined> {
    const entries = logs.flatMap(({ stream, retention }) => {
      const key = streamKey(stream)
      return this.#head(key) ? [] : [this.#begin(key, retention.ttlMs)]
    })
    return { entries, answer: undefined }
  }

  /** The epoch in force is answered, and begins with the decision if it is not the one that was. */
  rotate(stream: Stream, epoch: string): Decision<string> {
    const key = streamKey(stream)
    const head = this.#head(key)
    if (head?.epoch !== epoch) return refusal(head?.epoch ?? '')
    const entry = this.#begin(key, undefined)
    return { entries: [entry], answer: entry.epoch }
  }

  put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Decision<number | undefined> {
    const held = this.#record(key)?.version ?? 0
    if (options.ifVersion !== undefined && options.ifVersion !== held) return refusal(undefined)
    const record = { value, version: held + 1 }
    this.#records.set(key, record)
    return { entries: [{ kind: 'put', key, ...record, until: this.#now + options.ttlMs }], answer: record.version }
  }

  take(key: string): Decision<StoredRecord | undefined> {
    const record = this.#record(key)
    if (record === undefined) return refusal(undefined)
    this.#records.set(key, undefined)
    return { entries: [{ kind: 'take', key }], answer: record }
  }

  #publishEntry(stream: string, request: PublishRequest): PublishEntry {
    const { event, data, from, at, retention, settled, final, state } = request
    const id = request.id ?? this.#random.id(8)
    const place = retention ? this.#nextPlace(stream) : { epoch: '', offset: 0 }
    const { epoch, offset } = place
    const message = { id, offset, event, data, from, at, ...(final && { final }) }
    if (state) this.#stateVersions.set(stream, state.ifVersion + 1)
    const kept = retention && settled ? { ...retention, size: sizeWith(retention.size, settled, place) } : retention
    return {
      kind: 'publish',
      stream,
      at: this.#now,
      id,
      logged: kept && { epoch, message, retention: kept },
      state: state && { value: state.value, version: state.ifVersion + 1, until: this.#now + state.ttlMs },
      remembered: undefined,
    }
  }

  #nextPlace(stream: string): StreamHead {
    const head = this.#head(stream) ?? { epoch: this.#random.id(8), offset: 0 }
    const next = { epoch: head.epoch, offset: head.offset + 1 }
    this.#heads.set(stream, next)
    return next
  }

  #begin(stream: string, ttlMs: number | undefined): BeginEntry {
    const epoch = this.#random.id(8)
    this.#heads.set(stream, { epoch, offset: 0 })
    return { kind: 'begin', stream, at: this.#now, epoch, ttlMs }
  }

  #head(stream: string): StreamHead | undefined {
    return this.#heads.get(stream) ?? this.#tables.streams.head(stream, this.#now)
  }

  #stateVersion(stream: string): number {
    return this.#stateVersions.get(stream) ?? this.#tables.streams.state(stream, this.#now)?.version ?? 0
  }

  #record(key: string): StoredRecord | undefined {
    return this.#records.has(key) ? this.#records.get(key) : this.#tables.records.peek(key)
  }
}

function refusal<T>(answer: T): Decision<T> {
  return { entries: [], answer }
}

function outcomeOf({ id, logged }: PublishEntry): Published {
  const { epoch, message } = logged ?? { epoch: '', message: { offset: 0 } }
  return { kind: 'published', epoch, offset: message.offset, id, duplicate: false }
}
