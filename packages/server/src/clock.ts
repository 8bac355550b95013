/** Ends what was started. Calling it again does nothing. */
export type Cancel = () => void

/** The port through which time comes in. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Runs `task` once, after `ms` milliseconds. */
  after(ms: number, task: () => void): Cancel
  /** Runs `task` every `ms` milliseconds. */
  every(ms: number, task: () => void): Cancel
  /** Runs `task` when everything that has arrived by now was handled: the end of the tick. */
  defer(task: () => void): void
}

/** The clock of the machine. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
  every(ms, task) {
    const timer = setInterval(task, ms).unref()
    return () => clearInterval(timer)
  },
  defer: (task) => void setImmediate(task),
}

/** A time as the protocol writes it: ISO-8601, UTC, milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString()
}

/** Resolves after `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}
