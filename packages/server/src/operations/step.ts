import { type OperationEvent, isTerminal } from '@holdfast/protocol'
import { HoldfastError, asHoldfastError } from '../core/errors.js'
import { PendingWords } from './pending-words.js'
import type { OperationRecord } from './record.js'
import { type Ruling, type Terms, rule } from './ruling.js'
import type { Word } from './word.js'

/** A ruling by which something is different. */
export type Change = Ruling & { readonly kind: 'changed' }

interface Waiter {
  readonly key: string
  resolve(record: OperationRecord): void
  reject(error: unknown): void
}

/** One write to come: the words that led to it, the record that they lead to, and who waits for them. */
export class Step {
  /** When the first word was said. */
  readonly since: number
  /** Set when it is being written, or was tried: no word is added any more. */
  stamp: string | undefined
  /** In order; those that can be held back are merged. What is urgent stands last. */
  readonly #words = new PendingWords()
  readonly #waiters: Waiter[] = []
  #next: OperationRecord
  #event: OperationEvent
  #isUrgent: boolean
  /** When the last word was said. */
  #at: number

  constructor(word: Word, { record, event, isUrgent }: Change, now: number) {
    this.since = this.#at = now
    this.#next = record
    this.#event = event
    this.#isUrgent = isUrgent
    this.#words.add(word, isUrgent, undefined)
  }

  get next(): OperationRecord {
    return this.#next
  }

  get event(): OperationEvent {
    return this.#event
  }

  get isUrgent(): boolean {
    return this.#isUrgent
  }

  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  /** Whether the next word can be added. */
  get isOpen(): boolean {
    return !this.#isUrgent && this.stamp === undefined && !this.isFull
  }

  /** Whether there are as many words as can be counted once each. */
  get isFull(): boolean {
    return this.#words.isFull
  }

  /** What could be held back goes with what comes next, whatever that is. */
  add(word: Word, { record, event, isUrgent }: Change, now: number): void {
    this.#words.add(word, isUrgent, this.#next.work.progress.fraction)
    this.#next = record
    this.#event = event
    this.#isUrgent = isUrgent
    this.#at = now
  }

  /** Resolves to what was written with the last word; rejects when that came to nothing. */
  written(): Promise<OperationRecord> {
    const { key } = this.#words
    return new Promise((resolve, reject) => this.#waiters.push({ key, resolve, reject }))
  }

  /** Tells those who wait that it is written. */
  done(record: OperationRecord): void {
    for (const waiter of this.#waiters) waiter.resolve(record)
  }

  /** Tells those who wait that it is not. What somebody asked for they may ask for again; reports are tried until they are written. */
  refuse(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    this.#words.takeBack()
  }

  /** Forgets every word. */
  drop(error: unknown): void {
    this.#words.clear()
    this.refuse(error)
  }

  /** Rules its words again, on another record than that on which they were said; false when nothing is left of them. `objection`: what a word comes to whatever the record says. */
  ruleAgain(
    on: OperationRecord,
    terms: Terms,
    objection: (word: Word, record: OperationRecord) => Ruling | undefined,
    onError: (error: unknown) => void,
  ): boolean {
    let record = on
    let isChanged = false
    for (const [key, word] of this.#words.list()) {
      const ruling = objection(word, record) ?? ruleAny(record, word, this.#at, terms)
      if (ruling.kind === 'changed') {
        record = ruling.record
        isChanged = true
        this.#event = ruling.event
        this.#isUrgent = ruling.isUrgent
      } else {
        this.#words.remove(key)
        this.#settle(key, ruling, record, onError)
      }
    }
    this.#next = record
    if (!isChanged) this.done(record)
    return isChanged
  }

  /** What only adorns a snapshot goes where it has no room in a message: first texts, and with an end that brings no result the metadata. False when there is nothing to take away. */
  slim(): boolean {
    const { snapshot, work } = this.#next
    const { item, message } = work.progress
    const isAdorned = item !== undefined || message !== undefined
    const isBare = isTerminal(snapshot.state) && snapshot.result === undefined
    if (!isAdorned && (!isBare || snapshot.metadata === undefined)) return false
    const { metadata, ...kept } = snapshot
    const progress = { ...work.progress, item: undefined, message: undefined }
    const rest = isBare || metadata === undefined ? kept : snapshot
    this.#next = { ...this.#next, snapshot: rest, work: { ...work, progress } }
    return true
  }

  /** Tells those who wait for a word that it changes nothing. */
  #settle(key: string, ruling: Ruling, record: OperationRecord, onError: (error: unknown) => void): void {
    const refusal = ruling.kind === 'refused' ? new HoldfastError(ruling.code, ruling.message) : undefined
    const waiters = this.#waiters.filter((waiter) => waiter.key === key)
    for (const waiter of waiters) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      if (refusal === undefined) waiter.resolve(record)
      else waiter.reject(refusal)
    }
    if (refusal !== undefined && waiters.length === 0) onError(refusal)
  }
}

/** What a word comes to on a record that it was not said of; one that makes no sense there is refused like any other. */
function ruleAny(record: OperationRecord, word: Word, at: number, terms: Terms): Ruling {
  try {
    return rule(record, word, at, terms)
  } catch (error) {
    const { code, message } = asHoldfastError(error)
    return { kind: 'refused', code, message }
  }
}
