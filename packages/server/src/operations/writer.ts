import { type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Cancel, Clock } from '../clock.js'
import { HoldfastError, asHoldfastError } from '../core/errors.js'
import { type OperationRecord, showRecord } from './record.js'
import { type Ruling, type Terms, rule } from './ruling.js'
import type { OperationStore } from './store.js'
import { type Word, mergeReports } from './word.js'

/** What a writer needs of its surroundings. */
export interface WriterParts {
  readonly clock: Clock
  readonly store: OperationStore
  readonly terms: Terms
  /** Milliseconds between updates that may be held back. */
  readonly conflateMs: number
  /** A name for a write that no other has. */
  readonly newStamp: () => string
  /** Called after each write of this node. */
  readonly onWritten: (record: OperationRecord, event: OperationEvent) => void
  readonly onError: (error: unknown) => void
}

interface Waiter {
  readonly key: string
  resolve(): void
  reject(error: unknown): void
}

/** One write to come: the words that led to it, and the record that they lead to. */
interface Step {
  /** In order; conflatable ones of one kind are merged. What is urgent stands last. */
  readonly words: Map<string, Word>
  next: OperationRecord
  event: OperationEvent
  isUrgent: boolean
  /** When the last word was said. */
  at: number
  /** Set when it is being written, or was tried: no word is added any more. */
  stamp: string | undefined
  readonly waiters: Waiter[]
}

/** How often a write that met another writer is tried again. */
const WRITES_MAX = 10

/** Milliseconds until what the engine refused is tried again. */
const RETRY_MS = 1_000

/** Steps that wait, at most. Beyond it what is urgent is refused. */
const STEPS_MAX = 1_000

