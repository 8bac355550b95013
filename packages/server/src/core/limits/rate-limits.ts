import type { Rate } from '../../engine/engine.js'

/** What one connection may do in a second, by what it does. */
export interface ConnectionRates {
  /** Commands of any kind. */
  readonly commands: Rate
  /** Messages and signals. */
  readonly publishes: Rate
  /** Subscribing and unsubscribing. */
  readonly subscribes: Rate
  /** Asking for history, and for who is there. */
  readonly reads: Rate
  /** Tokens to go on with. */
  readonly refreshes: Rate
  /** Bytes of frames. */
  readonly bytes: Rate
  /** Pings and pongs of the transport. */
  readonly controlFrames: Rate
  /** What is refused of the above before the connection is closed. */
  readonly refusals: Rate
}

/** Every rate of a node. */
export interface RateLimits {
  readonly connection: ConnectionRates
  /** Of one user: subscriptions that recover. */
  readonly recoveries: Rate
  /** Of one user, on all nodes: messages and signals; undefined: as many as their connections may. */
  readonly userPublishes: Rate | undefined
  /** Of one address, on all nodes: upgrades. */
  readonly handshakes: Rate
  /** Of one address, on all nodes: credentials that were no good. */
  readonly failedAuthentications: Rate
  /** Connections that have not been welcomed. */
  readonly newcomers: NewcomerLimits
}

/** How many connections may be between their upgrade and their welcome. */
export interface NewcomerLimits {
  /** Of this node. */
  readonly nodeMax: number
  /** From one address (of IPv6: from one /64), on this node. */
  readonly addressMax: number
  /** Milliseconds until `hello` must have come. */
  readonly timeoutMs: number
}
