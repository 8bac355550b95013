import type { Clock } from './clock.js'
import { passing } from './errors.js'
import type { Link, Welcome } from './link.js'

/** Milliseconds that a probe waits for a sign of life; less where the server's timeout leaves less room for it. */
const PROBE_MS = 3000

const WAIT_MS_MIN = 10

/**
 * Watches one link: something must come from the server within interval and timeout, or the link is abandoned. It is always asked first:
 * a timer that is late, or a clock that jumped, is no proof that the server is gone. One timer at a time, set again only when it fires,
 * so that messages cost nothing and a machine that wakes finds one timer due, not many.
 */
export class Heartbeat {
  readonly #clock: Clock
  readonly #link: Link
  readonly #probeMs: number
  readonly #quietMsMax: number
  #probing = false
  #stopTimer: () => void = () => {}

  constructor(clock: Clock, link: Link, { interval, timeout }: Welcome['heartbeat']) {
    this.#clock = clock
    this.#link = link
    this.#probeMs = Math.min(PROBE_MS, timeout / 2)
    this.#quietMsMax = interval + timeout - this.#probeMs
    this.#watch()
  }

  /** Asks at once, and gives the server three seconds; for a page that is shown again or a network that returned. */
  probe(): void {
    if (this.#probing) return
    this.#probing = true
    const { frames } = this.#link
    this.#link.ping()
    this.#wait(this.#probeMs, () => {
      this.#probing = false
      if (this.#link.frames === frames) this.#link.abandon(passing('timeout', 'Heartbeat timeout'))
      else this.#watch()
    })
  }

  /** Ends the watch. */
  stop(): void {
    this.#stopTimer()
  }

  #watch(): void {
    const quietMs = this.#clock.now() - this.#link.heardAt
    // Negative when the clock was set back.
    if (quietMs < 0 || quietMs >= this.#quietMsMax) this.probe()
    else this.#wait(this.#quietMsMax - quietMs, () => this.#watch())
  }

  #wait(ms: number, then: () => void): void {
    this.#stopTimer()
    // A server may say anything of its heartbeat: it must not make the client ask without a pause.
    this.#stopTimer = this.#clock.after(Math.max(ms, WAIT_MS_MIN), then)
  }
}
