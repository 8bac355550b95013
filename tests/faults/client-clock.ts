import type { Clock } from '@holdfast/client'

/** The machine's time with what happens to it on other machines: set wrong or changed, slept through, throttled by a browser. */
export class FaultyClock implements Clock {
  /** How far the clock is off. */
  offsetMs = 0
  /** Timers fire at multiples of so many milliseconds only, as in a page in the background; 0: when they are due. */
  gridMs = 0
  #isAsleep = false
  readonly #overslept: (() => void)[] = []

  now(): number {
    return Date.now() + this.offsetMs
  }

  after(ms: number, callback: () => void): () => void {
    let isStopped = false
    const run = (): void => {
      if (isStopped) return
      if (this.#isAsleep) this.#overslept.push(run)
      else callback()
    }
    const timer = setTimeout(run, this.#throttled(ms))
    return () => {
      isStopped = true
      clearTimeout(timer)
    }
  }

  /** From now on nothing is done on time. */
  sleep(): void {
    this.#isAsleep = true
  }

  /** So much time has passed; what was due meanwhile is done now. */
  wake(sleptMs: number): void {
    this.#isAsleep = false
    this.offsetMs += sleptMs
    for (const run of this.#overslept.splice(0)) run()
  }

  #throttled(ms: number): number {
    if (this.gridMs === 0) return ms
    const now = Date.now()
    return Math.ceil((now + ms) / this.gridMs) * this.gridMs - now
  }
}
