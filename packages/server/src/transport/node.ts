import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket as NetSocket } from 'node:net'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { WebSocket, WebSocketServer } from 'ws'
import { type Perimeter, type Visitor, headOf } from '../access/perimeter.js'
import { PING_PAYLOAD } from './frame.js'
import type { Acceptor, Socket, SocketHandler, Upgrade } from './transport.js'

/** How the WebSockets of a node are accepted. */
export interface NodeTransportOptions {
  /** The exact path of upgrades; below it only `/operations/{id}`. */
  readonly path: string
  /** Bytes of one message. */
  readonly messageBytesMax: number
  /** What a request has to pass before anything else. */
  readonly perimeter: Pick<Perimeter, 'examine'>
}

/** The version of RFC 6455; `ws` would take the draft before it too, and HTTP of any version (4.1: 1.1 or higher, and higher ones have no such upgrade). */
const VERSION = '13'

/** Fragments of one message, and chunks that wait for their rest: memory grows with their number, whatever their size. */
const FRAGMENTS_MAX = 64
const BUFFERED_CHUNKS_MAX = 256

/** How long a peer has to answer our close frame before its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 4_000

/** Prefixes of a subprotocol entry that carries a token. */
const TOKEN_PREFIXES = ['bearer.', 'jwt.', 'access_token.']

/** Accepts the upgrades of an HTTP server and hands their sockets over. `ws` does the handshake and reads; what we send we write ourselves. */
export class NodeTransport {
  readonly #acceptor: Acceptor
  readonly #options: NodeTransportOptions
  readonly #webSockets: WebSocketServer

  constructor(acceptor: Acceptor, options: NodeTransportOptions) {
    this.#acceptor = acceptor
    this.#options = options
    // Not a literal in the call: the types of ws know fewer options than ws does.
    const bounds = {
      noServer: true,
      WebSocket: OwnedWebSocket,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytesMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
      closeTimeout: CLOSE_TIMEOUT_MS,
      autoPong: false,
      handleProtocols: chooseProtocol,
    }
    this.#webSockets = new WebSocketServer(bounds)
  }

  /** Takes the upgrades of a server; answers its undo. Those to other paths are left to the server's other listeners. */
  attach(server: Server): () => void {
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      stream.on('error', ignore)
      const isAlone = server.listenerCount('upgrade') === 1
      if (isAlone && !asksForWebSocket(request)) return answerPlainly(server, request, stream as NetSocket)
      const target = this.#match(request.url ?? '')
      if (target !== undefined) this.#upgrade(request, stream as NetSocket, head, target)
      else if (isAlone) refuse(stream, '404 Not Found')
    }
    server.on('upgrade', onUpgrade)
    return () => server.off('upgrade', onUpgrade)
  }

  #match(url: string): { path: string; query: URLSearchParams } | undefined {
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const below = path.slice(this.#options.path.length)
    const ours = path.startsWith(this.#options.path) && (below === '' || /^\/operations\/[^/]+$/.test(below))
    return ours ? { path: below, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) } : undefined
  }

  #upgrade(
    request: IncomingMessage,
    stream: NetSocket,
    head: Buffer,
    target: { path: string; query: URLSearchParams },
  ): void {
    if (hasBody(request) || request.httpVersion !== '1.1') return refuse(stream, '400 Bad Request')
    if (request.method === 'GET' && request.headers['sec-websocket-version'] !== VERSION)
      return refuse(stream, '426 Upgrade Required', `Sec-WebSocket-Version: ${VERSION}\r\n`)
    const visitor = this.#options.perimeter.examine(headOf(request))
    if ('rejected' in visitor) return refuse(stream, REJECTED[visitor.rejected])
    const upgrade = describe(request, target, visitor)
    const refusal = this.#acceptor.refuses(upgrade.address)
    if (refusal !== undefined)
      return refuse(stream, REFUSED[refusal.status], `Retry-After: ${refusal.retryAfterSeconds}\r\n`)
    this.#webSockets.handleUpgrade(request, stream, head, (webSocket) => {
      stream.off('error', ignore)
      ;(webSocket as OwnedWebSocket).begin(stream, (socket) => this.#acceptor.accept(socket, upgrade))
    })
  }
}

function describe(
  request: IncomingMessage,
  target: { path: string; query: URLSearchParams },
  { address, origin }: Visitor,
): Upgrade {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((entry) => entry.trim())
  const carrier = offered.find((entry) => TOKEN_PREFIXES.some((prefix) => entry.startsWith(prefix)))
  return {
    ...target,
    address,
    origin,
    authorization: request.headers.authorization,
    speaksProtocol: offered.includes(SUBPROTOCOL),
    protocolToken: carrier?.slice(carrier.indexOf('.') + 1),
  }
}

/** Ours if offered; else the entry that carries the token, because a browser ends a connection that answers none of its entries. */
function chooseProtocol(offered: Set<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  return [...offered].find((entry) => TOKEN_PREFIXES.some((prefix) => entry.startsWith(prefix))) ?? false
}

