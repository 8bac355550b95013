import { systemClock } from './clock.js'
import { EventStreamSocket } from './event-stream-socket.js'
import type { WebSocketConstructor, WebSocketLike } from './socket.js'

/** How a fallback decides. */
export interface FallbackOptions {
  /** The WebSocket to try first. Default: the platform's; `false`: none, event streams only. */
  readonly WebSocket?: WebSocketConstructor | false
  /** The path of the REST API on the host of the client's address. Default `/api/v1`. */
  readonly path?: string
  /** How long a WebSocket may take to open. Default 4,000 ms. */
  readonly patienceMs?: number
  /** How long it is remembered that only event streams get through. Default 600,000 ms. */
  readonly rememberMs?: number
}

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

const LOST = 1006

interface Settings {
  readonly first: WebSocketConstructor | undefined
  readonly path: string
  readonly patienceMs: number
  readonly rememberMs: number
  /** Until when the WebSocket is not tried, by origin. */
  readonly remembered: Map<string, number>
}

/**
 * A WebSocket class that goes on by event stream where a WebSocket cannot be opened: for `new Holdfast(url, { WebSocket: fallbackWebSocket() })`. What worked is
 * remembered by the class, so make one and keep it.
 */
export function fallbackWebSocket(options: FallbackOptions = {}): WebSocketConstructor {
  const { path = '/api/v1', patienceMs = 4_000, rememberMs = 600_000 } = options
  const platform = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  const settings: Settings = { first: platform || undefined, path, patienceMs, rememberMs, remembered: new Map() }
  return class extends FallbackSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, settings)
    }
  }
}

/** What carries a connection. */
interface Carrier {
  readonly bufferedAmount?: number
  send(frame: string): void
  close(code: number, reason: string): void
  terminate?(): void
}

class FallbackSocket implements WebSocketLike {
  onopen: unknown = null
  onmessage: unknown = null
  onclose: unknown = null
  onerror: unknown = null
  #readyState = CONNECTING
  #carrier: Carrier | undefined
  readonly #url: URL
  readonly #settings: Settings

  constructor(url: string, protocols: string[], settings: Settings) {
    this.#settings = settings
    this.#url = new URL(url)
    const { first, remembered } = settings
    const isSpared = systemClock.now() < (remembered.get(this.#url.origin) ?? 0)
    if (first && !isSpared) this.#tryWebSocket(first, protocols)
    else this.#openStream()
  }

  get readyState(): number {
    return this.#readyState
  }

  /** Characters that were sent and have not left, as far as that is known. */
  get bufferedAmount(): number {
    return this.#carrier?.bufferedAmount ?? 0
  }

  send(data: string): void {
    if (this.#readyState !== OPEN) throw new Error('the socket is not open')
    this.#carrier?.send(data)
  }

  close(code: number = 1000, reason: string = ''): void {
    if (this.#readyState >= CLOSING) return
    this.#readyState = CLOSING
    this.#carrier?.close(code, reason)
  }

  /** Drops it without a closing handshake. */
  terminate(): void {
    if (this.#readyState === CLOSED) return
    this.#readyState = CLOSING
    const carrier = this.#carrier
    if (carrier?.terminate) carrier.terminate()
    else carrier?.close(1000, '')
  }

  #tryWebSocket(WebSocket: WebSocketConstructor, protocols: string[]): void {
    const socket = new WebSocket(this.#url.href, protocols)
    let isOver = false
    const giveUp = (): void => {
      if (isOver) return
      isOver = true
      cancel()
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = ignore
      drop(socket)
      if (this.#readyState === CONNECTING) this.#openStream()
      else this.#closed(LOST, '')
    }
    const cancel = systemClock.after(this.#settings.patienceMs, giveUp)
    socket.onopen = () => {
      isOver = true
      cancel()
      socket.onerror = (event: unknown) => call(this.onerror, event)
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#closed(code, reason)
      this.#opened()
    }
    socket.onmessage = ({ data }: { data: unknown }) => call(this.onmessage, { data })
    socket.onclose = socket.onerror = giveUp
    this.#carrier = socket as WebSocketLike & Carrier
  }

  #openStream(): void {
    const { path, rememberMs, remembered } = this.#settings
    const { origin } = this.#url
    this.#carrier = new EventStreamSocket(streamAddress(this.#url, path), systemClock, {
      opened: () => {
        // Not prolonged by who was spared: sooner or later the WebSocket is tried again.
        if (systemClock.now() >= (remembered.get(origin) ?? 0)) remembered.set(origin, systemClock.now() + rememberMs)
        this.#opened()
      },
      received: (data) => call(this.onmessage, { data }),
      closed: (code, reason) => {
        // Nothing gets through: the next attempt begins with the better of the two.
        if (this.#readyState === CONNECTING) remembered.delete(origin)
        this.#closed(code, reason)
      },
    })
  }

  #opened(): void {
    if (this.#readyState !== CONNECTING) return
    this.#readyState = OPEN
    call(this.onopen, {})
  }

  #closed(code: number, reason: string): void {
    if (this.#readyState === CLOSED) return
    this.#readyState = CLOSED
    call(this.onclose, { code, reason })
  }
}

/** The address of event streams on the host of a WebSocket. Of its query only the token means the same there. */
function streamAddress({ href, searchParams }: URL, path: string): URL {
  const address = new URL(`${path}/stream`, href.replace(/^ws/, 'http'))
  const token = searchParams.get('token')
  if (token !== null) address.searchParams.set('token', token)
  return address
}

function drop(socket: WebSocketLike): void {
  try {
    socket.close()
  } catch {
    // It never was.
  }
}

/** What the package `ws` reports when it is closed while it connects has to be listened to. */
function ignore(): void {}

function call(handler: unknown, event: unknown): void {
  if (typeof handler === 'function') (handler as (event: unknown) => void)(event)
}
