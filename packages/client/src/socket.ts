import { HoldfastError } from './errors.js'

/** What the client needs of a WebSocket: that of the browser, of Node 22, of Bun, or of the package `ws`. */
export interface WebSocketLike {
  readonly readyState: number
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send(data: string): void
  close(code?: number, reason?: string): void
}

/** The constructor of a WebSocket. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike

/** What happens to a socket. After `closed` nothing else does. */
export interface SocketEvents {
  opened(): void
  received(frame: string): void
  closed(code: number, reason: string): void
}

const OPEN = 1

/** A WebSocket behind the few calls that the client makes. */
export class Socket {
  readonly #socket: WebSocketLike
  #done = false

  constructor(socket: WebSocketLike, events: SocketEvents) {
    this.#socket = socket
    socket.onopen = () => this.#done || events.opened()
    socket.onmessage = (event: { data: unknown }) => {
      if (!this.#done && typeof event.data === 'string') events.received(event.data)
    }
    socket.onclose = (event: { code?: number; reason?: string }) => {
      if (this.#done) return
      this.#done = true
      events.closed(event.code ?? 1006, event.reason ?? '')
    }
    // A close event follows every error; without a listener `ws` would end the process.
    socket.onerror = () => {}
  }

  /** Sends a frame; false when the socket is not open. */
  send(frame: string): boolean {
    if (this.#done || this.#socket.readyState !== OPEN) return false
    try {
      this.#socket.send(frame)
      return true
    } catch {
      return false
    }
  }

  /** Closes with 1000 and reports nothing more. */
  close(reason = 'Normal closure'): void {
    this.#done = true
    try {
      this.#socket.close(1000, reason)
    } catch {
      // A socket that never opened may refuse to be closed with a code.
    }
  }

  /** Drops a socket whose other end is not there: a closing handshake would wait for it. */
  abandon(): void {
    this.#done = true
    const { terminate } = this.#socket as { terminate?: () => void }
    try {
      if (terminate) terminate.call(this.#socket)
      else this.#socket.close()
    } catch {
      // It is gone already.
    }
  }
}

/**
 * The WebSocket to use: the one given, the platform's, or that of the package `ws`.
 *
 * @throws HoldfastError `invalid_option` when there is none.
 */
export async function findWebSocket(given: WebSocketConstructor | undefined): Promise<WebSocketConstructor> {
  const present = given ?? (globalThis.WebSocket as WebSocketConstructor | undefined)
  if (present) return present
  // A name that is computed keeps bundlers for the browser from looking for the package.
  const name = ['w', 's'].join('')
  try {
    const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
      WebSocket: WebSocketConstructor
    }
    return module.WebSocket
  } catch (cause) {
    throw new HoldfastError(
      'invalid_option',
      'options.WebSocket must be given where no WebSocket is global, or the package ws installed',
      { cause },
    )
  }
}
