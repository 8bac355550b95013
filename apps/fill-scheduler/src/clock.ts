/** Time as the rest of the program gets it. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock has it. */
  now(): number
  /** Milliseconds that only grow. */
  monotonic(): number
  /** Calls `work` once, after `delayMs`; answers its undo. Keeps no process alive. */
  after(delayMs: number, work: () => void): () => void
  /** Calls `work` each `intervalMs`; answers its undo. Keeps no process alive. */
  every(intervalMs: number, work: () => void): () => void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, work) => {
    const timer = setTimeout(work, delayMs)
    letGo(timer)
    return () => clearTimeout(timer)
  },
  every: (intervalMs, work) => {
    const timer = setInterval(work, intervalMs)
    letGo(timer)
    return () => clearInterval(timer)
  },
}

/** In browsers timers are numbers, which keep nothing alive. */
function letGo(timer: number | { unref(): unknown }): void {
  if (typeof timer !== 'number') timer.unref()
}
