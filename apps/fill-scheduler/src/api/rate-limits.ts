import { TokenBucket } from '@holdfast/server'
import type { Clock } from '../clock.js'
import { ApiError } from './api-error.js'

interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Names that are remembered for each rate; of more, the ones that were not heard of for longest are forgotten. */
const NAMES_MAX = 10_000

const MINUTE = 1 / 60

/** How often things may be done, by address or by account, on this server. */
export class RateLimits {
  /** Sign-ins that are tried from one address. */
  readonly signInsOfAddress: RateLimit
  /** Sign-ins that are tried with one account. */
  readonly signInsOfAccount: RateLimit
  /** Accounts that are opened from one address. */
  readonly registrations: RateLimit
  /** Requests of one account. */
  readonly requests: RateLimit

  constructor(clock: Clock) {
    this.signInsOfAddress = new RateLimit({ perSecond: 30 * MINUTE, burst: 30 }, clock)
    this.signInsOfAccount = new RateLimit({ perSecond: 5 * MINUTE, burst: 10 }, clock)
    this.registrations = new RateLimit({ perSecond: 10 * MINUTE, burst: 20 }, clock)
    this.requests = new RateLimit({ perSecond: 50, burst: 200 }, clock)
  }
}

/** One rate, kept for each of many names. */
export class RateLimit {
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Counts one. @throws ApiError `rate_limited` when it is one too many. */
  take(name: string): void {
    const bucket = this.#buckets.get(name) ?? new TokenBucket()
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > NAMES_MAX && oldest !== undefined) this.#buckets.delete(oldest)
    const waitMs = bucket.take(1, this.#clock.now(), this.#rate)
    if (waitMs > 0)
      throw new ApiError('rate_limited', 'Too many requests; wait a moment', { status: 429, retryAfterMs: waitMs })
  }

  /** Nothing is held against this name any more. */
  forgive(name: string): void {
    this.#buckets.delete(name)
  }
}

/** Whom an address stands for: of IPv6, whoever has the network (64 bits) has all of its addresses. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind.length)
  return [...groups, ...Array.from({ length: zeros }, () => '0'), ...behind].slice(0, 4).join(':')
}
