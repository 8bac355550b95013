import type { Clock } from '../../clock.js'

/**
 * What the time between two looks counts at most. A process that stood still, a server that did not answer and a clock that was set have given nobody
 * time to come, and so say nothing of those who did not.
 */
const LOOK_COUNTS_MS = 100

/** How many times as long those are waited for who show that they are coming. */
const LONGEST = 4

/** How long a node that has reported waits for the others. */
export class Patience {
  readonly #clock: Pick<Clock, 'now'>
  readonly #silentMs: number
  readonly #shown = new Map<string, number>()
  #lookedAt: number
  #silence = 0
  #total = 0

  /** `silentMs`: how long it waits when nobody who is missing shows that it is coming; four times as long when somebody does. */
  constructor(clock: Pick<Clock, 'now'>, silentMs: number) {
    this.#clock = clock
    this.#silentMs = silentMs
    this.#lookedAt = clock.now()
  }

  /** Whether it has waited enough. To be asked again and again, with who is missing now, and how often each has shown so far that it is coming. */
  isOver(missing: readonly string[], coming: ReadonlyMap<string, number>): boolean {
    const passed = this.#passed()
    this.#total += passed
    this.#silence = this.#isSign(missing, coming) ? 0 : this.#silence + passed
    return this.#silence >= this.#silentMs || this.#total >= this.#silentMs * LONGEST
  }

  #passed(): number {
    const now = this.#clock.now()
    const passed = Math.min(Math.max(now - this.#lookedAt, 0), LOOK_COUNTS_MS)
    this.#lookedAt = now
    return passed
  }

  #isSign(missing: readonly string[], coming: ReadonlyMap<string, number>): boolean {
    const newer = missing.filter((who) => (coming.get(who) ?? 0) > (this.#shown.get(who) ?? 0))
    for (const who of newer) this.#shown.set(who, coming.get(who) ?? 0)
    return newer.length > 0
  }
}
