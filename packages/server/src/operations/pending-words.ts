import type { OperationReport } from './desk.js'
import { type Word, mergeReports } from './word.js'

/** The key of the one word that is urgent. */
const URGENT = 'urgent'

/** Words of one write that are kept apart so that they can be counted once each. */
const APART_MAX = 100

/** Whether a report is counted once by its name or number: whoever is not answered can say it again. */
export function isRepeatable({ key, sequence, advance }: OperationReport): boolean {
  return key !== undefined || (sequence !== undefined && advance !== undefined)
}

/**
 * The words that lead to one write, in order. Reports and signs of life of a worker become one; but those that another node may have taken as well, because they were left somewhere, have a
 * name, or count upwards and bear a number, stay apart, and nothing is merged into them: each has to be ruled on its own.
 */
export class PendingWords {
  readonly #words = new Map<string, Word>()
  /** The report that the next one can be merged into. */
  #open: string | undefined
  #added = 0
  #repeatable = 0
  #key = ''

  /** The key under which the last word was added. */
  get key(): string {
    return this.#key
  }

  /** Whether there are as many as can be kept apart. What was left somewhere is not counted: it comes so many at a time. */
  get isFull(): boolean {
    return this.#repeatable >= APART_MAX
  }

  /** What there is, with the keys; it may be removed meanwhile. */
  list(): readonly (readonly [key: string, word: Word])[] {
    return [...this.#words]
  }

  /** `reached`: the share of the whole before this word. An urgent word is the last. */
  add(word: Word, isUrgent: boolean, reached: number | undefined): void {
    this.#key = isUrgent ? URGENT : this.#place(word, reached)
    if (isUrgent) this.#words.set(URGENT, word)
  }

  remove(key: string): void {
    this.#words.delete(key)
    if (this.#open === key) this.#open = undefined
  }

  clear(): void {
    this.#words.clear()
    this.#open = undefined
  }

  /** Takes back what is urgent, unless a worker reported it. */
  takeBack(): void {
    if (this.#words.get(URGENT)?.do !== 'report') this.#words.delete(URGENT)
  }

  #place(word: Word, reached: number | undefined): string {
    const report = reportOf(word)
    if (report === undefined) return this.#put(word.do === 'child' ? `child ${word.id}` : word.do, word)
    const isBound = word.do === 'report' && word.after !== undefined
    const isOnce = isRepeatable(report)
    if (isOnce) this.#repeatable += 1
    if (isBound || isOnce || report.entry !== undefined) {
      this.#open = undefined
      return this.#put(this.#newKey(), word)
    }
    const open = this.#open
    const earlier = open === undefined ? undefined : this.#words.get(open)
    const before = earlier && reportOf(earlier)
    if (open === undefined || before === undefined) return this.#put((this.#open = this.#newKey()), word)
    const merged = mergeReports(before, report)
    return this.#put(open, { do: 'report', report: merged, ...(reached !== undefined && { reached }) })
  }

  #newKey(): string {
    this.#added += 1
    return `report ${this.#added}`
  }

  #put(key: string, word: Word): string {
    this.#words.set(key, word)
    return key
  }
}

/** A sign of life is a report that says nothing. */
function reportOf(word: Word): OperationReport | undefined {
  if (word.do === 'report') return word.report
  return word.do === 'heartbeat' ? word.worker : undefined
}
