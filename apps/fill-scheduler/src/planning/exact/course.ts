import type { PlanningTask } from '../strategy.js'
import { roundUp, type CostGrid } from './cost-grid.js'
import type { Instance } from './instance.js'
import type { Pattern } from './pattern.js'

/** Progress is told at most this often. */
const REPORT_INTERVAL_MS = 100

/** Bounds this near to the best plan, in hours, prove it: what the solver's tolerances leave open. */
const PROOF_TOLERANCE_HOURS = 1e-6

/** How a search goes: the best blocks so far, what no plan can be below, how much time is left. Both in hours of cleaning and changeover; filling takes what it takes. */
export class Course {
  readonly grid: CostGrid
  readonly #instance: Instance
  readonly #task: PlanningTask
  readonly #endsAt: number
  readonly #firstGapHours: number
  readonly #begunAt: number
  #best: readonly Pattern[]
  #bestHours: number
  #boundHours: number
  #percent = 0
  #reportedAt = -Infinity

  constructor(
    task: PlanningTask,
    instance: Instance,
    grid: CostGrid,
    begunAt: number,
    start: { readonly blocks: readonly Pattern[]; readonly boundHours: number },
  ) {
    this.#task = task
    this.#instance = instance
    this.grid = grid
    this.#best = start.blocks
    this.#bestHours = hoursOf(start.blocks)
    this.#boundHours = 0
    this.#begunAt = begunAt
    this.#endsAt = begunAt + task.settings.strategies.exact.timeLimitSeconds * 1_000
    this.raise(start.boundHours)
    this.#firstGapHours = this.#bestHours - this.#boundHours
  }

  get best(): readonly Pattern[] {
    return this.#best
  }

  get bestHours(): number {
    return this.#bestHours
  }

  get boundHours(): number {
    return this.#boundHours
  }

  /** A plan is better when it takes at most this; there is none in between. */
  get betterHours(): number {
    return this.#bestHours - Math.max(this.grid.stepHours, PROOF_TOLERANCE_HOURS)
  }

  /** No plan is better. */
  get proven(): boolean {
    return this.#boundHours >= this.#bestHours - PROOF_TOLERANCE_HOURS
  }

  get secondsLeft(): number {
    return Math.max(0, (this.#endsAt - this.#task.now()) / 1_000)
  }

  /** The time is over, or somebody has aborted. */
  get over(): boolean {
    return this.#task.now() >= this.#endsAt || this.#task.signal?.aborted === true
  }

  throwIfAborted(): void {
    this.#task.signal?.throwIfAborted()
  }

  /** Takes these blocks where they are better. */
  offer(blocks: readonly Pattern[]): void {
    const hours = hoursOf(blocks)
    if (hours > this.#bestHours - PROOF_TOLERANCE_HOURS) return
    this.#best = blocks
    this.#bestHours = hours
    this.raise(this.#boundHours)
    this.report()
  }

  /** Takes a bound where it is better, rounded up to what plans can take, never above the best plan. */
  raise(boundHours: number): void {
    const bound = Math.min(roundUp(this.grid, boundHours), this.#bestHours)
    this.#boundHours = Math.max(this.#boundHours, bound)
  }

  /** Tells how far it is, unless it was told a moment ago. */
  report(atOnce = false): void {
    const now = this.#task.now()
    if (!atOnce && now - this.#reportedAt < REPORT_INTERVAL_MS) return
    this.#reportedAt = now
    this.#percent = Math.max(this.#percent, this.proven ? 100 : Math.min(99, this.#closedPercent()))
    this.#task.onProgress?.({
      done: this.#percent,
      total: 100,
      unit: 'percent',
      bestHours: this.#bestHours + this.#instance.fillHours,
      boundHours: this.#boundHours + this.#instance.fillHours,
    })
  }

  /** Of the gap or of the time, whichever is further. */
  #closedPercent(): number {
    const gap = this.#bestHours - this.#boundHours
    const closed = this.#firstGapHours > 0 ? 1 - gap / this.#firstGapHours : 1
    const spent = (this.#task.now() - this.#begunAt) / (this.#endsAt - this.#begunAt)
    return Math.floor(100 * Math.max(closed, spent))
  }
}

function hoursOf(blocks: readonly Pattern[]): number {
  return blocks.reduce((sum, { hours }) => sum + hours, 0)
}
