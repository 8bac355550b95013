/** The part of a connection that a dialect needs while it opens: what to ask for, and where to write. */
export interface Opening {
  readonly user: string
  readonly channels: readonly string[]
  /** How many answers of interest have come in; the dialect's own count. */
  answers: number
  send(text: string): void
  /** Everything that was asked for has been granted. */
  ready(): void
  /** The server refused. */
  refuse(reason: string): void
}

/** What a frame that carries no message means once a connection is open. */
export type ControlFrame =
  | { readonly kind: 'acknowledged'; readonly count: number }
  | { readonly kind: 'heartbeat'; readonly answer: string }
  | { readonly kind: 'other' }
  | { readonly kind: 'failure'; readonly reason: string }

/** How a candidate is spoken to over a bare WebSocket. */
export interface Dialect {
  /** Request target of the upgrade. */
  readonly path: string
  /** Subprotocol to offer, if any. */
  readonly subprotocol?: string
  /** The upgrade was accepted. */
  begin(opening: Opening): void
  /** A text frame arrived before the connection was ready. */
  proceed(opening: Opening, text: string): void
  /** The frame that publishes `text` to `channel` and asks for an acknowledgement. */
  publish(channel: string, text: string, id: number): string
  /** Reads a frame that carries no message. */
  control(text: string): ControlFrame
}

/** Long-running work inside a server, of which watchers are told. */
export interface Work {
  /** One report of a piece of work, counted from 0, that carries a numbered text. */
  report(piece: number, done: number, text: string): void
  /** Ends every piece with a last text that every watcher gets. */
  end(text: string): Promise<void>
}

/** How reports reach the server's operations: from a function in its process, or by the way that all others take. */
export const WORK_WAYS = ['in-process', 'from-outside'] as const

/** How reports reach the server's operations. */
export type WorkWay = (typeof WORK_WAYS)[number]

/** The channel that tells of a piece of work. */
export function workChannel(piece: number): string {
  return `operation:work-${piece}`
}

/** A server that has been started. */
export interface RunningServer {
  readonly port: number
  /** Begins pieces of work; watchers have subscribed to their channels or do so later. */
  begin(pieces: number, way: WorkWay): Promise<Work>
  close(): Promise<void>
}

/** Something a user could pick: a server to start in a process of its own, and how to talk to it. */
export interface Candidate {
  /** As the command line and the results name it. */
  readonly name: CandidateName
  /** As people name it. */
  readonly title: string
  readonly dialect: Dialect
  /** Listens on a free port of 127.0.0.1. Loads the library only now: the generator reads this file for the dialect alone. */
  start(): Promise<RunningServer>
}

/** The names of the candidates. */
export const CANDIDATE_NAMES = ['holdfast', 'socket-io'] as const

/** The name of a candidate. */
export type CandidateName = (typeof CANDIDATE_NAMES)[number]
