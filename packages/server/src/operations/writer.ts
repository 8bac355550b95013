import { type ErrorCode, type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Cancel, Clock } from '../clock.js'
import { HoldfastError, asHoldfastError } from '../core/errors.js'
import { isNamed } from './named-words.js'
import { isRepeatable } from './pending-words.js'
import { type OperationRecord, showRecord } from './record.js'
import { type Ruling, type Terms, rule } from './ruling.js'
import { type Change, Step } from './step.js'
import type { OperationStore } from './store.js'
import type { Word } from './word.js'

/** What a writer needs of its surroundings. */
export interface WriterParts {
  readonly clock: Clock
  readonly store: OperationStore
  readonly terms: Terms
  /** Milliseconds between updates that may be held back. */
  readonly conflateMs: number
  /** A name that no other writer has. */
  readonly newStamp: () => string
  /** Milliseconds for which an operation that has ended is kept at least. */
  readonly keptMs: number
  /** Called after each write of this node. */
  readonly onWritten: (record: OperationRecord, event: OperationEvent) => void
  readonly onError: (error: unknown) => void
}

/** How often a write that met another writer is tried again. */
const WRITES_MAX = 10

/** Milliseconds until what the engine refused is tried again. */
const RETRY_MS = 1_000

/** Steps that wait, at most. Beyond it what is urgent is refused. */
const STEPS_MAX = 1_000

/** Steps full of reports that are counted once each, at most. Beyond it those are refused: they can be said again. */
const FULL_STEPS_MAX = 10

/** Writers whose last write is recognised, each by its stamp, when its answer was lost and others have written since. */
const STAMPS_MAX = 8

const OVERTAKEN: Ruling = { kind: 'refused', code: 'stale_report', message: 'the operation is another by now' }

/** By how much the versions rise where the engine has lost some: other nodes may have told of more than this one knows. */
const LOST_VERSIONS = 1_000

/**
 * Writes one operation on behalf of whoever speaks of it on this node. Words are ruled at once, on the record as it will be; the writes follow: urgent ones in the same turn,
 * the others gathered. Where another node wrote in between, the words that wait are ruled again on what it wrote.
 */
export class Writer {
  /** When the operation was entered last where it is to be found. */
  enteredAt: number
  readonly #parts: WriterParts
  /** As the engine has it. */
  #stored: OperationRecord
  readonly #steps: Step[] = []
  #held: Cancel | undefined
  /** The writes under way. */
  #writing: Promise<void> | undefined
  #writtenAt: number
  #knownAt: number
  /** When the engine was last known to have it. */
  #foundAt: number
  #retryAt = 0
  #isGone = false
  #isForgotten = false
  #isStopped = false
  /** The name in the stamps of this writer, and how many there were. */
  #name: string | undefined
  #stamps = 0
  readonly #listeners = new Set<() => void>()

  /** `isNew`: it was written just now. */
  constructor(parts: WriterParts, stored: OperationRecord, isNew: boolean = false) {
    this.#parts = parts
    this.#stored = stored
    this.#knownAt = this.#foundAt = parts.clock.now()
    this.#writtenAt = this.enteredAt = isNew ? this.#knownAt : 0
  }

  /** The record as it will be when everything that waits is written. */
  get record(): OperationRecord {
    return this.#steps.at(-1)?.next ?? this.#stored
  }

  /** The record as the engine has it. */
  get stored(): OperationRecord {
    return this.#stored
  }

