import type { PlanningTask } from '../strategy.js'

/** Progress is told at most this often. */
const REPORT_INTERVAL_MS = 100

/** Other work of the thread, an abort among it, is let in this often. */
const PAUSE_INTERVAL_MS = 50

/** An objective this near to the bound has reached it: what sums of hours leave open. */
export const REACHED_HOURS = 1e-6

/** How long the search may go on, and what is told meanwhile. */
export class Budget {
  readonly #task: PlanningTask
  readonly #beganAt: number
  readonly #endsAt: number
  #boundHours: number
  readonly #firstHours: number
  #bestHours: number
  #percent = 0
  #reportedAt = -Infinity
  #pausedAt: number

  /** From now on, until the time limit is over that began `beganAt` (by `task.now`); `firstHours` is the objective of the plan to start from, `boundHours` what none is below. */
  constructor(task: PlanningTask, beganAt: number, firstHours: number, boundHours: number) {
    this.#task = task
    this.#beganAt = task.now()
    this.#endsAt = beganAt + task.settings.strategies.improver.timeLimitSeconds * 1_000
    this.#firstHours = firstHours
    this.#bestHours = firstHours
    this.#boundHours = boundHours
    this.#pausedAt = this.#beganAt
  }

  /** The objective at which the search is done: the bound, or what the settings say is near enough. */
  get targetHours(): number {
    const share = this.#task.settings.strategies.improver.targetGapPercent / 100
    return Math.max(this.#boundHours + REACHED_HOURS, share < 1 ? this.#boundHours / (1 - share) : Infinity)
  }

  get boundHours(): number {
    return this.#boundHours
  }

  /** Takes a bound where it is better. */
  raise(boundHours: number): void {
    this.#boundHours = Math.max(this.#boundHours, boundHours)
  }

  get secondsLeft(): number {
    return Math.max(0, this.#endsAt - this.#task.now()) / 1_000
  }

  /** How much of the time is over, 0 to 1. */
  get spent(): number {
    const now = this.#task.now()
    return now >= this.#endsAt ? 1 : (now - this.#beganAt) / (this.#endsAt - this.#beganAt)
  }

  /** Whether this share of the time is over or the best objective so far good enough. Throws the signal's reason once it is aborted. */
  async over(bestHours: number, share = 1): Promise<boolean> {
    this.#bestHours = Math.min(this.#bestHours, bestHours)
    if (this.#task.now() - this.#pausedAt >= PAUSE_INTERVAL_MS) await this.#pause()
    this.#task.signal?.throwIfAborted()
    this.report()
    return this.#bestHours <= this.targetHours || this.spent >= share
  }

  /** Tells the end. */
  end(bestHours: number): void {
    this.#bestHours = Math.min(this.#bestHours, bestHours)
    this.#percent = 100
    this.#tell()
  }

  async #pause(): Promise<void> {
    await new Promise((resume) => setImmediate(resume))
    this.#pausedAt = this.#task.now()
  }

  /** Tells how far it is, unless it was told a moment ago. */
  report(): void {
    const now = this.#task.now()
    if (now - this.#reportedAt < REPORT_INTERVAL_MS) return
    this.#reportedAt = now
    const gap = this.#firstHours - this.#boundHours
    const closed = gap > 0 ? (this.#firstHours - this.#bestHours) / gap : 1
    this.#percent = Math.max(this.#percent, Math.min(99, Math.floor(100 * Math.max(closed, this.spent))))
    this.#tell()
  }

  #tell(): void {
    const { onProgress } = this.#task
    const hours = { bestHours: this.#bestHours, boundHours: this.#boundHours }
    onProgress?.({ done: this.#percent, total: 100, unit: 'percent', ...hours })
  }
}
