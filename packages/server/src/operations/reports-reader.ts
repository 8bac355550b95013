import { type Clock, pause } from '../clock.js'
import { type HoldfastError, asHoldfastError } from '../core/errors.js'
import type { LeftReport, RefusedReport, Reports } from '../engine/engine.js'
import { type Logger, errorFields } from '../telemetry/log.js'
import type { OperationDesk } from './desk.js'
import { type LeftWord, type WordLimits, readWord } from './left-word.js'

/** What a reader needs. */
export interface ReportsReaderParts {
  readonly reports: Reports
  readonly desk: OperationDesk
  readonly node: string
  readonly clock: Clock
  readonly log: Logger
  readonly limits: WordLimits
}

/** What this node has read of the reports that were left. */
export interface ReportsStats {
  readonly read: number
  readonly refused: number
  /** Reports that wait to be read, when this node last looked; of the nodes one reads, and the others see none. */
  readonly behind: number
}

/** Refusals that say nothing of the report: it is tried again. */
const PASSING: readonly string[] = ['engine_unavailable', 'timeout']

/** Milliseconds between tries to complete an operation whose parts may have ended a moment ago. */
const PART_WAITS_MS = [10, 20, 40, 80, 160, 320]

/** Takes reports that were left beside the node to the desk: those of one operation in their order, those of several at the same time, each once in effect. */
export class ReportsReader {
  readonly #parts: ReportsReaderParts
  #stop: (() => Promise<void>) | undefined
  #read = 0
  #refused = 0
  #behind = 0

  constructor(parts: ReportsReaderParts) {
    this.#parts = parts
  }

  start(): void {
    const { reports, node } = this.#parts
    this.#stop ??= reports.consume(node, (batch, behind) => this.#take(batch, behind))
  }

  /** Resolves when the batch under way is done. */
  async stop(): Promise<void> {
    await this.#stop?.()
  }

  stats(): ReportsStats {
    return { read: this.#read, refused: this.#refused, behind: this.#behind }
  }

  async #take(batch: readonly LeftReport[], behind: number): Promise<void> {
    this.#behind = batch.length + behind
    const refused = await new Batch(batch, this.#parts).take()
    if (refused.length > 0) await this.#refuse(refused)
    this.#read += batch.length
    this.#behind = behind
  }

  /** The first of them, the tenth, the hundredth are in the log; all of them are where whoever left them can look. */
  async #refuse(refused: readonly RefusedReport[]): Promise<void> {
    const [first] = refused
    const before = this.#refused
    await this.#parts.reports.refuse(refused)
    this.#refused += refused.length
    if (before > 0 && String(before).length === String(this.#refused).length) return
    const fields = { event: 'reports.refused', count: this.#refused, entry: first?.entry, reason: first?.reason }
    this.#parts.log.warn(fields, 'reports were refused')
  }
}

/** The reports of one batch, on their way. */
class Batch {
  readonly #parts: ReportsReaderParts
  readonly #reports: readonly LeftReport[]
  readonly #refused = new Map<LeftReport, RefusedReport>()
  /** Each resolves when its report is done, whatever came of it; it rejects when that has to be tried again. */
  readonly #done: Promise<void>[] = []
  /** The last step of each operation so far; it tells whether anything of it is gathered and not stored. */
  readonly #lines = new Map<string, Promise<boolean>>()

  constructor(reports: readonly LeftReport[], parts: ReportsReaderParts) {
    this.#reports = reports
    this.#parts = parts
  }

  /** Resolves, when all are done, to those that were refused, in order. Rejects when something has to be tried again. */
  async take(): Promise<readonly RefusedReport[]> {
    const words = this.#reports.map((report) => this.#word(report))
    const last = new Map(words.map((word, at) => [word?.about, at]))
    for (const [at, word] of words.entries())
      if (word !== undefined) this.#done[at] = this.#follow(word, at, last.get(word.about) === at)
    const outcomes = await Promise.allSettled(this.#done)
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return this.#reports.flatMap((report) => this.#refused.get(report) ?? [])
  }

  /** Does what a report says behind what was left before it about its operation. Whatever becomes a part of another operation is also in the line of that one. */
  async #follow(word: LeftWord, at: number, isLast: boolean): Promise<void> {
    const { about, whole } = word
    const [before, above] = [this.#lineOf(about), whole === undefined ? undefined : this.#lineOf(whole)]
    const step = Promise.all([before, above]).then(([isGathered]) => this.#do(word, { at, isGathered, isLast }))
    this.#lines.set(about, step)
    if (whole !== undefined) this.#lines.set(whole, behind(step, above))
    await step
  }

  #lineOf(name: string): Promise<boolean> {
    return this.#lines.get(name) ?? Promise.resolve(false)
  }

  #word(report: LeftReport): LeftWord | undefined {
    try {
      return readWord(report, this.#parts.limits)
    } catch (error) {
      this.#refuse(report, error)
      return undefined
    }
  }

  /** Does what one report says. Answers whether anything of its operation is gathered and not stored; behind the last of the operation nothing is. */
  async #do(
    word: LeftWord,
    { at, isGathered, isLast }: { readonly at: number; readonly isGathered: boolean; readonly isLast: boolean },
  ): Promise<boolean> {
    const isTaken = await this.#tell(word, at, isLast)
    const remains = isTaken && word.kind !== 'sign' ? word.kind === 'update' && !isLast : isGathered
    if (!isLast || !remains) return remains
    await this.#try(() => word.settle(this.#parts.desk))
    return false
  }

  /** Does it, and puts it aside where it is refused; answers whether it was taken. */
  async #tell(word: LeftWord, at: number, isLast: boolean): Promise<boolean> {
    const act = (): Promise<unknown> => word.act(this.#parts.desk, isLast)
    let refusal = await this.#try(act)
    for (const waitMs of refusal?.code === 'children_running' ? PART_WAITS_MS : []) {
      // Its parts may be on their way to their ends, and then to telling it.
      await Promise.all(this.#done.slice(0, at))
      await pause(this.#parts.clock, waitMs)
      refusal = await this.#try(act)
      if (refusal?.code !== 'children_running') break
    }
    const report = this.#reports[at]
    if (refusal !== undefined && report !== undefined) this.#refuse(report, refusal)
    return refusal === undefined
  }

  /** Answers why it was refused; throws where that has to be tried again. */
  async #try(act: () => Promise<unknown>): Promise<HoldfastError | undefined> {
    try {
      await act()
      return undefined
    } catch (error) {
      const refusal = asHoldfastError(error)
      if (PASSING.includes(refusal.code)) throw error
      if (refusal.code === 'internal_error')
        this.#parts.log.error({ event: 'reports.failed', ...errorFields(error) }, 'a report failed')
      return refusal
    }
  }

  #refuse(report: LeftReport, error: unknown): void {
    const { code, message } = asHoldfastError(error)
    this.#refused.set(report, { ...report, code, reason: message })
  }
}

/** What `above` answers, once `step` is done, too. */
function behind(step: Promise<unknown>, above: Promise<boolean> = Promise.resolve(false)): Promise<boolean> {
  const both = Promise.all([above, step]).then(([isGathered]) => isGathered)
  // Whoever waits for it is told; nobody may.
  both.catch(() => undefined)
  return both
}