  /** What watchers see, or are about to see. */
  get snapshot(): OperationSnapshot {
    const waiting = this.#steps.length
    if (waiting === 0) return this.#stored.snapshot
    return showRecord(this.record, this.#parts.clock.now(), this.#stored.snapshot.version + waiting)
  }

  /** Changes that wait to be written, or are being written; and when the oldest of them was said, in milliseconds since 1970. */
  get waiting(): { readonly count: number; readonly since: number | undefined } {
    return { count: this.#steps.length, since: this.#steps[0]?.since }
  }

  /** Whether nothing waits and nobody listens: it may be forgotten. */
  get isIdle(): boolean {
    return this.#steps.length === 0 && this.#listeners.size === 0
  }

  /** When it was last known what the engine has. */
  get knownAt(): number {
    return this.#knownAt
  }

  /** Whether the engine has the operation no more. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Whether it has ended so long ago that it is not kept any more, without a word of that here. */
  get isForgotten(): boolean {
    return this.#isForgotten
  }

  /** Calls `listener` when the record is another. Answers its undo. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Rules a word, and writes what it comes to. */
  say(word: Word): Ruling {
    const { clock, terms } = this.#parts
    const now = clock.now()
    const { record } = this
    if (this.#isStopped) return { kind: 'refused', code: 'engine_unavailable', message: 'the node is going away' }
    const ruling = this.#isOvertaken(word, record) ? OVERTAKEN : rule(record, word, now, terms)
    if (ruling.kind !== 'changed') return ruling
    if (this.#isTooMuch(word, ruling.isUrgent))
      return { kind: 'refused', code: 'engine_unavailable', message: 'too many changes wait to be written' }
    this.#add(ofAttempt(word, record.snapshot.attempt), ruling, now)
    if (ruling.isUrgent) this.#tellListeners()
    this.#schedule()
    return ruling
  }

  /** Resolves to what was written with the last word that was said; rejects when that came to nothing. To be called in the turn in which it was said. */
  written(): Promise<OperationRecord> {
    const last = this.#steps.at(-1)
    if (last === undefined) return Promise.resolve(this.#stored)
    if (this.#isStopped) return Promise.reject(new HoldfastError('engine_unavailable'))
    const written = last.written()
    this.#flush()
    return written
  }

  /** Looks at what the engine has. Rejects when it cannot be reached. */
  async refresh(): Promise<void> {
    // Who writes finds out by itself.
    if (this.#writing !== undefined) return
    const before = this.#stored
    const stored = await this.#parts.store.read(before.snapshot.tenant, before.snapshot.id)
    // What was written meanwhile is newer than what was read.
    if (this.#writing !== undefined || this.#stored !== before) return
    this.#isGone = stored === undefined
    this.#knownAt = this.#parts.clock.now()
    if (stored === undefined) return
    this.#foundAt = this.#knownAt
    const [head] = this.#steps
    if (head?.stamp !== undefined && stored.work.stamps.includes(head.stamp)) this.#found(head, stored)
    else if (stored.snapshot.version !== before.snapshot.version) this.#rebase(this.#newest(stored))
  }

  /** Finds out what a word is to be ruled on that was refused: what is yet to be written may come to nothing, and another node may have written. */
  async reconsider(code: ErrorCode): Promise<void> {
    if (code !== 'already_ended') {
      await this.#writing
      return this.refresh()
    }
    if (!isTerminal(this.#stored.snapshot.state)) await this.written().catch(() => undefined)
  }

  /** Writes what waits, if that can be done now, and then nothing any more. */
  async stop(): Promise<void> {
    if (this.#steps.length > 0) await this.written().catch(() => undefined)
    this.#isStopped = true
    this.#held?.()
    this.#held = undefined
  }

  /** Whether something was said since the version that a word is to follow. */
  #isOvertaken(word: Word, record: OperationRecord): boolean {
    if (word.do !== 'report' || word.after === undefined) return false
    return record !== this.#stored || record.snapshot.version !== word.after
  }

  #isTooMuch(word: Word, isUrgent: boolean): boolean {
    if (isUrgent) return this.#steps.length >= STEPS_MAX
    if (word.do !== 'report' || !isRepeatable(word.report)) return false
    return this.#steps.filter(({ isFull }) => isFull).length >= FULL_STEPS_MAX
  }

  #add(word: Word, change: Change, now: number): void {
    const last = this.#steps.at(-1)
    if (last?.isOpen) last.add(word, change, now)
    else this.#steps.push(new Step(word, change, now))
  }

  #schedule(): void {
    if (this.#isStopped || this.#writing !== undefined) return
    if (this.#held !== undefined) {
      if (this.#waitMs() > 0) return
      this.#held()
      this.#held = undefined
    }
    if (this.#steps.length === 0) return
    const wait = this.#waitMs()
    if (wait <= 0) {
      this.#writing = Promise.resolve()
      this.#writing = this.#run()
      return
    }
    this.#held = this.#parts.clock.after(wait, () => {
      this.#held = undefined
      this.#schedule()
    })
  }

  #waitMs(): number {
    const now = this.#parts.clock.now()
    const retry = this.#retryAt - now
    const [head] = this.#steps
    if (retry > 0 || head === undefined) return retry
    const isPressing = head.isUrgent || this.#steps.length > 1 || head.isAwaited
    return isPressing ? 0 : this.#writtenAt + this.#parts.conflateMs - now
  }

  /** Somebody waits. */
  #flush(): void {
    this.#retryAt = 0
    this.#schedule()
  }

  async #run(): Promise<void> {
    while (this.#steps.length > 0 && this.#waitMs() <= 0) await this.#writeHead()
    this.#writing = undefined
    this.#schedule()
  }

  async #writeHead(): Promise<void> {
    const [head] = this.#steps
    if (head === undefined) return
    head.stamp ??= this.#newStamp()
    try {
      for (let tries = 0; tries < WRITES_MAX; tries += 1) {
        if (await this.#write(head)) return
        if (await this.#catchUp(head)) return
      }
      throw new HoldfastError('engine_unavailable', 'the operation could not be written')
    } catch (error) {
      this.#failed(head, error)
    }
  }

  async #write(head: Step): Promise<boolean> {
    const { clock, store } = this.#parts
    const now = clock.now()
    const { next, event, stamp = '' } = head
    const others = next.work.stamps.filter((other) => !other.startsWith(`${this.#name}.`))
    const work = { ...next.work, stamps: [stamp, ...others.slice(0, STAMPS_MAX - 1)] }
    const record = { ...next, snapshot: showRecord(next, now, this.#stored.snapshot.version + 1), work }
    if (!(await store.write(record, event, now))) return false
    this.#done(head, record)
    return true
  }

  #newStamp(): string {
    this.#name ??= this.#parts.newStamp()
    this.#stamps += 1
    return `${this.#name}.${this.#stamps}`
  }

  #done(head: Step, record: OperationRecord): void {
    this.#stored = record
    this.#isGone = false
    this.#knownAt = this.#foundAt = this.#writtenAt = this.#parts.clock.now()
    this.#steps.shift()
    this.#tellListeners()
    head.done(record)
    const { state } = record.snapshot
    this.#parts.onWritten(record, isTerminal(state) ? state : head.event)
  }

  /** It was this very write whose answer was lost. Others may have written since: what waits is ruled on that. */
  #found(head: Step, stored: OperationRecord): void {
    this.#done(head, stored)
    this.#rebase(stored)
  }

  /** Somebody else wrote: goes on from what they say. True when nothing is left of what was to be written. */
  async #catchUp(head: Step): Promise<boolean> {
    const { tenant, id } = this.#stored.snapshot
    const stored = await this.#parts.store.read(tenant, id)
    const now = (this.#knownAt = this.#parts.clock.now())
    if (head.stamp !== undefined && stored?.work.stamps.includes(head.stamp)) {
      this.#found(head, stored)
      return true
    }
    if (stored === undefined && this.#hasEndedUnseen(now)) return this.#forgotten()
    this.#foundAt = now
    this.#rebase(this.#newest(stored))
    return this.#steps[0] !== head
  }

  /** It is not there, although by what was seen of it last it should be: it has ended since, unless that end should be there as well. */
  #hasEndedUnseen(now: number): boolean {
    const { store, keptMs } = this.#parts
    const unseenMs = now - this.#foundAt
    return unseenMs >= keptMs && unseenMs < store.lifetime(this.#stored, this.#foundAt)
  }

  /** What to go on from. What the engine has lost comes back, with everything that is known of it here, and with versions that nobody has seen. */
  #newest(stored: OperationRecord | undefined): OperationRecord {
    const { snapshot, work } = this.#stored
    const isSame = stored === undefined || stored.work.createdAt === work.createdAt
    if (stored !== undefined && (!isSame || stored.snapshot.version >= snapshot.version)) return stored
    this.enteredAt = 0
    const version = snapshot.version + LOST_VERSIONS
    const kept = stored === undefined ? 0 : stored.snapshot.version - stored.work.unstored
    return { ...this.#stored, snapshot: { ...snapshot, version }, work: { ...work, unstored: version - kept } }
  }

  /** It ended elsewhere, so long ago that it is not kept any more: nothing that waits can be said of it. */
  #forgotten(): true {
    this.#isGone = this.#isForgotten = true
    for (const step of this.#steps.splice(0)) step.refuse(new HoldfastError('not_found'))
    this.#tellListeners()
    return true
  }

  /** Rules everything that waits again, on what is stored now. */
  #rebase(stored: OperationRecord): void {
    const { clock, terms, onError } = this.#parts
    this.#stored = stored
    const { named } = stored.work
    // What waits may be more than there are names: as each of it is ruled, the oldest of those names are forgotten.
    const wasSaid = (word: Word): boolean => word.do === 'report' && isNamed(named, word.report.key, clock.now())
    const objection = (word: Word, record: OperationRecord): Ruling | undefined =>
      this.#isOvertaken(word, record) ? OVERTAKEN : wasSaid(word) ? { kind: 'unchanged' } : undefined
    for (const step of this.#steps.splice(0))
      if (step.ruleAgain(this.record, terms, objection, onError)) this.#steps.push(step)
    this.#tellListeners()
  }

  /** It was not written, or nobody knows whether it was. */
  #failed(head: Step, cause: unknown): void {
    const isTooLarge = cause instanceof HoldfastError && cause.code === 'limit_exceeded'
    if (isTooLarge && head.slim()) return
    const error = isTooLarge ? cause : asHoldfastError(cause)
    if (!head.isAwaited) this.#parts.onError(cause)
    if (isTooLarge) head.drop(error)
    else {
      this.#retryAt = this.#parts.clock.now() + RETRY_MS
      for (const step of this.#steps) step.refuse(error)
    }
    this.#rebase(this.#stored)
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A word is for the attempt in force when it was said, whichever is when it is written. */
function ofAttempt(word: Word, attempt: number): Word {
  if (word.do === 'report' && word.report.attempt === undefined) return { ...word, report: { ...word.report, attempt } }
  if (word.do === 'heartbeat' && word.worker.attempt === undefined)
    return { ...word, worker: { ...word.worker, attempt } }
  if (word.do === 'end' && word.ending.attempt === undefined) return { ...word, ending: { ...word.ending, attempt } }
  return word
}
