import type { Cancel, Clock } from './clock.js'

interface Timer {
  at: number
  readonly every: number | undefined
  readonly task: () => void
}

/** A clock that stands still until it is told to go on, so that a test owns time. */
export class SimulatedClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()
  #deferred: (() => void)[] = []

  /** Starts at `now` (milliseconds since 1970; default 2026-01-01). */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): Cancel {
    return this.#start({ at: this.#now + ms, every: undefined, task })
  }

  every(ms: number, task: () => void): Cancel {
    return this.#start({ at: this.#now + ms, every: ms, task })
  }

  defer(task: () => void): void {
    this.#deferred.push(task)
  }

  /** Runs what was deferred to the end of the tick, and what that defers in turn. */
  endTick(): void {
    while (this.#deferred.length > 0) {
      const tasks = this.#deferred
      this.#deferred = []
      for (const task of tasks) task()
    }
  }

  /** Lets `ms` milliseconds pass: runs every timer due in that time, in order, each followed by the end of its tick. */
  advance(ms: number): void {
    const end = this.#now + ms
    this.endTick()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.every === undefined) this.#timers.delete(next)
      else next.at += next.every
      next.task()
      this.endTick()
    }
    this.#now = end
  }

  /** As `advance`, letting promises settle before and after each step of `stepMs`. */
  async pass(ms: number, stepMs: number = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await settle()
      this.advance(Math.min(stepMs, left))
      await settle()
    }
    this.endTick()
  }

  #start(timer: Timer): Cancel {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    return first
  }
}

/** Lets every promise that can settle without the outside world do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
