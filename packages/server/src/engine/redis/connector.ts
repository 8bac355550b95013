import type { Address } from './shard.js'

/** One connection of the driver: `createClient` of @redis/client, connected and authenticated. */
export interface RedisConnection {
  /** Sends a command; rejects with the driver's error. Bounded by nothing: who calls it has its own timeout. */
  sendCommand(args: readonly string[]): Promise<unknown>
  /** One SSUBSCRIBE for all of `channels`. `listener` is the same function for all. Resolves when the server has confirmed each. */
  sSubscribe(channels: string[], listener: (payload: string, channel: string) => void): Promise<void>
  /** One SUNSUBSCRIBE for all of `channels`. */
  sUnsubscribe(channels: string[], listener?: (payload: string, channel: string) => void): Promise<void>
  /** Cuts the connection at once; never throws. Nothing is told afterwards. */
  destroy(): void
}

/** What is told of a connection after it was opened. */
export interface ConnectionEvents {
  /** It broke, once, by itself. The connection is of no use afterwards and need not be destroyed. */
  broken(error: Error): void
  /** The server took a sharded subscription away, because its slot moved. */
  taken?(channel: string): void
}

/** Opens connections. There is no reconnecting inside: who opened it opens another. */
export interface Connector {
  /** Within the connect timeout (1 s): connects, authenticates, selects the database. Rejects with the driver's error, and leaves nothing open. */
  open(address: Address, events: ConnectionEvents): Promise<RedisConnection>
}
