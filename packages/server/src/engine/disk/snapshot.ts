import type { StreamMessage } from '../engine.js'
import { MemoryLog } from '../memory/log.js'
import type { ByteReader, ByteWriter } from './bytes.js'
import {
  decodeHeld,
  decodeKept,
  decodeMessage,
  decodePlace,
  encodeHeld,
  encodeKept,
  encodeMessage,
  encodePlace,
} from './entry.js'
import { FrameWriter, scanFrames } from './frame.js'
import { encodeHeading, fileName, HEADING_BYTES, readHeading } from './heading.js'
import { createWhole, type Storage, type StoredFile } from './storage.js'
import type { StoredStream } from './streams.js'
import { type IsCovered, type Tables, entryKey } from './tables.js'

const STREAM = 1
const MESSAGES = 2
const REMEMBERED = 3
const RECORD = 4
const END = 5
const ENTRY = 6
const PLACE = 7

const HAS_LOG = 1
const HAS_STATE = 2

/** How much is encoded at a time: the event loop waits that long and no longer. */
const STEP_BYTES = 262_144

/** Where a snapshot stands in the journal. */
export interface SnapshotPlace {
  /** The number of the first segment that follows it. */
  readonly number: number
  /** The number of the last record before that segment. */
  readonly sequence: number
}

/**
 * Writes the whole state to a file, which is there as a whole or not at all, and answers its size. The state may go on changing meanwhile: each key is written
 * with the number of the last record applied to it then (`applied`), and a replay leaves out for that key what it holds already. Rejects when `signal` aborts.
 */
export async function writeSnapshot(
  storage: Storage,
  place: SnapshotPlace,
  tables: Tables,
  applied: () => number,
  signal?: AbortSignal,
): Promise<number> {
  let size = 0
  const file = await createWhole(storage, fileName('snapshot', place.number), async (draft) => {
    size = await new SnapshotWriter(draft, applied, signal).write(place, tables)
  })
  await file.close()
  return size
}

class SnapshotWriter {
  readonly #file: StoredFile
  readonly #applied: () => number
  readonly #signal: AbortSignal | undefined
  readonly #frames = new FrameWriter()
  #written = 0
  #sequence = 0

  constructor(file: StoredFile, applied: () => number, signal: AbortSignal | undefined) {
    this.#file = file
    this.#applied = applied
    this.#signal = signal
  }

  async write(place: SnapshotPlace, tables: Tables): Promise<number> {
    const heading = encodeHeading({ kind: 'snapshot', ...place })
    await this.#file.write(heading, 0)
    this.#written = heading.length
    for (const [key, stored] of oldest(tables.streams)) await this.#stream(key, stored)
    for (const [key, { until, fingerprint, outcome }] of oldest(tables.remembered)) {
      await this.#keyed(REMEMBERED, key, (to) => {
        for (const text of [fingerprint, outcome.epoch, outcome.id]) to.text(text)
        to.number(outcome.offset)
        to.number(until)
      })
    }
    for (const [key, { record, until }] of oldest(tables.records))
      await this.#keyed(RECORD, key, (to) => encodeHeld({ ...record, until }, to))
    for (const [register, entries] of oldest(tables.registers.tables())) {
      for (const [key, entry] of oldest(entries)) {
        await this.#keyed(ENTRY, register, (to) => {
          to.text(key)
          encodeKept(entry, to)
        })
      }
    }
    for (const [index, places] of oldest(tables.indexes.tables())) {
      for (const [key, place] of oldest(places)) {
        await this.#keyed(PLACE, index, (to) => {
          to.text(key)
          encodePlace(place, to)
        })
      }
    }
    this.#add(END, () => undefined)
    await this.#flush()
    return this.#written
  }

  async #stream(key: string, stored: StoredStream): Promise<void> {
    const kept = stored.log?.kept()
    const { state, messagesUntil, epochUntil } = stored
    await this.#keyed(STREAM, key, (to) => {
      to.number(messagesUntil)
      to.number(epochUntil)
      to.byte((kept ? HAS_LOG : 0) | (state ? HAS_STATE : 0))
      if (kept) {
        for (const text of [kept.epoch, kept.top.id]) to.text(text)
        for (const number of [kept.top.offset, kept.expiredUpTo, kept.messages.length]) to.number(number)
      }
      if (state) encodeHeld(state, to)
    })
    // The list is a copy, so that messages may come and go while it is written.
    for (const message of kept?.messages ?? []) {
      this.#add(MESSAGES, (to) => encodeMessage(message, to))
      await this.#step()
    }
  }

  async #keyed(kind: number, key: string, fill: (to: ByteWriter) => void): Promise<void> {
    this.#add(kind, (to) => {
      to.text(key)
      to.number(this.#applied())
      fill(to)
    })
    await this.#step()
  }

  #add(kind: number, fill: (to: ByteWriter) => void): void {
    this.#sequence += 1
    this.#frames.add(this.#sequence, (to) => {
      to.byte(kind)
      fill(to)
    })
  }

  #step(): Promise<void> | undefined {
    return this.#frames.length < STEP_BYTES ? undefined : this.#flush()
  }

  async #flush(): Promise<void> {
    this.#signal?.throwIfAborted()
    await this.#file.write(this.#frames.bytes, this.#written)
    this.#written += this.#frames.length
    this.#frames.clear()
  }
}

