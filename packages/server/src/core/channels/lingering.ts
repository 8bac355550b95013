import type { Cancel, Clock } from '../../clock.js'

/** What lingers at most; what is over ends at once. */
const LINGERING_MAX = 10_000

interface Guest {
  readonly end: () => void
  readonly cancel: Cancel
}

/**
 * Ends that wait a moment. A channel that is left and joined again and again, faster than anybody could mean it, is listened to all the time; the engine, which would have to tell every other
 * node, hears nothing of it.
 */
export class Lingering {
  readonly #clock: Pick<Clock, 'after'>
  readonly #ms: number
  readonly #guests = new Map<string, Guest>()

  /** With 0 milliseconds nothing waits. */
  constructor(clock: Pick<Clock, 'after'>, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** How many wait. */
  get size(): number {
    return this.#guests.size
  }

  /** Calls `end` in a moment; at once where another of the same name takes its place, or too many wait. */
  add(name: string, end: () => void): void {
    this.#endNow(name)
    if (this.#ms === 0 || this.#guests.size >= LINGERING_MAX) return end()
    this.#guests.set(name, { end, cancel: this.#clock.after(this.#ms, () => this.#endNow(name)) })
  }

  /** Forgets what waits: what it was to tell ends as well. */
  stop(): void {
    for (const { cancel } of this.#guests.values()) cancel()
    this.#guests.clear()
  }

  #endNow(name: string): void {
    const guest = this.#guests.get(name)
    if (guest === undefined) return
    this.#guests.delete(name)
    guest.cancel()
    guest.end()
  }
}
