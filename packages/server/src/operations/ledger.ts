import type { OperationSnapshot } from '@holdfast/protocol'
import type { Cancel } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { OperationRecord } from './record.js'
import type { Ruling } from './ruling.js'
import { operationKey } from './store.js'
import type { Word } from './word.js'
import { Writer, type WriterParts } from './writer.js'

/** Writers kept at most while nobody needs them; one that has a worker here is needed. */
const IDLE_WRITERS_MAX = 10_000

/** How often writers that nobody needs are let go. */
const SWEEP_MS = 30_000

/** Milliseconds for which what is known of an operation is believed without a look. */
const FRESH_MS = 2_000

/** What a ledger holds at one moment. */
export interface LedgerStats {
  /** Operations that this node has to do with now, wherever their workers are: each has a writer. */
  readonly writers: number
  /** Changes that wait to be written, or are being written; reports that were gathered are one. */
  readonly changesWaiting: number
  /** Milliseconds for which the oldest of them has waited; 0 where none does. */
  readonly oldestWaitingMs: number
}

/** The operations that this node has to do with now, each with its writer. */
export class Ledger {
  readonly #parts: WriterParts
  readonly #writers = new Map<string, Writer>()
  readonly #loading = new Map<string, Promise<Writer | undefined>>()
  #stop: Cancel | undefined

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  /** What it holds, and what waits to be written. */
  stats(): LedgerStats {
    let changesWaiting = 0
    const now = this.#parts.clock.now()
    let oldest = now
    for (const { waiting } of this.#writers.values()) {
      changesWaiting += waiting.count
      oldest = Math.min(oldest, waiting.since ?? now)
    }
    return { writers: this.#writers.size, changesWaiting, oldestWaitingMs: now - oldest }
  }

  start(): void {
    this.#stop ??= this.#parts.clock.every(SWEEP_MS, () => this.#sweep())
  }

  /** Writes what waits, where the engine can be reached. */
  async stop(): Promise<void> {
    this.#stop?.()
    this.#stop = undefined
    await Promise.all(Array.from(this.#writers.values(), (writer) => writer.stop()))
  }

  /** The writer of an operation that this node has to do with already. */
  here(tenant: string, id: string): Writer | undefined {
    return this.#writers.get(operationKey(tenant, id))
  }

  /** The writer of an operation, with what the engine has or had a moment ago; undefined where there is no such operation. Rejects when the engine cannot be reached. */
  async find(tenant: string, id: string): Promise<Writer | undefined> {
    const key = operationKey(tenant, id)
    const known = this.#writers.get(key)
    if (known === undefined) return this.#load(key, tenant, id)
    if (this.#parts.clock.now() - known.knownAt > FRESH_MS) await known.refresh()
    return this.#unlessGone(key, known)
  }

  /** Takes up what was written just now. */
  adopt(record: OperationRecord): Writer {
    const { tenant, id } = record.snapshot
    const key = operationKey(tenant, id)
    // Somebody may have spoken of it before its beginning was answered.
    const known = this.#writers.get(key)
    const isThis = known?.stored.work.createdAt === record.work.createdAt
    return known && isThis ? known : this.#keep(key, new Writer(this.#parts, record, true))
  }

  /**
   * Says a word of an operation; with `isStored` it is written when that resolves. @throws HoldfastError `not_found`, or why it is refused, then also by the engine.
   */
  async say(
    tenant: string,
    id: string,
    word: Word,
    { isStored = false }: { readonly isStored?: boolean } = {},
  ): Promise<{ readonly writer: Writer; readonly ruling: Ruling; readonly record: OperationRecord }> {
    const writer = await this.find(tenant, id)
    if (writer === undefined) throw new HoldfastError('not_found')
    let ruling = writer.say(word)
    if (ruling.kind === 'refused') {
      await writer.reconsider(ruling.code)
      ruling = writer.say(word)
    }
    if (ruling.kind === 'refused') throw new HoldfastError(ruling.code, ruling.message)
    // In the same turn: a write that is refused at once would be over before anybody waits for it.
    return { writer, ruling, record: isStored ? await writer.written() : writer.record }
  }

  /** The version that is stored when everything said here so far is. @throws HoldfastError `not_found`, `stale_report` when it is not one that is meant. */
  async versionOf(tenant: string, id: string, isMeant: (stored: OperationSnapshot) => boolean): Promise<number> {
    const writer = await this.find(tenant, id)
    if (writer === undefined) throw new HoldfastError('not_found')
    // What cannot be written was refused to whoever said it.
    await writer.written().catch(() => undefined)
    await writer.refresh()
    const { snapshot } = writer.stored
    if (isMeant(snapshot)) return snapshot.version
    throw new HoldfastError('stale_report', 'the operation is another than the one that is meant')
  }

  /** Says a word where no look is needed for that. Undefined: it was not said. */
  sayAtOnce(tenant: string, id: string, word: Word): Writer | undefined {
    const writer = this.#writers.get(operationKey(tenant, id))
    if (writer === undefined || writer.isGone || this.#parts.clock.now() - writer.knownAt > FRESH_MS) return undefined
    // Whoever takes up what nobody had has to note that first.
    if (writer.record.work.idleSince !== undefined) return undefined
    return writer.say(word).kind === 'refused' ? undefined : writer
  }

  async #load(key: string, tenant: string, id: string): Promise<Writer | undefined> {
    const earlier = this.#loading.get(key)
    if (earlier !== undefined) return earlier
    const loading = this.#read(key, tenant, id).finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    return loading
  }

  async #read(key: string, tenant: string, id: string): Promise<Writer | undefined> {
    const stored = await this.#parts.store.read(tenant, id)
    const known = this.#writers.get(key)
    if (known !== undefined || stored === undefined) return known
    return this.#keep(key, new Writer(this.#parts, stored))
  }

  #keep(key: string, writer: Writer): Writer {
    this.#writers.set(key, writer)
    if (this.#writers.size > IDLE_WRITERS_MAX) this.#sweepOldest()
    return writer
  }

  #unlessGone(key: string, writer: Writer): Writer | undefined {
    if (!writer.isGone || !writer.isIdle) return writer
    this.#writers.delete(key)
    return undefined
  }

  #sweep(): void {
    const before = this.#parts.clock.now() - SWEEP_MS
    for (const [key, writer] of this.#writers) if (writer.isIdle && writer.knownAt < before) this.#writers.delete(key)
  }

  /** The oldest that nobody needs; looks at few, so that many that are needed do not make each new one slow. */
  #sweepOldest(): void {
    let looked = 0
    for (const [key, writer] of this.#writers) {
      if (writer.isIdle) return void this.#writers.delete(key)
      looked += 1
      if (looked === 100) return
    }
  }
}
