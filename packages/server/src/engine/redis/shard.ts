/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A part of the key space and the server that holds it now. A single server, and a set that Sentinel watches, are one shard with all slots. */
export interface Shard {
  /** The same for as long as the shard exists, whichever server is its master. */
  readonly id: string
  readonly address: Address
}

/** Which shards there are and where. */
export interface Topology {
  /** What is known now: empty until it was found out. */
  shards(): readonly Shard[]
  /** The shard that holds a key or a sharded channel; undefined while that is not known. */
  shardOf(key: string): Shard | undefined
  /** Finds out anew; calls while it runs share its outcome. Rejects with EngineUnavailableError; what was known stays. */
  refresh(): Promise<void>
  /** Calls `listener` after shards came, went or moved. Answers its undo. */
  watch(listener: () => void): () => void
}

/** What a server answered, in RESP 2: an error is a rejection. `reply.ts` takes it apart. */
export type Reply = string | number | null | readonly Reply[]

/** A Lua script. Its text begins with a header that states keys, arguments and results. */
export interface Script {
  readonly text: string
  /** SHA-1 of the text, in hexadecimal. */
  readonly sha: string
}

/** Speaks to one server. Every rejection is an EngineUnavailableError, whose `cause` is the answer of the server if it was one. */
export interface Commands {
  /** Sends a command as it is. */
  send(args: readonly string[]): Promise<Reply>
  /** Runs a script; loads it where the server does not know it. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply>
}

/** The commands of the whole set of shards. */
export interface ShardCommands {
  /** The commands of the shard that holds `key`; `run` and `send` follow a key that moved, once. */
  of(key: string): Commands
  /** The commands of one shard by its id. */
  shard(id: string): Commands
}

/**
 * Asked when a command link has come up and before it lets anything through: is what this server stores what was stored before? `line` is the new
 * connection itself, the only way to the server until this resolves; other shards are reached through ShardCommands. While it has not
 * resolved every command on the link is refused; when it rejects the link is dropped and made anew.
 */
export interface Arrivals {
  arrived(shard: Shard, line: Commands): Promise<void>
  /** A command link broke. */
  left(shard: Shard): void
}

/** What this node has been told of the logs, for the judgement of `Arrivals`. */
export interface AcknowledgedTops {
  /** A publish was acknowledged or announced: stream name as in `streamKey`. Cheap: it is called for each message. */
  acknowledged(stream: string, position: { readonly epoch: string; readonly offset: number; readonly id: string }): void
  /** An epoch ended, and with it what was known. */
  rotated(stream: string, epoch: string): void
  /** The generation in force in the shard that holds `key`. Each log carries the one that it was begun under; one of an earlier generation, in the
   * order of the texts, is rotated when it is next touched. '' until known. */
  generation(key: string): string
}
