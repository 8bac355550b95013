import { HoldfastError } from '../errors.js'

/** One thing of which a tenant may use so much. */
export type Quota = 'connections' | 'channels' | 'messagesPerSecond' | 'bytesPerSecond' | 'historyBytes' | 'operations'

/** How much of each; undefined: as much as it likes. */
export type QuotaLimits = Readonly<Record<Quota, number | undefined>>

/** QuotaRefusals of one quota: one line a second tells of all. */
interface Told {
  toldAt: number
  untold: number
}

/** How often a line is written for one quota of one tenant. */
const TELL_EVERY_MS = 1_000

/** What a tenant was refused. */
export class QuotaRefusals {
  readonly #tell: (quota: Quota, count: number) => void
  readonly #told = new Map<Quota, Told>()

  /** `tell` is called for the first refusal, and then once a second at most with how many there were since. */
  constructor(tell: (quota: Quota, count: number) => void) {
    this.#tell = tell
  }

  /** Notes a refusal. */
  note(quota: Quota, now: number): void {
    const told = this.#told.get(quota) ?? { toldAt: -Infinity, untold: 0 }
    this.#told.set(quota, told)
    told.untold += 1
    if (now - told.toldAt < TELL_EVERY_MS) return
    told.toldAt = now
    this.#tellOf(quota, told)
  }

  /** Tells what was not told yet. */
  flush(): void {
    for (const [quota, told] of this.#told) if (told.untold > 0) this.#tellOf(quota, told)
  }

  #tellOf(quota: Quota, told: Told): void {
    const { untold } = told
    told.untold = 0
    this.#tell(quota, untold)
  }
}

/** What whoever is refused is told. With `retryAfter` (milliseconds) it is a matter of time. */
export function quotaError(quota: Quota, max: number, retryAfter?: number): HoldfastError {
  const message = `the tenant has used up its quota ${quota}, which is ${max}`
  const details = { quota, max }
  if (retryAfter === undefined) return new HoldfastError('limit_exceeded', message, { details })
  return new HoldfastError('rate_limited', message, { details, retryAfter })
}