/** The key of the one word of a step that is urgent. */
const URGENT = 'urgent'

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
  #isWriting = false
  #writtenAt: number
  #knownAt: number
  #retryAt = 0
  #isGone = false
  readonly #listeners = new Set<() => void>()

  /** `isNew`: it was written just now. */
  constructor(parts: WriterParts, stored: OperationRecord, isNew: boolean = false) {
    this.#parts = parts
    this.#stored = stored
    this.#knownAt = parts.clock.now()
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
    const ruling = rule(record, word, now, terms)
    if (ruling.kind !== 'changed') return ruling
    if (ruling.isUrgent && this.#steps.length >= STEPS_MAX)
      return { kind: 'refused', code: 'engine_unavailable', message: 'too many changes wait to be written' }
    this.#add(ofAttempt(word, record.snapshot.attempt), ruling, now)
    if (ruling.isUrgent) this.#tellListeners()
    this.#schedule()
    return ruling
  }

  /** Resolves when everything said so far is written; rejects when the last word came to nothing. */
  written(): Promise<void> {
    const last = this.#steps.at(-1)
    if (last === undefined) return Promise.resolve()
    const key = [...last.words.keys()].at(-1) ?? URGENT
    return new Promise<void>((resolve, reject) => {
      last.waiters.push({ key, resolve, reject })
      this.#flush()
    })
  }

  /** Looks at what the engine has. Rejects when it cannot be reached. */
  async refresh(): Promise<void> {
    // Who writes finds out by itself.
    if (this.#isWriting) return
    const { tenant, id } = this.#stored.snapshot
    const stored = await this.#parts.store.read(tenant, id)
    if (this.#isWriting) return
    this.#isGone = stored === undefined
    this.#knownAt = this.#parts.clock.now()
    if (stored !== undefined && stored.snapshot.version !== this.#stored.snapshot.version) this.#rebase(stored)
  }

  #add(word: Word, { record, event, isUrgent }: Ruling & { kind: 'changed' }, now: number): void {
    const last = this.#steps.at(-1)
    // What could be held back goes with what comes next, whatever that is.
    if (last !== undefined && !last.isUrgent && last.stamp === undefined) {
      addWord(last.words, word, isUrgent, last.next)
      Object.assign(last, { next: record, event, isUrgent, at: now })
      return
    }
    const words = new Map<string, Word>()
    addWord(words, word, isUrgent, undefined)
    this.#steps.push({ words, next: record, event, isUrgent, at: now, stamp: undefined, waiters: [] })
  }

  #schedule(): void {
    if (this.#isWriting || this.#held !== undefined) {
      if (this.#isWriting || this.#waitMs() > 0) return
      this.#held?.()
      this.#held = undefined
    }
    if (this.#steps.length === 0) return
    const wait = this.#waitMs()
    if (wait <= 0) return void this.#run()
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
    const isPressing = head.isUrgent || this.#steps.length > 1 || head.waiters.length > 0
    return isPressing ? 0 : this.#writtenAt + this.#parts.conflateMs - now
  }

  /** Somebody waits. */
  #flush(): void {
    this.#retryAt = 0
    this.#schedule()
  }

  async #run(): Promise<void> {
    this.#isWriting = true
    while (this.#steps.length > 0 && this.#waitMs() <= 0) await this.#writeHead()
    this.#isWriting = false
    this.#schedule()
  }

  async #writeHead(): Promise<void> {
    const [head] = this.#steps
    if (head === undefined) return
    head.stamp ??= this.#parts.newStamp()
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
    const { next, event, stamp } = head
    const work = { ...next.work, stamp }
    const record = { ...next, snapshot: showRecord(next, now, this.#stored.snapshot.version + 1), work }
    if (!(await store.write(record, event, now))) return false
    this.#done(head, record)
    return true
  }

  #done(head: Step, record: OperationRecord): void {
    this.#stored = record
    this.#isGone = false
    this.#knownAt = this.#writtenAt = this.#parts.clock.now()
    this.#steps.shift()
    this.#tellListeners()
    for (const waiter of head.waiters) waiter.resolve()
    const { state } = record.snapshot
    this.#parts.onWritten(record, isTerminal(state) ? state : head.event)
  }

  /** Somebody else wrote: goes on from what they say. True when nothing is left of what was to be written. */
  async #catchUp(head: Step): Promise<boolean> {
    const { tenant, id } = this.#stored.snapshot
    const stored = await this.#parts.store.read(tenant, id)
    this.#knownAt = this.#parts.clock.now()
    if (stored?.work.stamp !== undefined && stored.work.stamp === head.stamp) {
      // It was this very write; its answer was lost.
      this.#done(head, stored)
      return true
    }
    // What had gone comes back, with everything that is known of it here.
    this.#rebase(stored ?? { ...this.#stored, snapshot: { ...this.#stored.snapshot, version: 0 } })
    return this.#steps[0] !== head
  }

  /** Rules everything that waits again, on what is stored now. */
  #rebase(stored: OperationRecord): void {
    this.#stored = stored
    const steps = this.#steps.splice(0)
    for (const step of steps) if (this.#ruleAgain(step)) this.#steps.push(step)
    this.#tellListeners()
  }

  /** False when nothing is left of a step. */
  #ruleAgain(step: Step): boolean {
    let { record } = this
    let isChanged = false
    for (const [key, word] of [...step.words]) {
      const ruling = rule(record, word, step.at, this.#parts.terms)
      if (ruling.kind === 'changed') {
        record = ruling.record
        isChanged = true
        Object.assign(step, { event: ruling.event, isUrgent: ruling.isUrgent })
      } else {
        step.words.delete(key)
        settle(step, key, ruling, this.#parts.onError)
      }
    }
    step.next = record
    if (!isChanged) for (const waiter of step.waiters) waiter.resolve()
    return isChanged
  }

  /** It was not written, or nobody knows whether it was. */
  #failed(head: Step, cause: unknown): void {
    const isTooLarge = cause instanceof HoldfastError && cause.code === 'limit_exceeded'
    if (isTooLarge && slim(head)) return
    const error = isTooLarge ? cause : asHoldfastError(cause)
    if (head.waiters.length === 0) this.#parts.onError(cause)
    if (isTooLarge) {
      head.words.clear()
      refuse(head, error)
    } else {
      this.#retryAt = this.#parts.clock.now() + RETRY_MS
      for (const step of this.#steps) refuse(step, error)
    }
    this.#rebase(this.#stored)
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** What somebody asked for they may ask for again; reports are tried until they are written. */
function refuse(step: Step, error: unknown): void {
  for (const waiter of step.waiters.splice(0)) waiter.reject(error)
  const asked = step.words.get(URGENT)
  if (asked !== undefined && asked.do !== 'report') step.words.delete(URGENT)
}

/** A word is for the attempt in force when it was said, whichever is when it is written. */
function ofAttempt(word: Word, attempt: number): Word {
  if (word.do === 'report' && word.report.attempt === undefined) return { ...word, report: { ...word.report, attempt } }
  if (word.do === 'heartbeat' && word.worker.attempt === undefined)
    return { ...word, worker: { ...word.worker, attempt } }
  if (word.do === 'end' && word.ending.attempt === undefined) return { ...word, ending: { ...word.ending, attempt } }
  return word
}

function addWord(words: Map<string, Word>, word: Word, isUrgent: boolean, before: OperationRecord | undefined): void {
  if (isUrgent) return void words.set(URGENT, word)
  if (word.do === 'child') return void words.set(`child ${word.id}`, word)
  if (word.do !== 'report') return void words.set(word.do, word)
  // Of several that were left somewhere another node may have taken some: each has to be ruled on its own.
  if (word.report.entry !== undefined) return void words.set(`report ${word.report.entry}`, word)
  const earlier = words.get('report')
  if (earlier?.do !== 'report' || before === undefined) return void words.set('report', word)
  const report = mergeReports(earlier.report, word.report)
  words.set('report', { do: 'report', report, reached: before.work.progress.fraction })
}

/** Tells those who wait for a word what became of it. */
function settle(step: Step, key: string, ruling: Ruling, onError: (error: unknown) => void): void {
  const refusal = ruling.kind === 'refused' ? new HoldfastError(ruling.code, ruling.message) : undefined
  const waiters = step.waiters.filter((waiter) => waiter.key === key)
  for (const waiter of waiters) {
    step.waiters.splice(step.waiters.indexOf(waiter), 1)
    if (refusal === undefined) waiter.resolve()
    else waiter.reject(refusal)
  }
  if (refusal !== undefined && waiters.length === 0) onError(refusal)
}

/** An end that brings no result must find room in a message: what only adorns the snapshot goes. False when there is nothing to take away. */
function slim(step: Step): boolean {
  const { snapshot, work } = step.next
  const { item, message } = work.progress
  const isAdorned = snapshot.metadata !== undefined || item !== undefined || message !== undefined
  if (!isTerminal(snapshot.state) || snapshot.state === 'completed' || !isAdorned) return false
  const { metadata: _metadata, ...kept } = snapshot
  const progress = { ...work.progress, item: undefined, message: undefined }
  step.next = { ...step.next, snapshot: kept, work: { ...work, progress } }
  return true
}
