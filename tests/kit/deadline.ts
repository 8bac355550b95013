import { machineTime } from './machine-time.js'

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 2

/** After how long whatever is waited for does not come, where no bound is claimed. */
const HANGS_MS = 30_000

/** Resolves after `ms`. For pacing a load and for looking again, never for hoping that something has happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/**
 * Waits until `condition` answers something other than undefined and false, and answers that. Throws after `withinMs`, in which the time does not count for which the
 * machine stood still: whoever names a bound may claim it.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs?: number,
): Promise<T> {
  const now = withinMs === undefined ? () => performance.now() : machineTime
  const deadline = now() + (withinMs ?? HANGS_MS)
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (now() > deadline) throw new Error(`not within ${withinMs ?? HANGS_MS} ms: ${what}`)
    await pause(LOOK_EVERY_MS)
  }
}

/** The outcome of `promise`, or an error after `ms`. */
export async function within<T>(what: string, promise: Promise<T>, ms: number = 30_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