const REFUSED = { 429: '429 Too Many Requests', 503: '503 Service Unavailable' } as const

const REJECTED = { 400: '400 Bad Request', 421: '421 Misdirected Request' } as const

function refuse(stream: Duplex, status: string, headers: string = ''): void {
  // A peer that keeps its half open would keep the socket.
  stream.once('finish', () => stream.destroy())
  stream.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`)
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Who offers another protocol, such as HTTP/2 in clear, asks for a page and may be answered as if nothing had been offered (RFC 9110, 7.8). Node hands over
 * every upgrade once somebody listens for one; so the request goes back to the listeners of requests.
 */
function answerPlainly(server: Server, request: IncomingMessage, stream: NetSocket): void {
  if (hasBody(request)) return refuse(stream, '400 Bad Request')
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(stream)
  response.once('finish', () => stream.destroySoon())
  if (!server.emit('request', request, response)) refuse(stream, '404 Not Found')
}

/** An upgrade has no body: bytes of one could be read as frames, and newer versions of Node hand over a stream that is no socket then. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** A socket that breaks is closed by whoever holds it; without a listener the process would end. */
function ignore(): void {}

/** A WebSocket that knows its connection. Its listeners are shared functions: a closure each would cost memory for every idle connection. */
class OwnedWebSocket extends WebSocket implements Socket {
  #stream: NetSocket | undefined
  #handler: SocketHandler | undefined
  /** Kept here: asking the stream takes several look-ups, and every write of a fan-out asks. */
  #ready = true
  /** A pong is on its way; what it is to be followed by. Only the latest ping needs an answer (RFC 6455, 5.5.3). */
  #ponging = false
  #nextPong: Buffer | undefined

  begin(stream: NetSocket, accept: (socket: Socket) => SocketHandler): void {
    this.#stream = stream
    stream.setNoDelay(true)
    this.on('error', onError)
    this.on('message', onMessage)
    this.on('ping', onPing)
    this.on('pong', onPong)
    this.on('close', onClose)
    streamOwners.set(stream, this)
    stream.on('drain', onDrain)
    this.#handler = accept(this)
  }

  get handler(): SocketHandler | undefined {
    return this.#handler
  }

  pendingBytes(): number {
    return this.#stream?.writableLength ?? 0
  }

  isReady(): boolean {
    return this.#ready
  }

  write(bytes: Uint8Array): void {
    if (this.readyState === WebSocket.OPEN && this.#stream?.write(bytes) === false) this.#ready = false
  }

  /** Answers a ping; while the answer to an earlier one has not left, only the latest is kept. */
  answerPing(payload: Buffer): void {
    if (this.#ponging) this.#nextPong = payload
    else this.#sendPong(payload)
  }

  #sendPong(payload: Buffer): void {
    this.#ponging = true
    this.#nextPong = undefined
    this.pong(payload, false, () => {
      this.#ponging = false
      if (this.#nextPong !== undefined && this.readyState === WebSocket.OPEN) this.#sendPong(this.#nextPong)
    })
  }

  drained(): void {
    this.#ready = true
    this.#handler?.drained()
  }

  /** `ws` itself closes, without a reason, when a message is over its limit: the connection says goodbye first. */
  override close(code?: number, reason?: string | Buffer): void {
    if (code === 1009 && reason === undefined && this.readyState === WebSocket.OPEN) this.#handler?.tooBig()
    super.close(code, reason)
  }

  hangUp(code: number, reason: string): void {
    super.close(code, reason)
    this.#stream?.destroySoon()
  }
}

const streamOwners = new WeakMap<NetSocket, OwnedWebSocket>()

const TOO_BIG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
])

/** Of a message over the limit `close` has told already. */
function onError(this: WebSocket, { code }: NodeJS.ErrnoException): void {
  if (code === undefined || !code.startsWith('WS_ERR_') || TOO_BIG.has(code)) return
  ;(this as OwnedWebSocket).handler?.violated(code)
}

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  const { handler } = this as OwnedWebSocket
  if (isBinary) return handler?.binary()
  const bytes = data as Buffer
  handler?.text(bytes.toString('utf8'), bytes.length)
}

function onPing(this: WebSocket, payload: Buffer): void {
  const socket = this as OwnedWebSocket
  socket.handler?.alive()
  if (socket.handler?.controlFrame()) socket.answerPing(payload)
}

function onPong(this: WebSocket, payload: Buffer): void {
  ;(this as OwnedWebSocket).handler?.controlFrame()
  if (payload.toString('latin1') === PING_PAYLOAD) (this as OwnedWebSocket).handler?.alive()
}

function onClose(this: WebSocket, code: number): void {
  ;(this as OwnedWebSocket).handler?.closed(code, code === 1000 || code === 1001)
}

function onDrain(this: NetSocket): void {
  streamOwners.get(this)?.drained()
}
