import type { HoldfastOptions } from '@holdfast/client'
import type { Place, Where } from './facts.js'

/** What a client does. */
export interface ClientWish {
  readonly tenant: string
  /** Channels that it listens to. */
  readonly channels: readonly string[]
  /** Channels that it listens to and is a member of. */
  readonly present?: readonly string[]
  /** Operations that it watches. */
  readonly watches?: readonly string[]
}

/** Clients to be connected. */
export interface ClientGroup {
  /** What their names begin with: `reader` makes `reader-0`, `reader-1`. */
  readonly name: string
  /** One client for each. */
  readonly clients: readonly ClientWish[]
  /** Options of the client that are JSON. */
  readonly options?: Pick<
    HoldfastOptions,
    'backoff' | 'stableMs' | 'connectTimeoutMs' | 'requestTimeoutMs' | 'backlogMax'
  >
  /** Milliseconds between one connect and the next. Default 0. */
  readonly connectGapMs?: number
}

/** What is published, until `stopPublishing`. */
export interface Load {
  /** Clients that publish, and where. They are among those that are connected. */
  readonly publishers: readonly { readonly client: string; readonly channels: readonly string[] }[]
  /** Of all of them together. */
  readonly perSecond: number
  /** Publishes of one publisher that wait for their answer; over it some are left out. Default 8. */
  readonly inFlightMax?: number
  /** Bytes of filler in a message. Default 0. */
  readonly fillerBytes?: number
}

/** What a process of clients has seen so far. */
export interface ClientFigures {
  readonly clients: number
  readonly open: number
  readonly subscribed: number
  readonly readers: number
  readonly deliveries: number
  readonly gaps: number
  readonly reconnects: number
  readonly handovers: number
  readonly duplicatesDropped: number
  readonly publishesInFlight: number
  /** Since publishing began, by whoever publishes now. */
  readonly publishesAcknowledged: number
}

/** What a process of clients can be asked. */
export interface ClientQuestions {
  /** Opens the history and says which nodes there are. */
  start: { input: { history: string; name: string; urls: readonly string[]; seed: number }; output: null }
  /** Other nodes, for every connection from now on. */
  useNodes: { input: { urls: readonly string[] }; output: null }
  /** Resolves when all of them are open and subscribed. */
  connect: { input: ClientGroup; output: null }
  publish: { input: Load; output: null }
  /** Begins no more, and resolves when all have an outcome; those that have none in time are `info`. */
  stopPublishing: { input: { withinMs: number }; output: { unknown: number } }
  /** Readers that are not at the top of their channel, or do not see who is there, and watchers of what has not ended; at most ten in words. */
  behind: { input: { tops: readonly (Where & Place)[] }; output: { count: number; some: readonly string[] } }
  figures: { input: null; output: ClientFigures }
  /** Cuts the TCP connections of a share of the clients, without a word. Answers how many. */
  cut: { input: { fraction: number }; output: number }
  /** Writes down where every reader is, and that the history is complete. */
  rest: { input: null; output: null }
  /** Ends clients on purpose: all whose names begin so. */
  leave: { input: { name: string }; output: number }
}
