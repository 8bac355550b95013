import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'

/** When a peer is asked and when it is given up. */
export interface HeartbeatOptions {
  /** Milliseconds between pings to one connection; each interval varies by a tenth, so that connections do not ping together. */
  readonly intervalMs: number
  /** Milliseconds without a sign of life after which a connection is dead. */
  readonly timeoutMs: number
}

/** A connection as the heartbeat sees it. */
export interface Pulse {
  /** When something was last received. */
  lastSeenAt: number
  nextPingAt: number
  ping(): void
  timedOut(): void
  /** Deadlines of the connection itself: handshake, token. */
  checkDeadlines(now: number): void
}

/** How often connections are looked at: the precision of every deadline. More often where the interval is short. */
const SWEEP_MS = 1_000

/** One timer for all connections: a timer each would cost more memory than the connection's own state. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: HeartbeatOptions
  readonly #members = new Set<Pulse>()
  readonly #sweepMs: number
  #stop: Cancel | undefined
  #sweptAt = 0

  constructor(clock: Clock, random: Random, options: HeartbeatOptions) {
    this.#clock = clock
    this.#random = random
    this.#options = options
    this.#sweepMs = Math.min(SWEEP_MS, options.intervalMs / 2)
  }

  start(): void {
    this.#sweptAt = this.#clock.now()
    this.#stop ??= this.#clock.every(this.#sweepMs, () => this.#sweep())
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  add(member: Pulse): void {
    const now = this.#clock.now()
    member.lastSeenAt = now
    member.nextPingAt = now + this.#interval()
    this.#members.add(member)
  }

  remove(member: Pulse): void {
    this.#members.delete(member)
  }

  /** Connections seen within one interval, those later than that, and those past the timeout. */
  stats(): { healthy: number; late: number; stale: number } {
    const now = this.#clock.now()
    const stats = { healthy: 0, late: 0, stale: 0 }
    for (const { lastSeenAt } of this.#members) {
      const silence = now - lastSeenAt
      stats[silence <= this.#options.intervalMs ? 'healthy' : silence <= this.#options.timeoutMs ? 'late' : 'stale'] +=
        1
    }
    return stats
  }

  #sweep(): void {
    const now = this.#clock.now()
    const slept = now - this.#sweptAt - this.#sweepMs
    this.#sweptAt = now
    for (const member of this.#members) {
      // A sweep that is late by more than another one says that this node slept: nothing could be received, the silence is ours.
      if (slept > this.#sweepMs) member.lastSeenAt = Math.min(now, member.lastSeenAt + slept)
      if (now - member.lastSeenAt >= this.#options.timeoutMs) member.timedOut()
      else this.#beat(member, now)
    }
  }

  #beat(member: Pulse, now: number): void {
    member.checkDeadlines(now)
    if (now < member.nextPingAt) return
    member.nextPingAt = now + this.#interval()
    member.ping()
  }

  #interval(): number {
    return this.#options.intervalMs * (0.9 + 0.2 * this.#random.fraction())
  }
}
