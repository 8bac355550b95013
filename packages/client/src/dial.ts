import { SUBPROTOCOL } from '@holdfast/protocol'
import type { Clock } from './clock.js'
import { HoldfastError, asHoldfastError } from './errors.js'
import { type Ending, Link, type LinkEvents } from './link.js'
import { type WebSocketConstructor, findWebSocket } from './socket.js'
import type { TokenSource } from './token.js'

/** What an attempt needs. */
export interface DialParts {
  readonly url: string
  readonly WebSocket: WebSocketConstructor | undefined
  readonly token: TokenSource
  readonly clock: Clock
  /** Milliseconds from the opening of the socket to `welcome`. */
  readonly connectTimeoutMs: number
  /** The `hello` frame of this moment. */
  hello(token: string | undefined): string
}

/** What comes of an attempt: `welcomed` and then the life of the link, or `failed` once. */
export interface DialEvents extends Pick<LinkEvents, 'welcomed' | 'received' | 'ended'> {
  failed(ending: Ending): void
}

/** Holds an opened socket back before it says `hello`; `go` lets it. */
export type Hold = (go: () => void) => void

/** Makes one attempt: token, socket, hello, welcome. Returns its cancel, after which nothing is reported. */
export function dial(parts: DialParts, events: DialEvents, hold: Hold = (go) => go()): () => void {
  const attempt = new Attempt(parts, events, hold)
  void attempt.start()
  return () => attempt.cancel()
}

class Attempt {
  readonly #parts: DialParts
  readonly #events: DialEvents
  readonly #hold: Hold
  #over = false
  #link: Link | undefined
  #stopTimer: () => void = () => {}

  constructor(parts: DialParts, events: DialEvents, hold: Hold) {
    this.#parts = parts
    this.#events = events
    this.#hold = hold
  }

  async start(): Promise<void> {
    try {
      const token = await this.#parts.token.get()
      const WebSocket = await findWebSocket(this.#parts.WebSocket)
      if (!this.#over) this.#open(WebSocket, token)
    } catch (thrown) {
      const error = asHoldfastError(thrown, 'transport_failed', 'No connection could be opened')
      this.#fail({ code: 1006, reason: error.message, error })
    }
  }

  cancel(): void {
    this.#finish()
    this.#link?.close()
  }

  #open(WebSocket: WebSocketConstructor, token: string | undefined): void {
    const { url, clock, connectTimeoutMs } = this.#parts
    this.#stopTimer = clock.after(connectTimeoutMs, () => this.#expire())
    this.#link = new Link(WebSocket, url, SUBPROTOCOL, clock, {
      opened: (link) => this.#hold(() => this.#over || link.send(this.#parts.hello(token))),
      welcomed: (link, welcome) => {
        this.#finish()
        this.#events.welcomed(link, welcome)
      },
      received: (link, message) => this.#events.received(link, message),
      ended: (link, ending) => (this.#over ? this.#events.ended(link, ending) : this.#fail(ending)),
    })
  }

  #expire(): void {
    const reason = `No welcome within ${this.#parts.connectTimeoutMs} ms`
    const link = this.#link
    this.#fail({ code: 1006, reason, error: new HoldfastError('timeout', reason, { retryable: true }) })
    link?.abandon(reason)
  }

  #fail(ending: Ending): void {
    if (this.#over) return
    this.#finish()
    this.#events.failed(ending)
  }

  #finish(): void {
    this.#over = true
    this.#stopTimer()
  }
}
