import type { Clock } from '../clock.js'
import type { StreamPost, StreamPostOutcome } from '../event-stream.js'
import type { EventStreamSocket, StreamVoice } from './event-stream-socket.js'
import { eventText } from './event-stream-text.js'
import type { SocketHandler } from './transport.js'

/** How long a post waits for a connection that does not read now. */
const PAUSED_MS = 700

/** Says every frame as it is, and how the connection ends. */
export class WholeVoice implements StreamVoice {
  readonly livesByReading = false
  readonly #onOver: () => void

  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  text(payload: string): string {
    return eventText({ data: payload })
  }

  /** The protocol has a ping of its own, which asks for an answer. */
  ping(): string {
    return ''
  }

  closing(code: number, reason: string): string {
    return eventText({ event: 'close', data: JSON.stringify({ code, reason }) })
  }

  over(): void {
    this.#onOver()
  }
}

/** An event stream whose client says something, too: by posts, in order. */
export class WholeStream {
  readonly #socket: EventStreamSocket
  readonly #handler: SocketHandler
  readonly #clock: Clock
  readonly #frameBytesMax: number
  #sequence = 0
  #isTaking = false

  constructor(socket: EventStreamSocket, handler: SocketHandler, clock: Clock, frameBytesMax: number) {
    this.#socket = socket
    this.#handler = handler
    this.#clock = clock
    this.#frameBytesMax = frameBytesMax
  }

  /** Takes what a client posted. One that is missing is a loss, and ends the stream. */
  async take(post: StreamPost): Promise<StreamPostOutcome> {
    if (this.#socket.isOver) return 'gone'
    if (post.sequence <= this.#sequence) return 'taken'
    if (this.#isTaking) return 'busy'
    if (post.sequence > this.#sequence + 1) {
      this.#socket.lose()
      return 'gone'
    }
    if (!(await this.#whenRead())) return this.#socket.isOver ? 'gone' : 'busy'
    this.#sequence = post.sequence
    for (const frame of post.frames.split('\n')) this.#frame(frame)
    if (post.isLast) this.#socket.depart()
    return 'taken'
  }

  #frame(frame: string): void {
    const bytes = Buffer.byteLength(frame)
    if (bytes === 0 || this.#socket.isOver) return
    if (bytes > this.#frameBytesMax) this.#handler.tooBig()
    else this.#handler.text(frame, bytes)
  }

  /** Whether the connection reads, within a moment. */
  async #whenRead(): Promise<boolean> {
    if (!this.#socket.isPaused) return true
    this.#isTaking = true
    let cancel: () => void = () => undefined
    const late = new Promise<void>((resolve) => (cancel = this.#clock.after(PAUSED_MS, resolve)))
    await Promise.race([this.#socket.whenResumed(), late])
    cancel()
    this.#isTaking = false
    return !this.#socket.isPaused && !this.#socket.isOver
  }
}
