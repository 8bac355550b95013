import type { ServerMessage, ServerMessageOf } from '@holdfast/protocol'
import type { Clock } from './clock.js'
import type { HoldfastError } from './errors.js'
import { decodeInbound } from './inbound.js'
import { Socket, type WebSocketConstructor } from './socket.js'

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
  readonly goodbyeAt?: number | undefined
  /** Why there was no connection at all. */
  readonly error?: HoldfastError
}

/** What happens on a link, in this order: opened, welcomed, messages, ended. */
export interface LinkEvents {
  opened(link: Link): void
  welcomed(link: Link, welcome: Welcome): void
  received(link: Link, message: ServerMessage): void
  ended(link: Link, ending: Ending): void
}

/** One connection: a socket that speaks the protocol, from its opening to its end. */
export class Link {
  /** When something was last heard from the server. */
  heardAt: number
  /** Frames heard. */
  frames = 0
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #events: LinkEvents
  #welcomed = false
  #goodbye: Goodbye | undefined
  #goodbyeAt: number | undefined

  constructor(WebSocket: WebSocketConstructor, url: string, subprotocol: string, clock: Clock, events: LinkEvents) {
    this.#clock = clock
    this.#events = events
    this.heardAt = clock.now()
    this.#socket = new Socket(new WebSocket(url, [subprotocol]), {
      opened: () => events.opened(this),
      received: (frame) => this.#received(frame),
      closed: (code, reason) => this.#ended(code, reason),
    })
  }

  /** Sends a frame; false when the socket is not open. */
  send(frame: string): boolean {
    return this.#socket.send(frame)
  }

  /** Asks for a sign of life; the answer carries the time of the question. */
  ping(): void {
    this.send(JSON.stringify({ type: 'ping', at: this.#clock.now() }))
  }

  /** Ends it by wish, with 1000; reports nothing more. */
  close(): void {
    this.#socket.close()
  }

  /** Ends it because nothing comes any more, and reports that. */
  abandon(reason: string): void {
    this.#socket.abandon()
    this.#ended(1006, reason)
  }

  #received(frame: string): void {
    this.heardAt = this.#clock.now()
    this.frames += 1
    for (const message of decodeInbound(frame)) this.#message(message)
  }

  #message(message: ServerMessage): void {
    if (message.type === 'ping') return this.ping()
    if (message.type === 'goodbye') {
      this.#goodbye = message
      this.#goodbyeAt = this.heardAt
    }
    if (this.#welcomed) return this.#events.received(this, message)
    if (message.type !== 'welcome') return
    this.#welcomed = true
    this.#events.welcomed(this, message)
  }

  #ended(code: number, reason: string): void {
    this.#events.ended(this, { code, reason, goodbye: this.#goodbye, goodbyeAt: this.#goodbyeAt })
  }
}
