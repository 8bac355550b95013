import { type Cancel, type Clock, pause } from '../../clock.js'

/** How a node hands its clients over before it ends. */
export interface DrainOptions {
  /** Milliseconds between turning unready and asking clients to leave: load balancers have to notice. */
  readonly delayMs: number
  /** Milliseconds over which clients are spread. */
  readonly windowMs: number
  /** Clients asked to move per second at most; a longer window follows where there are more. */
  readonly ratePerSecondMax: number
  /** Milliseconds after which those who stayed are closed. */
  readonly deadlineMs: number
}

/** A connection as the drain sees it. */
export interface Leaver {
  inviteToLeave(afterMs: number): void
}

/** When each of `count` clients leaves, in milliseconds from now: evenly over the window, never faster than the rate, all before the deadline. */
export function handOverSlots(count: number, options: DrainOptions): number[] {
  const atRate = (count / options.ratePerSecondMax) * 1_000
  const window = Math.min(Math.max(options.windowMs, atRate), options.deadlineMs * 0.8)
  return Array.from({ length: count }, (_, index) => Math.round((index / count) * window))
}

/** Asks every connection to move at its slot. */
export function inviteAll(leavers: readonly Leaver[], options: DrainOptions): void {
  const slots = handOverSlots(leavers.length, options)
  leavers.forEach((leaver, index) => leaver.inviteToLeave(slots[index] ?? 0))
}

/** Resolves when `isDone`, looked at ten times a second, or after `ms`; answers whether it was done. */
export async function waitUntil(clock: Clock, isDone: () => boolean, ms: number): Promise<boolean> {
  const end = clock.now() + ms
  while (!isDone()) {
    if (clock.now() >= end) return false
    await pause(clock, 100)
  }
  return true
}

/** Settles as `work` does, or resolves after `ms`. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let cancel: Cancel = () => undefined
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  try {
    await Promise.race([work, late])
  } finally {
    cancel()
  }
}

/** Resolves when every one has settled, however it did, or after `ms`. */
export function settledWithin(clock: Clock, ms: number, works: readonly unknown[]): Promise<void> {
  return within(clock, ms, Promise.allSettled(works))
}
