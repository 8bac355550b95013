import {
  type CommandOf,
  type CommandType,
  SUBPROTOCOL,
  type ServerMessage,
  type ServerMessageOf,
  type ServerMessageType,
  decodeServerFrame,
} from '@holdfast/protocol'
import { WebSocket } from 'ws'
import { eventually, within } from './deadline.js'

/** How a connection ended. */
export interface Ended {
  readonly code: number
  readonly reason: string
}

/** A command without the `id` that the client gives it. */
type Asked<T extends CommandType> = T extends CommandType ? Omit<CommandOf<T>, 'id'> : never

/** A connection that speaks the wire protocol and nothing else: no reconnect, no memory but of what it was sent. */
export class WireClient {
  /** Every frame that came, as it came. */
  readonly frames: string[] = []
  /** Every message that came. */
  readonly messages: ServerMessage[] = []
  /** Resolves when the connection has ended. */
  readonly ended: Promise<Ended>
  readonly #socket: WebSocket
  #lastId = 0

  /** Opens the socket; with `subprotocols` left empty the server takes the client for one that does not know the protocol. */
  constructor(url: string, subprotocols: readonly string[] = [SUBPROTOCOL]) {
    this.#socket = new WebSocket(url, [...subprotocols], { perMessageDeflate: false })
    this.#socket.on('error', () => undefined)
    this.#socket.on('message', (data: Buffer) => this.#take(data.toString('utf8')))
    this.ended = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
    })
  }

  /** Opens a connection, says hello and waits for the welcome. Throws when it is refused. */
  static async welcomed(url: string, hello: Omit<CommandOf<'hello'>, 'type' | 'id'>): Promise<WireClient> {
    const client = new WireClient(url)
    await client.opened()
    client.send({ type: 'hello', ...hello })
    await client.welcome()
    return client
  }

  /** Resolves when the socket is open. Throws when it ends instead. */
  opened(): Promise<true> {
    return eventually('the socket opens', () => {
      const { readyState } = this.#socket
      if (readyState === WebSocket.CLOSED) throw new Error('the socket did not open')
      return readyState === WebSocket.OPEN
    })
  }

  /** The welcome. Throws when the connection ends before it. */
  async welcome(): Promise<ServerMessageOf<'welcome'>> {
    const ended = this.ended.then(({ code, reason }) => {
      const [welcome] = this.of('welcome')
      return welcome ?? Promise.reject(new Error(`refused: ${code} ${reason}`))
    })
    return within('a welcome', Promise.race([this.next('welcome'), ended]))
  }

  /** Sends a command without waiting for its answer. */
  send(command: Asked<CommandType>): void {
    this.#socket.send(JSON.stringify(command))
  }

  /** Sends a command and waits for its answer, which may be an `error`. */
  async ask(command: Asked<CommandType>): Promise<ServerMessage> {
    const id = (this.#lastId += 1)
    this.#socket.send(JSON.stringify({ ...command, id }))
    return eventually(`an answer to ${command.type}`, () =>
      this.messages.find((message) => 'id' in message && message.id === id && message.type !== 'message'),
    )
  }

  /** As `ask`, for a command that must be answered by `type`. */
  async get<T extends ServerMessageType>(type: T, command: Asked<CommandType>): Promise<ServerMessageOf<T>> {
    const answer = await this.ask(command)
    if (answer.type !== type) throw new Error(`${command.type} was answered ${JSON.stringify(answer)}`)
    return answer as ServerMessageOf<T>
  }

  /** The first message of a type, come or to come. */
  next<T extends ServerMessageType>(type: T): Promise<ServerMessageOf<T>> {
    return eventually(`a ${type}`, () => this.of(type)[0])
  }

  /** The messages of a type that came so far. */
  of<T extends ServerMessageType>(type: T): ServerMessageOf<T>[] {
    return this.messages.filter((message): message is ServerMessageOf<T> & ServerMessage => message.type === type)
  }

  /** Ends the connection in order and waits for its end. */
  async close(): Promise<Ended> {
    this.#socket.close(1000)
    return within('the close is answered', this.ended)
  }

  /** Ends the connection without a word. */
  async break(): Promise<void> {
    this.#socket.terminate()
    await within('the socket ends', this.ended)
  }

  #take(frame: string): void {
    this.frames.push(frame)
    this.messages.push(...decodeServerFrame(frame))
  }
}
