import type { Since } from '@holdfast/protocol'

/** Who asks for an event stream, and what the answer hangs on. */
export interface StreamVisit {
  readonly address: string
  readonly origin: string | undefined
  readonly authorization: string | undefined
  readonly query: URLSearchParams
  /** Aborted when the client has gone away. */
  readonly signal?: AbortSignal | undefined
  /** Destroys the answer if it has not left; left out: it cannot be reached. */
  readonly abandon?: (() => void) | undefined
}

/** What the reader of a channel asks for. */
export interface ChannelQuestion {
  readonly channel: string
  /** Where it goes on. */
  readonly since: Since | undefined
  /** Whether it is a member of the channel, and told of the others. */
  readonly presence: boolean
}

/** What the reader of an operation asks for. */
export interface OperationQuestion {
  readonly operation: string
  /** The version that it has; 0: none. */
  readonly after: number
}

/** A refusal in the words of the protocol: an `error` that answers the subscribe, or the `goodbye` of the connection. */
export type StreamRefusal =
  | {
      readonly type: 'error'
      readonly code: string
      readonly message: string
      readonly retryAfter?: number
      readonly details?: unknown
    }
  | { readonly type: 'goodbye'; readonly code: number; readonly message: string; readonly after?: number }

/** What comes of the question: the stream begins; it would say nothing, now and for ever; or it is refused. */
export type ChannelOutcome = 'open' | 'ended' | StreamRefusal

/** The body of an event stream, or why there is none: the node has no room, or what came of the question. */
export type StreamAnswer =
  | { readonly body: ReadableStream<Uint8Array> }
  | { readonly noRoom: { readonly status: 429 | 503; readonly retryAfterSeconds: number } }
  | { readonly outcome: Exclude<ChannelOutcome, 'open'> }

/** How the client of an event stream names and proves it. */
export interface StreamKey {
  readonly id: string
  readonly secret: string
}

/** What a client says on an event stream that carries the whole protocol: each line is a frame. */
export interface StreamPost {
  /** 1, 2, 3 and so on: what comes twice is taken once. */
  readonly sequence: number
  readonly frames: string
  /** The client means to go. */
  readonly isLast: boolean
}

/** What became of a post: `busy` is to be tried again, unchanged. */
export type StreamPostOutcome = 'taken' | 'busy' | 'gone'

/** Event streams as the HTTP side opens them. */
export interface EventStreamDoor {
  /** The events of one channel. Resolves when it is known whether there are any. */
  channel(visit: StreamVisit, question: ChannelQuestion): Promise<StreamAnswer>
  /** The events of one operation, as its snapshots. Resolves when it is known whether there are any. */
  operation(visit: StreamVisit, question: OperationQuestion): Promise<StreamAnswer>
  /** The whole protocol. */
  open(visit: StreamVisit): StreamAnswer
  /** What the client of a stream of any node posted. */
  post(key: StreamKey, post: StreamPost): Promise<StreamPostOutcome>
  /** What can be reached of the answer to a request, where there is more than the request. */
  abandonOf(request: Request): (() => void) | undefined
}
