import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds on a clock that never goes back. */
export function monotonicMs(): number {
  return performance.now()
}

/** The time of day in milliseconds since 1970. */
export function timeOfDayMs(): number {
  return Date.now()
}

/** The time of day as ISO-8601 in UTC. */
export function timestamp(): string {
  return new Date().toISOString()
}

/** Resolves after `ms` milliseconds. */
export async function pause(ms: number): Promise<void> {
  await sleep(ms)
}

/**
 * Settles as `work` does.
 *
 * @throws Error naming `what` when `work` has not settled after `ms` milliseconds.
 */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = rejection()
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function rejection(): { promise: Promise<never>; reject: (reason: Error) => void } {
  let reject: (reason: Error) => void = () => {}
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  return { promise, reject }
}
