import type { OperationReport } from './desk.js'
import { NAMES_MAX } from './named-words.js'
import { type Word, mergeReports } from './word.js'

/** The key of the one word that is urgent. */
const URGENT = 'urgent'

/** Words that are kept apart so that they can be counted once each; beyond it they are merged, and only their names are kept. */
const APART_MAX = 100

/**
 * The words that lead to one write, in order. Reports and signs of life of a worker become one; but those that another node may have taken as well, because they were left somewhere, have a
 * name, or count upwards and bear a number, stay apart, and nothing is merged into them: each has to be ruled on its own.
 */
export class PendingWords {
  readonly #words = new Map<string, Word>()
  /** The report that the next one can be merged into. */
  #open: string | undefined
  #added = 0
  #key = ''

  /** The key under which the last word was added. */
  get key(): string {
    return this.#key
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
    if (isBound || this.#isApart(report)) {
      this.#open = undefined
      return this.#put(this.#newKey(), word)
    }
    const open = this.#open
    const earlier = open === undefined ? undefined : this.#words.get(open)
    const before = earlier && reportOf(earlier)
    if (open === undefined || before === undefined) return this.#put((this.#open = this.#newKey()), nameless(word))
    const merged = mergeReports(before, withoutName(report))
    const names = namesWith(earlier, report.key)
    return this.#put(open, { do: 'report', report: merged, ...(reached !== undefined && { reached }), ...names })
  }

  #newKey(): string {
    this.#added += 1
    return `report ${this.#added}`
  }

  #put(key: string, word: Word): string {
    this.#words.set(key, word)
    return key
  }

  #isApart({ entry, key, sequence, advance }: OperationReport): boolean {
    if (entry !== undefined) return true
    const isOnce = key !== undefined || (sequence !== undefined && advance !== undefined)
    return isOnce && this.#added < APART_MAX
  }
}

/** A sign of life is a report that says nothing. */
function reportOf(word: Word): OperationReport | undefined {
  if (word.do === 'report') return word.report
  return word.do === 'heartbeat' ? word.worker : undefined
}

/** A report that others are merged into is not counted or left out by its name: that is only remembered. */
function nameless(word: Word): Word {
  if (word.do !== 'report' || word.report.key === undefined) return word
  return { ...word, report: withoutName(word.report), names: [word.report.key] }
}

function withoutName(report: OperationReport): OperationReport {
  if (report.key === undefined) return report
  const { key: _key, ...rest } = report
  return rest
}

function namesWith(word: Word | undefined, name: string | undefined): { readonly names?: readonly string[] } {
  const names = word?.do === 'report' ? word.names : undefined
  if (name === undefined) return names === undefined ? {} : { names }
  return { names: [...(names ?? []), name].slice(-NAMES_MAX) }
}
