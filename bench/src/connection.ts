import { type Socket, connect } from 'node:net'
import type { ControlFrame, Dialect, Opening } from './candidates/candidate.js'
import { FrameReader, OPCODE } from './frame-reader.js'
import { clientFrame } from './frame-writer.js'
import { readSequences } from './sequence.js'
import { SequenceTally } from './tally.js'

/** Where to connect, as whom, and to what. */
export interface ConnectionOptions {
  readonly port: number
  readonly dialect: Dialect
  readonly user: string
  readonly channels: readonly string[]
  /** Whether the server may leave messages out when newer ones follow (default: it may not). */
  readonly mayBeHeldBack?: boolean
}

/** What a connection reports once it is open. Called for every frame, so they do little. */
export interface ConnectionEvents {
  /** `count` messages arrived that had not arrived before. */
  delivered(count: number): void
  /** The server acknowledged `count` publishes. */
  acknowledged(count: number): void
  /** The server refused something or ended the connection. */
  failed(reason: string): void
}

/**
 * All connections read into one buffer: reading and handing out are one synchronous step, and a buffer for each of some thousand
 * connections would make the generator heavier than the servers it measures.
 */
const SHARED_BUFFER = Buffer.allocUnsafe(256 * 1024)
const END_OF_HEAD = Buffer.from('\r\n\r\n')
/** RFC 6455 asks for a random nonce against caches between the two; there are none on loopback. */
const UPGRADE_KEY = 'aG9sZGZhc3QtYmVuY2gtMQ=='

/** One WebSocket client on a bare socket, reduced to counting numbered messages. */
export class Connection {
  /** The messages of this connection against the sequence that was published. */
  readonly tally: SequenceTally
  readonly #dialect: Dialect
  readonly #events: ConnectionEvents
  readonly #reader: FrameReader
  readonly #socket: Socket
  readonly #opening: Opening
  #head: Buffer | undefined = Buffer.alloc(0)
  #open = false
  #ended = false
  #fresh = 0

  private constructor(options: ConnectionOptions, events: ConnectionEvents, settle: (problem?: Error) => void) {
    this.tally = new SequenceTally(options.mayBeHeldBack)
    this.#dialect = options.dialect
    this.#events = events
    this.#reader = new FrameReader((opcode, buffer, start, end) => this.#take(opcode, buffer, start, end))
    this.#opening = this.#openingOf(options, settle)
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: SHARED_BUFFER, callback: (length) => this.#read(length) },
    })
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(options)))
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the server closed the socket'))
  }

  /**
   * Resolves when the server has authenticated the user and granted every channel.
   *
   * @throws Error with the server's own words when it refuses.
   */
  static open(options: ConnectionOptions, events: ConnectionEvents): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const connection: Connection = new Connection(options, events, (problem) =>
        problem === undefined ? resolve(connection) : reject(problem),
      )
    })
  }

  /** Publishes one message per text, all of them in one write, so that the server reads them in one tick. */
  publish(channel: string, texts: readonly string[]): void {
    const frames = texts.map((text, index) => clientFrame(this.#dialect.publish(channel, text, index + 1)))
    this.#socket.write(Buffer.concat(frames))
  }

  /** Leaves without a closing handshake. */
  end(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  #openingOf({ user, channels }: ConnectionOptions, settle: (problem?: Error) => void): Opening {
    return {
      user,
      channels,
      answers: 0,
      send: (text) => this.#send(text),
      ready: () => {
        this.#open = true
        settle()
      },
      refuse: (reason) => settle(new Error(`${this.#dialect.path} refused ${user}: ${reason}`)),
    }
  }

  #read(length: number): boolean {
    if (this.#ended) return true
    try {
      if (this.#head === undefined) this.#reader.push(SHARED_BUFFER, length)
      else this.#readHead(this.#head, length)
    } catch (error) {
      this.#fail(String(error))
    }
    return true
  }

  #readHead(before: Buffer, length: number): void {
    const head = Buffer.concat([before, SHARED_BUFFER.subarray(0, length)])
    const end = head.indexOf(END_OF_HEAD)
    this.#head = end === -1 ? head : undefined
    if (end === -1) return
    const status = head.toString('latin1', 0, head.indexOf('\r\n'))
    if (!status.startsWith('HTTP/1.1 101')) return this.#fail(status)
    this.#dialect.begin(this.#opening)
    if (end + 4 < head.length) this.#reader.push(head.subarray(end + 4))
  }

  #take(opcode: number, buffer: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.text) this.#takeText(buffer, start, end)
    else if (opcode === OPCODE.ping) this.#send(buffer.toString('utf8', start, end), OPCODE.pong)
    else if (opcode === OPCODE.close) this.#fail(closeReason(buffer, start, end))
  }

  #takeText(buffer: Buffer, start: number, end: number): void {
    if (!this.#open) return this.#dialect.proceed(this.#opening, buffer.toString('utf8', start, end))
    this.#fresh = 0
    const found = readSequences(buffer, start, end, this.#note)
    if (found > 0) this.#events.delivered(this.#fresh)
    else this.#obey(this.#dialect.control(buffer.toString('utf8', start, end)))
  }

  readonly #note = (sequence: number): void => {
    if (this.tally.note(sequence)) this.#fresh++
  }

  #obey(frame: ControlFrame): void {
    if (frame.kind === 'acknowledged') this.#events.acknowledged(frame.count)
    else if (frame.kind === 'heartbeat') this.#send(frame.answer)
    else if (frame.kind === 'failure') this.#fail(frame.reason)
  }

  #send(text: string, opcode?: number): void {
    this.#socket.write(clientFrame(text, opcode))
  }

  #fail(reason: string): void {
    if (this.#ended) return
    this.end()
    if (this.#open) this.#events.failed(reason)
    else this.#opening.refuse(reason)
  }
}

function upgradeRequest({ dialect, port }: ConnectionOptions): string {
  const lines = [
    `GET ${dialect.path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${UPGRADE_KEY}`,
    'Sec-WebSocket-Version: 13',
  ]
  if (dialect.subprotocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${dialect.subprotocol}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function closeReason(buffer: Buffer, start: number, end: number): string {
  if (end - start < 2) return 'closed by the server'
  return `closed by the server: ${buffer.readUInt16BE(start)} ${buffer.toString('utf8', start + 2, end)}`
}
