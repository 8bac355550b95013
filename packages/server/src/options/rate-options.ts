import * as z from 'zod'
import type { Rate } from '../engine/engine.js'
import type { OverloadLimits } from '../core/limits/overload.js'
import type { RateLimits } from '../core/limits/rate-limits.js'
import { type Loose, whole } from './leaves.js'

/** How much in how long. Each is a bucket that holds what comes in two seconds, unless it says otherwise. Defaults in brackets. */
export interface RateOptions {
  /** Commands of one connection in a second, 1 to 1,000,000 (2,000). */
  readonly commandsPerSecondMax?: number
  /** Messages and signals of one connection in a second, 1 to 1,000,000 (1,000). */
  readonly publishesPerSecondMax?: number
  /** Messages and signals of one user in a second, on all nodes, 1 to 1,000,000 (as many as its connections may). */
  readonly publishesPerUserPerSecondMax?: number
  /** Times that one connection subscribes or unsubscribes in a second, 1 to 1,000,000 (50). The bucket holds at least twice `channelsMax`. */
  readonly subscribesPerSecondMax?: number
  /** Answers to `history` and `presence` for one connection in a second, 1 to 1,000,000 (100). The bucket holds at least twice `channelsMax`. */
  readonly readsPerSecondMax?: number
  /** Tokens that one connection is refreshed with in a second, 1 to 1,000 (20). */
  readonly refreshesPerSecondMax?: number
  /** Bytes of frames of one connection in a second, 1,024 to 17,179,869,184 (16,777,216). The bucket holds at least two frames. */
  readonly bytesPerSecondMax?: number
  /** Pings and pongs of one connection in a second, 1 to 100,000 (20, or as many as a short heartbeat needs). What is over closes it. */
  readonly controlFramesPerSecondMax?: number
  /** Commands of one connection in a second that are refused for any of these before it is closed, 1 to 1,000,000 (500). */
  readonly refusalsPerSecondMax?: number
  /** Subscriptions of one user in a second that recover, on each node, 1 to 1,000,000 (64). The bucket holds `channelsMax` for each connection that a user may have. */
  readonly recoveriesPerSecondMax?: number
  /** Upgrades from one address (of IPv6: from one /64) in a second, on all nodes, 1 to 1,000,000 (1,000). */
  readonly handshakesPerSecondMax?: number
  /** Credentials from one address that are no good in a minute, on all nodes, 1 to 1,000,000 (100). The bucket holds a minute's. */
  readonly failedAuthenticationsPerMinuteMax?: number
  /** Connections of this node that were not welcomed yet, 1 to 1,000,000 (4,000). */
  readonly newcomersMax?: number
  /** Those of them from one address, 1 to 1,000,000 (`newcomersMax`). */
  readonly newcomersPerAddressMax?: number
}

/** From which share of its memory on a node does what, in percent. */
export interface OverloadOptions {
  /** It answers no `history` and no `presence`, 1 to 100 (85). */
  readonly readsPercent?: number
  /** It takes no new connections, 1 to 100 (92). */
  readonly admitPercent?: number
  /** It sends the newest idle connections away, 1 to 100 (97). */
  readonly shedPercent?: number
}

const MANY = 1_000_000

/** The members of the schema of `limits` that are rates. */
export const rateSchemas: { readonly [K in keyof RateOptions]-?: z.ZodOptional<z.ZodType<number>> } = {
  commandsPerSecondMax: whole(1, MANY),
  publishesPerSecondMax: whole(1, MANY),
  publishesPerUserPerSecondMax: whole(1, MANY),
  subscribesPerSecondMax: whole(1, MANY),
  readsPerSecondMax: whole(1, MANY),
  refreshesPerSecondMax: whole(1, 1_000),
  bytesPerSecondMax: whole(1_024, 17_179_869_184),
  controlFramesPerSecondMax: whole(1, 100_000),
  refusalsPerSecondMax: whole(1, MANY),
  recoveriesPerSecondMax: whole(1, MANY),
  handshakesPerSecondMax: whole(1, MANY),
  failedAuthenticationsPerMinuteMax: whole(1, MANY),
  newcomersMax: whole(1, MANY),
  newcomersPerAddressMax: whole(1, MANY),
}

/** The schema of `overload`. */
export const overloadSchema: z.ZodType<Loose<OverloadOptions>> = z.strictObject({
  readsPercent: whole(1, 100),
  admitPercent: whole(1, 100),
  shedPercent: whole(1, 100),
})

/** What else rates depend on. */
export interface Measures {
  readonly channelsMax: number
  readonly connectionsPerUserMax: number
  readonly messageBytesMax: number
  /** Milliseconds between pings, each of which is answered by a pong. */
  readonly heartbeatMs: number
  /** Milliseconds until `hello` must have come. */
  readonly handshakeTimeoutMs: number
}

/** Fills in the defaults of the rates. */
export function resolveRates(options: Loose<RateOptions>, measures: Measures): RateLimits {
  const { channelsMax, connectionsPerUserMax, messageBytesMax, heartbeatMs, handshakeTimeoutMs } = measures
  const perUser = options.publishesPerUserPerSecondMax
  const failures = options.failedAuthenticationsPerMinuteMax ?? 100
  // A connection that comes back wants all of its channels again at once, and one that returns to a page asks for what is in each.
  const everything = 2 * channelsMax
  return {
    connection: {
      commands: rate(options.commandsPerSecondMax ?? 2_000),
      publishes: rate(options.publishesPerSecondMax ?? 1_000),
      subscribes: rate(options.subscribesPerSecondMax ?? 50, everything),
      reads: rate(options.readsPerSecondMax ?? 100, everything),
      refreshes: rate(options.refreshesPerSecondMax ?? 20),
      bytes: rate(options.bytesPerSecondMax ?? 16_777_216, 2 * messageBytesMax),
      controlFrames: rate(options.controlFramesPerSecondMax ?? Math.max(20, Math.ceil(4_000 / heartbeatMs))),
      refusals: rate(options.refusalsPerSecondMax ?? 500),
    },
    recoveries: rate(options.recoveriesPerSecondMax ?? 64, channelsMax * connectionsPerUserMax),
    userPublishes: perUser === undefined ? undefined : rate(perUser),
    handshakes: rate(options.handshakesPerSecondMax ?? 1_000),
    failedAuthentications: { perSecond: failures / 60, burst: failures },
    newcomers: {
      nodeMax: options.newcomersMax ?? 4_000,
      // All who were on a node that died may come from one address, that of a proxy or of whoever shares one.
      addressMax: options.newcomersPerAddressMax ?? options.newcomersMax ?? 4_000,
      timeoutMs: handshakeTimeoutMs,
    },
  }
}

/** Fills in the defaults of `overload`. */
export function resolveOverload(options: Loose<OverloadOptions> = {}): OverloadLimits {
  const { readsPercent = 85, admitPercent = 92, shedPercent = 97 } = options
  return { readsPercent, admitPercent, shedPercent }
}

/** A bucket holds two seconds' worth, and at least what is asked for at once by right. */
function rate(perSecond: number, atOnce: number = 0): Rate {
  return { perSecond, burst: Math.max(2 * perSecond, atOnce) }
}
