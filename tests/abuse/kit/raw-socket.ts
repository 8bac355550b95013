import { type NetConnectOpts, type Socket, connect } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { eventually } from '../../kit/deadline.js'

/** What a frame may be made of that a well-behaved client would not send (RFC 6455 5.2). */
export interface FrameOptions {
  readonly final?: boolean
  /** The reserved bits, 0 to 7; 4 is RSV1. */
  readonly reserved?: number
  /** Default text. */
  readonly opcode?: number
  readonly masked?: boolean
  /** The length that the header tells, whatever the payload has. */
  readonly declares?: bigint
}

/** The opcodes that the standard knows. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A frame as a client sends it, or as none does. */
export function frame(payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { final = true, reserved = 0, opcode = OPCODE.text, masked = true } = options
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const length = lengthOf(options.declares ?? BigInt(bytes.length))
  const [firstOfLength = 0, ...rest] = length
  const head = Buffer.from([
    (final ? 0x80 : 0) | (reserved << 4) | opcode,
    (masked ? 0x80 : 0) | firstOfLength,
    ...rest,
  ])
  if (!masked) return Buffer.concat([head, bytes])
  const mask = Buffer.from([0x11, 0x22, 0x33, 0x44])
  return Buffer.concat([head, mask, Buffer.from(bytes.map((byte, at) => byte ^ (mask[at & 3] ?? 0)))])
}

function lengthOf(length: bigint): Buffer {
  if (length < 126n) return Buffer.from([Number(length)])
  const bytes = Buffer.alloc(length < 65_536n ? 3 : 9)
  bytes[0] = length < 65_536n ? 126 : 127
  if (length < 65_536n) bytes.writeUInt16BE(Number(length), 1)
  else bytes.writeBigUInt64BE(length, 1)
  return bytes
}

