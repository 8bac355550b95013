/** How often a worker may crash before its place is given up. */
export interface RestartPolicy {
  /** Milliseconds before the first restart; doubled with each that follows within `windowMs`. */
  readonly delayMinMs: number
  readonly delayMaxMs: number
  /** Crashes within `windowMs` after which there is no restart. */
  readonly crashesMax: number
  readonly windowMs: number
}

/** One crash costs a tenth of a second; whoever crashes six times within half a minute does so for a reason that stays. */
export const RESTART_POLICY: RestartPolicy = {
  delayMinMs: 100,
  delayMaxMs: 5_000,
  crashesMax: 5,
  windowMs: 30_000,
}

/** Remembers the crashes of one place, and says when to restart. */
export class Restarts {
  readonly #policy: RestartPolicy
  #crashedAt: number[] = []

  constructor(policy: RestartPolicy = RESTART_POLICY) {
    this.#policy = policy
  }

  /** Crashes within the window that ended with the last one. */
  get crashes(): number {
    return this.#crashedAt.length
  }

  /** Takes a crash at `now`, in milliseconds; answers after how many to restart, or undefined: not at all. */
  crashed(now: number): number | undefined {
    const { delayMinMs, delayMaxMs, crashesMax, windowMs } = this.#policy
    this.#crashedAt = [...this.#crashedAt.filter((at) => now - at < windowMs), now]
    if (this.crashes > crashesMax) return undefined
    return Math.min(delayMinMs * 2 ** (this.crashes - 1), delayMaxMs)
  }
}
