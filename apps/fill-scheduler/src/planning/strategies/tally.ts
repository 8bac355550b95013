import type { PlanningTask } from '../strategy.js'

/** Counts lots as they are placed, over one or several passes through all of them, and tells how far that is of one. */
export class Tally {
  readonly #task: PlanningTask
  readonly #passes: number
  #placed = 0
  #told = 0

  constructor(task: PlanningTask, passes = 1) {
    this.#task = task
    this.#passes = passes
  }

  /** One more. Throws the reason of the task's signal once that is aborted. */
  placed(): void {
    this.#task.signal?.throwIfAborted()
    this.#placed += 1
    this.#tell(Math.floor(this.#placed / this.#passes))
  }

  #tell(done: number): void {
    const total = this.#task.lots.length
    if (done <= this.#told || done > total) return
    this.#told = done
    this.#task.onProgress?.({ done, total, unit: 'lots' })
  }
}