/**
 * The entries that were there at the first step. What is written again meanwhile moves to the end of its table or is new there; its record is in the journal
 * behind the snapshot, and without a limit a busy table would never end.
 */
function* oldest<T>(table: { readonly size: number; entries(): Iterable<T> }): Generator<T> {
  let left = table.size
  for (const entry of table.entries()) {
    if (left === 0) return
    left -= 1
    yield entry
  }
}

/** What was read of a snapshot. */
export interface LoadedSnapshot extends SnapshotPlace {
  /** False: it is damaged, and the tables hold what stood before the damage. */
  readonly isWhole: boolean
  readonly bytes: number
  /** Whether the record with this number is in the snapshot for this key. */
  isCovered(sequence: number): IsCovered
}

/** Reads a snapshot into empty tables; undefined when there is nothing in it that could be read. */
export async function loadSnapshot(file: StoredFile, tables: Tables): Promise<LoadedSnapshot | undefined> {
  const heading = await readHeading(file, 'snapshot')
  if (heading === undefined) return undefined
  const reader = new SnapshotReader(tables, heading.sequence)
  const scan = await scanFrames(file, { start: HEADING_BYTES, first: 1 }, ({ payload }) => reader.take(payload))
  reader.finish()
  const { number, sequence } = heading
  const isWhole = reader.isEnded && !scan.rest
  return { number, sequence, isWhole, bytes: scan.end, isCovered: (at) => reader.isCovered(at) }
}

interface OpenStream {
  readonly key: string
  readonly stored: StoredStream
  readonly log: { epoch: string; top: { offset: number; id: string }; expiredUpTo: number; messages: StreamMessage[] }
  readonly count: number
}

class SnapshotReader {
  readonly #tables: Tables
  readonly #sequence: number
  /** Keys written after the snapshot began, with the record they stand at. */
  readonly #ahead = new Map<string, number>()
  /** The stream whose messages follow. */
  #open: OpenStream | undefined
  #isEnded = false

  constructor(tables: Tables, sequence: number) {
    this.#tables = tables
    this.#sequence = sequence
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  isCovered(sequence: number): IsCovered {
    if (this.#ahead.size === 0) return () => false
    return (table, key) => (this.#ahead.get(`${table} ${key}`) ?? 0) >= sequence
  }

  take(from: ByteReader): void {
    const kind = from.byte()
    if (kind === MESSAGES) this.#open?.log.messages.push(decodeMessage(from))
    else this.finish()
    if (kind === STREAM) this.#stream(from)
    else if (kind === REMEMBERED) this.#remembered(from)
    else if (kind === RECORD) this.#record(from)
    else if (kind === ENTRY) this.#entry(from)
    else if (kind === PLACE) this.#place(from)
    else if (kind === END) this.#isEnded = true
    else if (kind !== MESSAGES) throw new Error(`the snapshot has an entry of the unknown kind ${kind}`)
  }

  /** Puts the stream that was read last into its table: whole, or not at all. */
  finish(): void {
    if (this.#open === undefined) return
    const { key, stored, log, count } = this.#open
    if (log.messages.length === count) this.#tables.streams.restore(key, { ...stored, log: MemoryLog.restore(log) })
    this.#open = undefined
  }

  #stream(from: ByteReader): void {
    const key = this.#key('streams', from)
    const [messagesUntil, epochUntil, has] = [from.number(), from.number(), from.byte()]
    const log = has & HAS_LOG ? decodeLog(from) : undefined
    const state = has & HAS_STATE ? decodeHeld(from) : undefined
    const stored = { log: undefined, messagesUntil, epochUntil, state }
    if (log === undefined) this.#tables.streams.restore(key, stored)
    else this.#open = { key, stored, ...log }
  }

  #remembered(from: ByteReader): void {
    const key = this.#key('remembered', from)
    const [fingerprint, epoch, id] = [from.text(), from.text(), from.text()]
    const [offset, until] = [from.number(), from.number()]
    const outcome = { kind: 'published', epoch, offset, id, duplicate: false } as const
    this.#tables.remembered.set(key, { until, fingerprint, outcome })
  }

  #record(from: ByteReader): void {
    const key = this.#key('records', from)
    const { value, version, until } = decodeHeld(from)
    this.#tables.records.hold(key, { value, version }, until)
  }

  #entry(from: ByteReader): void {
    const [register, applied, key] = [from.text(), from.number(), from.text()]
    this.#note('registers', entryKey(register, key), applied)
    this.#tables.registers.hold(register, key, decodeKept(from))
  }

  #place(from: ByteReader): void {
    const [index, applied, key] = [from.text(), from.number(), from.text()]
    this.#note('indexes', entryKey(index, key), applied)
    this.#tables.indexes.hold(index, key, decodePlace(from))
  }

  #key(table: Parameters<IsCovered>[0], from: ByteReader): string {
    const key = from.text()
    this.#note(table, key, from.number())
    return key
  }

  #note(table: Parameters<IsCovered>[0], key: string, applied: number): void {
    if (applied > this.#sequence) this.#ahead.set(`${table} ${key}`, applied)
  }
}

function decodeLog(from: ByteReader): Pick<OpenStream, 'log' | 'count'> {
  const [epoch, id] = [from.text(), from.text()]
  const [offset, expiredUpTo, count] = [from.number(), from.number(), from.number()]
  return { log: { epoch, top: { offset, id }, expiredUpTo, messages: [] }, count }
}
