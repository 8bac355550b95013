import type { Clock } from '../clock.js'
import { type BodyEvents, EventStreamBody } from './event-stream-body.js'
import { framesIn } from './event-stream-frames.js'
import type { Acceptor, Socket, SocketHandler, Upgrade } from './transport.js'

/** How the frames of a connection become text of its event stream. */
export interface StreamVoice {
  /** What is said of a text frame; empty: nothing. */
  text(payload: string): string
  /** What is said where a WebSocket is pinged; empty: nothing. */
  ping(): string
  /** What is said last. */
  closing(code: number, reason: string): string
  /** Whether the reader proves that it lives by taking what is written: one that never says anything. */
  readonly livesByReading: boolean
  /** The connection is over, and the body too. */
  over(): void
}

/** What a socket of an event stream is made with. */
export interface StreamSocketParts {
  readonly clock: Clock
  readonly voice: StreamVoice
  readonly abandon: (() => void) | undefined
  /** The request was given up. */
  readonly signal: AbortSignal | undefined
}

const CONNECTION_LOST = 1006

/** A socket that writes what its connection says to the body of an answer. */
export class EventStreamSocket implements Socket, BodyEvents {
  readonly body: EventStreamBody
  readonly #parts: StreamSocketParts
  readonly #signal: AbortSignal | undefined
  #handler: SocketHandler | undefined
  #closedWith: { readonly code: number; readonly clean: boolean } | undefined
  #isOver = false
  #isPaused = false
  readonly #resumed: (() => void)[] = []
  readonly #leave = (): void => this.body.leave()

  constructor(parts: StreamSocketParts) {
    this.#parts = parts
    this.#signal = parts.signal
    this.body = new EventStreamBody({ clock: parts.clock, abandon: parts.abandon, events: this })
  }

  /** Hands it over; what it says from now on is heard. */
  begin(acceptor: Acceptor, upgrade: Upgrade): SocketHandler {
    const handler = acceptor.accept(this, upgrade)
    this.#handler = handler
    if (this.#signal?.aborted) this.body.leave()
    else this.#signal?.addEventListener('abort', this.#leave, { once: true })
    // It may have been refused before it had anybody to tell.
    if (this.#isOver) this.#tellClosed()
    return handler
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether nothing is read or said any more. */
  get isOver(): boolean {
    return this.#isOver || this.#closedWith !== undefined
  }

  /** Ends it as a client does that means to go. */
  depart(): void {
    this.#closedWith ??= { code: 1000, clean: true }
    // Not in the middle of what the connection does: it may be the one that writes.
    this.#parts.clock.defer(() => this.body.end())
  }

  /** Ends it as a lost connection does. */
  lose(): void {
    this.body.cut()
  }

  /** Resolves when it is read again. */
  whenResumed(): Promise<void> {
    return this.#isPaused ? new Promise((resolve) => this.#resumed.push(resolve)) : Promise.resolve()
  }

  /** Says something that is not from its connection. */
  say(text: string): void {
    if (text !== '') this.body.write(Buffer.from(text))
  }

  // As the connection sees it

  pendingBytes(): number {
    return this.body.pendingBytes
  }

  isReady(): boolean {
    return this.body.isReady()
  }

  write(bytes: Uint8Array): void {
    const { voice } = this.#parts
    let said = ''
    for (const { isText, payload } of framesIn(bytes))
      said += isText
        ? voice.text(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
        : voice.ping()
    this.say(said)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    for (const resolve of this.#resumed.splice(0)) resolve()
  }

  close(code: number, reason: string): void {
    this.#closedWith ??= { code, clean: code === 1000 || code === 1001 }
    this.say(this.#parts.voice.closing(code, reason))
    this.body.end()
  }

  hangUp(code: number, reason: string): void {
    this.close(code, reason)
  }

  // As the body sees it

  taken(): void {
    if (this.#parts.voice.livesByReading) this.#handler?.alive()
  }

  drained(): void {
    if (!this.isOver) this.#handler?.drained()
  }

  over(): void {
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#leave)
    this.resume()
    this.#tellClosed()
  }

  #tellClosed(): void {
    const { code, clean } = this.#closedWith ?? { code: CONNECTION_LOST, clean: false }
    const handler = this.#handler
    if (handler === undefined) return
    this.#handler = undefined
    this.#parts.voice.over()
    handler.closed(code, clean)
  }
}
