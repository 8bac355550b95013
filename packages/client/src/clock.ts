/** Time, as the client sees it. The system's by default; a simulation brings its own. */
export interface Clock {
  /** Milliseconds since 1970. May jump after the machine slept. */
  now(): number
  /** Runs `callback` once, after `ms` milliseconds; returns its undo. */
  after(ms: number, callback: () => void): () => void
}

/** What a platform's timer can hold; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, TIMER_MS_MAX))
    return () => clearTimeout(timer)
  },
}
