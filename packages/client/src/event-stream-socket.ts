import type { Clock } from './clock.js'
import { EventStreamParser, type StreamEvent } from './event-stream-parser.js'
import { Posts } from './event-stream-posts.js'

/** What happens to a connection by event stream. After `closed` nothing else does. */
export interface EventStreamEvents {
  opened(): void
  received(frame: string): void
  closed(code: number, reason: string): void
}

const LOST = 1006

/** How long last words may take. */
const GOING_MS = 5_000

/** The protocol by event stream: what the server says is read from one answer, what the client says is posted. */
export class EventStreamSocket {
  readonly #events: EventStreamEvents
  readonly #clock: Clock
  readonly #url: URL
  readonly #abort = new AbortController()
  #posts: Posts | undefined
  #stopWaiting: () => void = () => {}
  #isOver = false

  /** Opens it. `url` is that of `GET /api/v1/stream`, with the query of the connection. */
  constructor(url: URL, clock: Clock, events: EventStreamEvents) {
    this.#url = url
    this.#clock = clock
    this.#events = events
    void this.#run()
  }

  /** Characters that were said and not taken. */
  get bufferedAmount(): number {
    return this.#posts?.waiting ?? 0
  }

  /** Says a frame; without effect before `opened` and after the end. */
  send(frame: string): void {
    this.#posts?.push(frame)
  }

  /** Says goodbye; the end is reported as any other. */
  close(code: number, reason: string): void {
    this.#posts?.end()
    this.#end(code, reason, true)
  }

  /** Drops it. */
  terminate(): void {
    this.#posts?.stop()
    this.#end(LOST, '')
  }

  async #run(): Promise<void> {
    try {
      const answer = await fetch(this.#url, {
        headers: { accept: 'text/event-stream' },
        signal: this.#abort.signal,
        cache: 'no-store',
      })
      if (!answer.body || !answer.ok || !/^text\/event-stream\b/.test(answer.headers.get('content-type') ?? ''))
        return this.#end(LOST, '')
      const reader = answer.body.getReader()
      const parser = new EventStreamParser()
      const decoder = new TextDecoder()
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        for (const event of parser.push(decoder.decode(chunk.value, { stream: true }))) this.#take(event)
      }
    } catch {
      // Lost, like one that ends without a word.
    }
    this.#posts?.stop()
    this.#stopWaiting()
    this.#end(LOST, '')
  }

  #take({ event, data }: StreamEvent): void {
    if (this.#isOver) return
    if (event === 'message') return this.#events.received(data)
    const { id, secret, code, reason } = JSON.parse(data) as Record<string, unknown>
    if (event === 'close') {
      this.#posts?.stop()
      this.#end(Number(code), String(reason))
    } else if (event === 'open' && !this.#posts) this.#open(String(id), String(secret))
  }

  #open(id: string, secret: string): void {
    const { origin, pathname } = this.#url
    const url = `${origin}${pathname}/${encodeURIComponent(id)}`
    this.#posts = new Posts({ url, secret, clock: this.#clock, failed: () => this.#end(LOST, '') })
    this.#events.opened()
  }

  /** `gently`: what was said last is still to arrive, and the server ends the stream itself. */
  #end(code: number, reason: string, gently = false): void {
    if (this.#isOver) return
    this.#isOver = true
    if (gently && this.#posts) this.#stopWaiting = this.#clock.after(GOING_MS, () => this.#abort.abort())
    else this.#abort.abort()
    // As with a WebSocket, never in the middle of a call.
    queueMicrotask(() => this.#events.closed(code, reason))
  }
}
