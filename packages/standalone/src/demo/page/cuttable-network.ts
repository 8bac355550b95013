import type { WebSocketConstructor } from '@holdfast/client'
import { type Clock, systemClock } from '../../clock.js'

/** A network that can be cut: the sockets made from it fall silent, and new ones do not come up until it is back. */
export interface CuttableNetwork {
  /** In the place of the browser's own WebSocket. */
  readonly WebSocket: WebSocketConstructor
  readonly isCut: boolean
  /** Cuts every socket for `ms` milliseconds. Does nothing while cut already. */
  cut(ms: number): void
}

/**
 * Makes a network whose cut is a real one: no close frame leaves, the server goes on sending into the void until it
 * finds out, and the page sees its socket end with 1006.
 */
export function createCuttableNetwork(clock: Clock = systemClock): CuttableNetwork {
  const sockets = new Set<CuttableSocket>()
  let isCut = false

  class NetworkSocket extends CuttableSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, isCut, clock, () => sockets.delete(this))
      sockets.add(this)
    }
  }

  const restore = (): void => {
    isCut = false
    // What a browser tells its pages when the network is back.
    globalThis.dispatchEvent(new Event('online'))
  }

  return {
    WebSocket: NetworkSocket,
    get isCut() {
      return isCut
    },
    cut(ms) {
      if (isCut) return
      isCut = true
      globalThis.dispatchEvent(new Event('offline'))
      for (const socket of [...sockets]) socket.sever()
      clock.after(ms, restore)
    },
  }
}

/** The part of a WebSocket that the client uses, on a line that can be severed. */
class CuttableSocket {
  onopen: ((event: Event) => void) | null = null
  onmessage: ((event: MessageEvent) => void) | null = null
  onerror: ((event: Event) => void) | null = null
  onclose: ((event: CloseEvent) => void) | null = null

  readonly #inner: WebSocket | undefined
  readonly #onGone: () => void
  #severed = false

  constructor(url: string, protocols: string[], isCut: boolean, clock: Clock, onGone: () => void) {
    this.#onGone = onGone
    this.#inner = isCut ? undefined : this.#connect(url, protocols)
    // A constructor must return before its socket fails.
    if (isCut) clock.after(0, () => this.sever())
  }

  get readyState(): number {
    if (this.#severed) return WebSocket.CLOSED
    return this.#inner?.readyState ?? WebSocket.CONNECTING
  }

  send(data: string): void {
    if (!this.#severed) this.#inner?.send(data)
  }

  close(code?: number, reason?: string): void {
    if (!this.#severed) this.#inner?.close(code, reason)
  }

  /** Nothing passes any more, in either direction. The socket below stays as it is: the other side must not be told. */
  sever(): void {
    if (this.#severed) return
    this.#severed = true
    this.#onGone()
    this.onerror?.(new Event('error'))
    this.onclose?.(new CloseEvent('close', { code: 1006 }))
  }

  #connect(url: string, protocols: string[]): WebSocket {
    const inner = new WebSocket(url, protocols)
    inner.onopen = (event) => this.#severed || this.onopen?.(event)
    inner.onmessage = (event) => this.#severed || this.onmessage?.(event)
    inner.onerror = (event) => this.#severed || this.onerror?.(event)
    inner.onclose = (event) => {
      if (this.#severed) return
      this.#onGone()
      this.onclose?.(event)
    }
    return inner
  }
}
