import type { WebSocketConstructor, WebSocketLike } from '../socket.js'

/** A command as it arrived at the far end. */
export type Arrived = { readonly type: string; readonly id?: number; readonly [member: string]: unknown }

/** A network in memory: every socket that is opened shows up as its far end. */
export class SimulatedNetwork {
  readonly ends: FarEnd[] = []
  readonly WebSocket: WebSocketConstructor
  /** Called for every new socket. Default: it opens. */
  onConnect: (end: FarEnd) => void = (end) => end.accept()

  constructor() {
    const { ends } = this
    const connect = (end: FarEnd): void => this.onConnect(end)
    this.WebSocket = class extends NearEnd {
      constructor(url: string, protocols: string[]) {
        super()
        const end = new FarEnd(this, url, protocols)
        this.far = end
        ends.push(end)
        queueMicrotask(() => connect(end))
      }
    }
  }

  /** The socket opened last. */
  get last(): FarEnd {
    const end = this.ends.at(-1)
    if (!end) throw new Error('no socket was opened')
    return end
  }
}

class NearEnd implements WebSocketLike {
  readyState = 0
  onopen: unknown = null
  onmessage: unknown = null
  onclose: unknown = null
  onerror: unknown = null
  far: FarEnd | undefined

  send(frame: string): void {
    this.far?.arrive(frame)
  }

  close(code?: number, reason?: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    if (this.far) this.far.closedBy = { code, reason }
  }
}

/** The far end of a socket, in the hands of a test. */
export class FarEnd {
  readonly url: string
  readonly protocols: readonly string[]
  readonly arrived: Arrived[] = []
  closedBy: { code: number | undefined; reason: string | undefined } | undefined
  /** Called for every command. */
  onCommand: (command: Arrived) => void = () => {}
  readonly #near: NearEnd

  constructor(near: NearEnd, url: string, protocols: readonly string[]) {
    this.#near = near
    this.url = url
    this.protocols = protocols
  }

  get isOpen(): boolean {
    return this.#near.readyState === 1
  }

  /** Opens the socket. */
  accept(): void {
    this.#near.readyState = 1
    this.#call('onopen', {})
  }

  /** Sends messages as one frame. */
  send(...messages: object[]): void {
    this.raw(messages.map((message) => JSON.stringify(message)).join('\n'))
  }

  /** Sends a frame as it is. */
  raw(frame: unknown): void {
    if (this.isOpen) this.#call('onmessage', { data: frame })
  }

  /** Closes the socket; with 1006 it is cut. */
  close(code: number, reason = ''): void {
    if (this.#near.readyState === 3) return
    this.#near.readyState = 3
    this.#call('onclose', { code, reason })
  }

  /** The commands of a type that arrived. */
  all(type: string): Arrived[] {
    return this.arrived.filter((command) => command.type === type)
  }

  arrive(frame: string): void {
    for (const line of frame.split('\n')) {
      const command = JSON.parse(line) as Arrived
      this.arrived.push(command)
      this.onCommand(command)
    }
  }

  #call(name: 'onopen' | 'onmessage' | 'onclose', event: object): void {
    const handler = this.#near[name] as ((event: object) => void) | null
    handler?.(event)
  }
}