/** The head of a request to become a WebSocket, with these headers beside or instead of the usual ones; a value of `undefined` leaves one out. */
export function upgradeRequest(
  headers: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  line: string = 'GET /ws HTTP/1.1',
): string {
  const usual = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': SUBPROTOCOL,
  }
  const lines = Object.entries<string | readonly string[] | undefined>({ ...usual, ...headers }).flatMap(
    ([name, value]) => (value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`)),
  )
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`
}

/** An answer in HTTP. */
export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** A frame of the server. */
export interface ServerFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** Which socket to open. */
export interface RawSocketOptions extends Omit<NetConnectOpts, 'port' | 'path'> {
  readonly port: number
  readonly host?: string
  /** Its address on this machine (default: the system's choice). */
  readonly localAddress?: string
  /** Over TLS, whatever certificate the server shows. */
  readonly secure?: boolean
}

/** A socket that says what it is told to: bytes go in, an answer in HTTP and frames come out. */
export class RawSocket {
  readonly socket: Socket
  /** Everything that was read, until the upgrade. */
  text = ''
  /** The frames of the server, in order. */
  readonly frames: ServerFrame[] = []
  /** The JSON messages in them, in order. */
  readonly messages: Readonly<Record<string, unknown>>[] = []
  /** The close frame, when one came. */
  closed: { readonly code: number; readonly reason: string } | undefined
  /** Whether the socket is gone. */
  gone = false
  /** The answer to the first request, when it came. */
  answer: HttpAnswer | undefined
  #unread: Buffer = Buffer.alloc(0)

  constructor({ secure = false, ...options }: RawSocketOptions) {
    const where = { host: '127.0.0.1', noDelay: true, ...options } as NetConnectOpts & { port: number; host: string }
    this.socket = secure ? connectSecurely({ ...where, rejectUnauthorized: false }) : connect(where)
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => (this.gone = true))
  }

  /** A WebSocket that has said nothing yet. Throws when the upgrade is refused. */
  static async upgraded(options: RawSocketOptions, headers?: Parameters<typeof upgradeRequest>[0]): Promise<RawSocket> {
    const socket = new RawSocket(options)
    const answer = await socket.ask(upgradeRequest(headers))
    if (answer.status !== 101) throw new Error(`the upgrade was answered ${answer.status}`)
    return socket
  }

  /** A WebSocket that was welcomed. Throws when it is not. */
  static async welcomed(options: RawSocketOptions, token: string): Promise<RawSocket> {
    const socket = await RawSocket.upgraded(options)
    socket.say({ type: 'hello', token })
    await socket.message('welcome')
    return socket
  }

  /** Sends bytes, or text as it is. */
  write(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }

  /** Sends commands in one text frame. */
  say(...commands: (object | string)[]): void {
    const lines = commands.map((command) => (typeof command === 'string' ? command : JSON.stringify(command)))
    this.write(frame(lines.join('\n')))
  }

  /** Sends a request and resolves to the answer in HTTP. */
  async ask(request: string | Buffer): Promise<HttpAnswer> {
    this.write(request)
    return eventually('an answer', () => {
      if (this.gone && this.answer === undefined) throw new Error('the socket was closed without an answer')
      return this.answer
    })
  }

  /** The first message of a type with these members, come or to come. */
  message(type: string, members: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const wanted = Object.entries({ type, ...members })
    return eventually(`a ${type} ${JSON.stringify(members)}, after ${this.#told()}`, () =>
      this.messages.find((message) => wanted.every(([name, value]) => message[name] === value)),
    )
  }

  /** Resolves to how the server ended the connection, once the socket is gone; `code` is 1006 when it said nothing. */
  async ended(withinMs: number = 30_000): Promise<{ readonly code: number; readonly reason: string }> {
    await eventually(`the server lets go, after ${this.#told()}`, () => this.gone, withinMs)
    return this.closed ?? { code: 1006, reason: '' }
  }

  /** Resolves to the close frame of the server, which it answers as a client does. */
  async refused(withinMs: number = 30_000): Promise<{ readonly code: number; readonly reason: string }> {
    return eventually('the server closes', () => this.closed ?? (this.gone && { code: 1006, reason: '' }), withinMs)
  }

  /** Stops reading: what comes waits in the kernel, and then at the server. */
  stopReading(): void {
    this.socket.pause()
  }

  /** Ends the socket without a word. */
  destroy(): void {
    this.socket.destroy()
  }

  #told(): string {
    return this.messages.map(({ type }) => String(type)).join(', ') || 'nothing'
  }

  #take(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
    if (this.answer === undefined) this.#takeAnswer()
    if (this.answer?.status === 101) while (this.#takeFrame());
    else this.#takeText()
  }

  #takeText(): void {
    this.text += this.#unread.toString('latin1')
    if (this.answer !== undefined) this.#unread = Buffer.alloc(0)
  }

  #takeAnswer(): void {
    const end = this.#unread.indexOf('\r\n\r\n')
    if (end < 0) return
    this.text = this.#unread.toString('latin1', 0, end)
    const [status = '', ...lines] = this.text.split('\r\n')
    const headers = lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ])
    this.answer = {
      status: Number(status.split(' ')[1]),
      headers: Object.fromEntries(headers) as HttpAnswer['headers'],
    }
    this.#unread = this.#unread.subarray(end + 4)
  }

  #takeFrame(): boolean {
    const [first = 0, second = 0] = this.#unread
    const head = second === 127 ? 10 : second === 126 ? 4 : 2
    if (this.#unread.length < head) return false
    const length =
      second === 127 ? Number(this.#unread.readBigUInt64BE(2)) : second === 126 ? this.#unread.readUInt16BE(2) : second
    if (this.#unread.length < head + length) return false
    this.#keep({ opcode: first & 0x0f, payload: Buffer.from(this.#unread.subarray(head, head + length)) })
    this.#unread = this.#unread.subarray(head + length)
    return true
  }

  #keep(received: ServerFrame): void {
    const { opcode, payload } = received
    this.frames.push(received)
    if (opcode === OPCODE.text)
      for (const line of payload.toString('utf8').split('\n'))
        if (line.startsWith('{')) this.messages.push(JSON.parse(line) as Readonly<Record<string, unknown>>)
    if (opcode !== OPCODE.close) return
    this.closed = { code: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.toString('utf8', 2) }
    this.write(frame(payload, { opcode: OPCODE.close }))
  }
}
