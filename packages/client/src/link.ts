import { SUBPROTOCOL, type ServerMessage, type ServerMessageOf } from '@holdfast/protocol'
import type { Clock } from './clock.js'
import { type HoldfastError, asHoldfastError, passing } from './errors.js'
import { decodeInbound } from './inbound.js'
import { Heartbeat } from './heartbeat.js'
import { type Socket, type WebSocketConstructor, findWebSocket, openSocket } from './socket.js'
import type { TokenSource } from './token.js'

/** The first message of every connection. */
export type Welcome = ServerMessageOf<'welcome'>

/** What the server says before it closes. */
export type Goodbye = ServerMessageOf<'goodbye'>

/** How an attempt or a connection ended. */
export interface Ending {
  readonly code: number
  readonly reason: string
  readonly goodbye?: Goodbye | undefined
  /** When `goodbye` came. */
  readonly goodbyeAt?: number
  /** Why there was no connection at all, or is none any more. */
  readonly error?: HoldfastError | undefined
}

/** What an attempt needs. */
export interface LinkParts {
  readonly url: string
  readonly WebSocket: WebSocketConstructor | undefined
  readonly token: TokenSource
  readonly clock: Clock
  /** Milliseconds from the opening of the socket to `welcome`. */
  readonly connectTimeoutMs: number
  /** The `hello` frame of this moment. */
  hello(token: string | undefined): string
}

/** What comes of an attempt: either `failed`, or `welcomed`, then messages, then `ended`. */
export interface LinkEvents {
  failed(ending: Ending): void
  welcomed(link: Link, welcome: Welcome): void
  received(link: Link, message: ServerMessage): void
  ended(link: Link, ending: Ending): void
}

/** Holds an opened socket back before it says `hello`; `go` lets it. */
export type Hold = (go: () => void) => void

/** One connection, from the first question for a token to its end. */
export class Link {
  /** When something was last heard from the server. */
  heardAt = 0
  /** Frames heard. */
  frames = 0
  readonly #parts: LinkParts
  readonly #events: LinkEvents
  #socket: Socket | undefined
  #state: 'dialing' | 'live' | 'over' = 'dialing'
  #farewell: Pick<Ending, 'goodbye' | 'goodbyeAt'> | undefined
  #heartbeat: Heartbeat | undefined
  #stopTimer: () => void = () => {}

  /** Makes one attempt: token, socket, hello, welcome. */
  constructor(parts: LinkParts, events: LinkEvents, hold: Hold) {
    this.#parts = parts
    this.#events = events
    void this.#dial(hold)
  }

  /** Sends a frame; false when the socket is not open. */
  send(frame: string): boolean {
    return this.#socket?.send(frame) ?? false
  }

  /** Asks for a sign of life; the answer carries the time of the question. */
  ping(): void {
    this.send(JSON.stringify({ type: 'ping', at: this.#parts.clock.now() }))
  }

  /** Asks for a sign of life, and abandons the link when none comes. */
  probe(): void {
    this.#heartbeat?.probe()
  }

  /** Ends it by wish, with 1000; reports nothing more. */
  close(): void {
    this.#finish()
    this.#socket?.close()
  }

  /** Ends it because nothing comes any more, and reports that. */
  abandon(error: HoldfastError): void {
    this.#socket?.close(true)
    this.#end({ code: 1006, reason: error.message, error })
  }

  async #dial(hold: Hold): Promise<void> {
    const { token, WebSocket, url, clock, connectTimeoutMs } = this.#parts
    try {
      // First, so that a getter that disconnects finds this link in its place.
      const constructor = await findWebSocket(WebSocket)
      const credential = await token()
      if (this.#state === 'over') return
      this.#stopTimer = clock.after(connectTimeoutMs, () => this.abandon(passing('timeout', 'No welcome')))
      this.#socket = openSocket(constructor, url, SUBPROTOCOL, {
        opened: () => hold(() => this.send(this.#parts.hello(credential))),
        received: (frame) => this.#received(frame),
        closed: (code, reason) => this.#end({ code, reason, ...this.#farewell }),
      })
    } catch (thrown) {
      this.abandon(asHoldfastError(thrown, 'transport_failed', 'No connection'))
    }
  }

  #received(frame: string): void {
    this.heardAt = this.#parts.clock.now()
    this.frames += 1
    for (const message of decodeInbound(frame)) if (this.#state !== 'over') this.#message(message)
  }

  #message(message: ServerMessage): void {
    if (message.type === 'ping') return this.ping()
    if (message.type === 'goodbye') this.#farewell = { goodbye: message, goodbyeAt: this.heardAt }
    if (this.#state === 'live') return this.#events.received(this, message)
    if (message.type !== 'welcome') return
    this.#state = 'live'
    this.#stopTimer()
    this.#heartbeat = new Heartbeat(this.#parts.clock, this, message.heartbeat)
    this.#events.welcomed(this, message)
  }

  #end(ending: Ending): void {
    const state = this.#state
    this.#finish()
    if (state === 'live') this.#events.ended(this, ending)
    else if (state === 'dialing') this.#events.failed(ending)
  }

  #finish(): void {
    this.#state = 'over'
    this.#stopTimer()
    this.#heartbeat?.stop()
  }
}
