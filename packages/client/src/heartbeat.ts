import type { Clock } from './clock.js'
import type { Link } from './link.js'

/** Milliseconds that a probe waits for a sign of life. */
export const PROBE_MS = 3000

/** A timer later than this was held up by a sleeping machine or a throttled page: no proof that the server is gone. */
const LATE_MS = 2000

/**
 * Watches one link: something must come from the server within interval and timeout, or the link is abandoned. One timer, set
 * again only when it fires, so that messages cost nothing and a machine that wakes finds one timer due, not many.
 */
export class Heartbeat {
  readonly #clock: Clock
  readonly #link: Link
  readonly #silenceMsMax: number
  #stopTimer: () => void = () => {}
  #stopProbe: (() => void) | undefined

  constructor(clock: Clock, link: Link, silenceMsMax: number) {
    this.#clock = clock
    this.#link = link
    this.#silenceMsMax = silenceMsMax
    this.#watch(silenceMsMax)
  }

  /** Asks at once, and gives the server three seconds; for a page that is shown again or a network that returned. */
  probe(): void {
    if (this.#stopProbe) return
    const { frames } = this.#link
    this.#link.ping()
    this.#stopProbe = this.#clock.after(PROBE_MS, () => {
      this.#stopProbe = undefined
      if (this.#link.frames === frames) this.#giveUp()
    })
  }

  /** Ends the watch. */
  stop(): void {
    this.#stopTimer()
    this.#stopProbe?.()
    this.#stopProbe = undefined
  }

  #watch(ms: number): void {
    const dueAt = this.#clock.now() + ms
    this.#stopTimer = this.#clock.after(ms, () => this.#check(this.#clock.now() - dueAt))
  }

  #check(lateMs: number): void {
    const leftMs = this.#link.heardAt + this.#silenceMsMax - this.#clock.now()
    if (leftMs <= 0 && lateMs < LATE_MS) return this.#giveUp()
    if (leftMs <= 0) this.probe()
    this.#watch(Math.max(leftMs, PROBE_MS + 1))
  }

  #giveUp(): void {
    this.stop()
    this.#link.abandon('Heartbeat timeout')
  }
}
