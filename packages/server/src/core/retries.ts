import type { Cancel, Clock } from '../clock.js'

/** Milliseconds to the first new try; each further one waits twice as long, up to the longest. */
const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/** Works that wait for a new try, at most; beyond it they are given up. */
const WAITING_MAX = 100_000

/** Works that are tried together when all are to be hurried. */
const BATCH = 200

interface Waiting {
  readonly work: () => Promise<unknown>
  readonly cancel: Cancel
}

/** Works that have to be done some time, because something would be held for ever otherwise: each is tried until the engine takes it. */
export class Retries {
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #waiting = new Set<Waiting>()
  #closed = false

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Works that wait for a new try. */
  get size(): number {
    return this.#waiting.size
  }

  /** Does `work` now, and again while it rejects. Resolves when the first try has ended, however it did. */
  insist(work: () => Promise<unknown>, waitMs: number = FIRST_MS): Promise<void> {
    const again = (error: unknown): void => {
      this.#onError(error)
      if (!this.#closed && this.#waiting.size < WAITING_MAX) this.#later(work, waitMs)
    }
    return work().then(() => undefined, again)
  }

  /** Tries again whatever waits: the engine is back. Resolves when each was tried. */
  async hurry(): Promise<void> {
    let batch: Promise<void>[] = []
    for (const waiting of [...this.#waiting]) {
      if (!this.#waiting.delete(waiting)) continue
      waiting.cancel()
      batch.push(this.insist(waiting.work))
      if (batch.length < BATCH) continue
      await Promise.all(batch)
      batch = []
    }
    await Promise.all(batch)
  }

  /** Gives up whatever waits. */
  close(): void {
    this.#closed = true
    for (const { cancel } of this.#waiting) cancel()
    this.#waiting.clear()
  }

  #later(work: () => Promise<unknown>, waitMs: number): void {
    const cancel = this.#clock.after(waitMs, () => {
      this.#waiting.delete(waiting)
      void this.insist(work, Math.min(waitMs * 2, LONGEST_MS))
    })
    const waiting: Waiting = { work, cancel }
    this.#waiting.add(waiting)
  }
}
