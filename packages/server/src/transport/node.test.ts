import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket as NetSocket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { HostPolicy } from '../access/host-policy.js'
import { Perimeter } from '../access/perimeter.js'
import { TrustedProxies } from '../access/trusted-proxies.js'
import { webSocketFrames } from './frame.js'
import { NodeTransport } from './node.js'
import type { Socket, SocketHandler, Upgrade, UpgradeRefusal } from './transport.js'

const BYTES_MAX = 4_096

const perimeter = new Perimeter({
  proxies: new TrustedProxies([]),
  hosts: new HostPolicy(undefined, () => false),
  audit: { record: () => undefined },
})

let server: Server
let transport: NodeTransport
let address: string
let refusal: UpgradeRefusal | undefined
let answersPings: boolean
let accepted: Peer[]

/** The server's end of a WebSocket, noting what it is told. */
class Peer implements SocketHandler {
  readonly socket: Socket
  readonly upgrade: Upgrade
  readonly told: string[] = []
  controlFrames = 0

  constructor(socket: Socket, upgrade: Upgrade) {
    this.socket = socket
    this.upgrade = upgrade
  }

  text(frame: string, bytes: number): void {
    this.told.push(`text ${frame.slice(0, 20)} ${bytes}`)
  }

  binary(): void {
    this.told.push('binary')
  }

  tooBig(): void {
    this.told.push('too big')
  }

  violated(rule: string): void {
    this.told.push(rule)
  }

  alive(): void {
    this.told.push('alive')
  }

  controlFrame(): boolean {
    this.controlFrames += 1
    return answersPings
  }

  drained(): void {
    this.told.push('drained')
  }

  closed(code: number, clean: boolean): void {
    this.told.push(`closed ${code} ${clean}`)
  }
}

beforeEach(async () => {
  refusal = undefined
  answersPings = true
  accepted = []
  const accept = (socket: Socket, upgrade: Upgrade): SocketHandler => {
    const peer = new Peer(socket, upgrade)
    accepted.push(peer)
    return peer
  }
  transport = new NodeTransport(
    { refuses: () => refusal, accept },
    { path: '/ws', messageBytesMax: BYTES_MAX, perimeter },
  )
  server = createServer((_, response) => response.end('page'))
  transport.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  for (const { socket } of accepted) socket.close(1001, 'over')
  await new Promise((resolve) => server.close(resolve))
})

async function open(path = '/ws', protocols: string[] = [], headers = {}): Promise<[WebSocket, Peer]> {
  const client = new WebSocket(`ws://${address}${path}`, protocols, { headers })
  await once(client, 'open')
  return [client, accepted.at(-1) as Peer]
}

/** A connection that says what it likes. */
async function raw(text: string | Buffer): Promise<NetSocket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
const handshake = (path: string, headers = KEY): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`

/** Everything the server says until it hangs up. */
async function answerTo(text: string): Promise<string> {
  const socket = await raw(text)
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
  await once(socket, 'close')
  return answer
}

describe('an upgrade', () => {
  it.each(['/', '/wss', '/ws/', '/ws/operations', '/ws/operations/', '/ws/operations/a/b', '/WS', '//ws', '/other/ws'])(
    'to %s is answered 404',
    async (path) => expect(await answerTo(handshake(path))).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/),
  )

  it.each<[string, string, string]>([
    ['/ws', '', ''],
    ['/ws?channel=room:1&token=x', '', 'channel=room%3A1&token=x'],
    ['/ws/operations/import-1', '/operations/import-1', ''],
    ['/ws/operations/a%20b?x=1', '/operations/a%20b', 'x=1'],
  ])('to %s is taken, with path and query', async (path, below, query) => {
    const [client, { upgrade }] = await open(path)
    expect([upgrade.path, upgrade.query.toString()]).toEqual([below, query])
    client.terminate()
  })

  it('to another path is left to who else listens', async () => {
    server.on('upgrade', (request, stream) => {
      if (request.url === '/other') stream.end('HTTP/1.1 418 Teapot\r\n\r\n')
    })
    expect(await answerTo(handshake('/other'))).toMatch(/^HTTP\/1\.1 418 /)
    const [client] = await open()
    client.terminate()
  })

  it.each(['/', '/ws'])('to HTTP/2, at %s, is answered as if none had been asked for', async (path) => {
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
    const answer = await answerTo(`GET ${path} HTTP/1.1\r\nHost: a\r\n${offer}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n[\s\S]*page$/)
    const [client] = await open()
    client.terminate()
  })

  it('to HTTP/2 of a request with a body is refused: the body could be taken for another request', async () => {
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx'
    expect(await answerTo(request)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  it.each([handshake('/other'), handshake('/ws', `Content-Length: 1\r\n${KEY}`)])(
    'that is refused holds no socket, also of a client that does not hang up',
    async (text) => {
      const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => undefined)
      await once(server, 'connection')
      socket.write(text)
      const open = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
      await expect.poll(open, { timeout: 2_000 }).toBe(0)
      socket.destroy()
    },
  )

  it('is answered 503 while the node is full, with a time to come back', async () => {
    refusal = { status: 503, retryAfterSeconds: 7 }
    const answer = await answerTo(handshake('/ws'))
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/)
    expect(answer).toContain('Retry-After: 7\r\n')
    expect(accepted).toEqual([])
  })

  it('is answered 429 while too many come from its address', async () => {
    refusal = { status: 429, retryAfterSeconds: 1 }
    expect(await answerTo(handshake('/ws'))).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\nRetry-After: 1\r\n/)
    expect(accepted).toEqual([])
  })

  it.each<[string, string]>([
    ['without a key', 'Sec-WebSocket-Version: 13\r\n'],
    ['with a short key', 'Sec-WebSocket-Key: YQ==\r\nSec-WebSocket-Version: 13\r\n'],
  ])('%s is answered as a client error', async (_, headers) => {
    expect(await answerTo(handshake('/ws', headers))).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(accepted).toEqual([])
  })

  it.each(['8', '12', '14', '13, 8', '013', ''])('of version "%s" is told which one is right', async (version) => {
    const headers = `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: ${version}\r\n`
    const answer = await answerTo(handshake('/ws', headers))
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n/)
    expect(accepted).toEqual([])
  })

  it.each(['1.0', '2.0'])('in HTTP/%s is answered 400', async (version) => {
    expect(await answerTo(handshake('/ws').replace('HTTP/1.1', `HTTP/${version}`))).toMatch(/^HTTP\/1\.1 400 /)
    expect(accepted).toEqual([])
  })

  it.each([
    ['a length', 'Content-Length: 5\r\n', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ])('with a body, told by %s, is answered 400', async (_, header, body) => {
    const right = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
    expect(await answerTo(handshake('/ws', right + header) + body)).toMatch(/^HTTP\/1\.1 400 /)
    expect(accepted).toEqual([])
  })

  it('hands on what the client said of itself', async () => {
    const [client, { upgrade }] = await open('/ws', ['holdfast.v1+json', 'jwt.a.b.c'], {
      authorization: 'Bearer x',
      origin: 'https://example.com',
    })
    expect(upgrade).toMatchObject({
      address: '127.0.0.1',
      authorization: 'Bearer x',
      origin: 'https://example.com',
      speaksProtocol: true,
      protocolToken: 'a.b.c',
    })
    client.terminate()
  })

  it.each<[string[], string]>([
    [[], ''],
    [['holdfast.v1+json'], 'holdfast.v1+json'],
    [['chat', 'holdfast.v1+json', 'bearer.t'], 'holdfast.v1+json'],
    [['chat', 'bearer.t'], 'bearer.t'],
    [['jwt.t', 'access_token.t'], 'jwt.t'],
  ])('that offers %j gets %j', async (offered, chosen) => {
    const [client] = await open('/ws', offered)
    expect(client.protocol).toBe(chosen)
    client.terminate()
  })

  it('that offers only what is not ours gets none', async () => {
    const answer = handshake('/ws', `${KEY}Sec-WebSocket-Protocol: chat\r\n`)
    const socket = await raw(answer)
    const [data] = (await once(socket, 'data')) as [Buffer]
    expect(data.toString()).toMatch(/^HTTP\/1\.1 101 /)
    expect(data.toString()).not.toContain('Sec-WebSocket-Protocol')
    socket.destroy()
  })

  it('is refused no more once the transport was detached', async () => {
    const other = createServer()
    const detach = transport.attach(other)
    expect(other.listenerCount('upgrade')).toBe(1)
    detach()
    detach()
    expect(other.listenerCount('upgrade')).toBe(0)
  })
})

describe('a socket', () => {
  it('hands over text with its bytes, and tells of binary frames', async () => {
    const [client, peer] = await open()
    client.send('é')
    client.send(Buffer.from([1]))
    await expect.poll(() => peer.told).toEqual(['text é 2', 'binary'])
    client.terminate()
  })

  it('delivers frames that were made once', async () => {
    const [client, { socket }] = await open()
    const frames = Buffer.concat([webSocketFrames.text('one'), webSocketFrames.text('two')])
    const arrived: string[] = []
    client.on('message', (data: Buffer) => arrived.push(data.toString()))
    socket.write(frames)
    await expect.poll(() => arrived).toEqual(['one', 'two'])
    client.terminate()
  })

  it('takes a pong for a sign of life only when it answers our ping', async () => {
    const [client, peer] = await open()
    client.pong('unasked')
    peer.socket.write(webSocketFrames.ping())
    await expect.poll(() => peer.told).toEqual(['alive'])
    client.terminate()
  })

  it('answers pings, which are signs of life too', async () => {
    const [client, peer] = await open()
    client.ping('hey')
    const [payload] = (await once(client, 'pong')) as [Buffer]
    expect(payload.toString()).toBe('hey')
    expect(peer.told).toEqual(['alive'])
    client.terminate()
  })

  it('counts pings and pongs, and answers no ping that is too many', async () => {
    const [client, peer] = await open()
    answersPings = false
    client.pong('unasked')
    client.ping('unanswered')
    await expect.poll(() => peer.controlFrames).toBe(2)
    answersPings = true
    client.ping('answered')
    expect(String((await once(client, 'pong'))[0])).toBe('answered')
    client.terminate()
  })

  it('owes a peer that does not read one pong at most, to its latest ping', async () => {
    const [client, peer] = await open()
    client.pause()
    while (peer.socket.isReady()) peer.socket.write(webSocketFrames.text('x'.repeat(60_000)))
    const waiting = peer.socket.pendingBytes()
    for (let count = 1; count <= 1_000; count += 1) client.ping(`ping ${count}`)
    await expect.poll(() => peer.controlFrames).toBe(1_000)
    expect(peer.socket.pendingBytes() - waiting).toBeLessThan(20)
    const pongs: string[] = []
    client.on('pong', (payload: Buffer) => pongs.push(payload.toString()))
    client.resume()
    await expect.poll(() => pongs).toEqual(['ping 1', 'ping 1000'])
    client.terminate()
  })

  it('closes with code and reason', async () => {
    const [client, { socket }] = await open()
    socket.close(1008, 'Not allowed')
    expect((await once(client, 'close')).map(String)).toEqual(['1008', 'Not allowed'])
  })

  it('hangs up on a peer that answers nothing, when everything has left', async () => {
    const socket = await raw(handshake('/ws'))
    await expect.poll(() => accepted).toHaveLength(1)
    let heard = ''
    socket.on('data', (data: Buffer) => (heard += data.toString('latin1')))
    const [{ socket: ours, told }] = accepted as [Peer]
    ours.write(webSocketFrames.text('x'.repeat(1_000_000)))
    ours.hangUp(1008, 'Authentication required')
    await once(socket, 'end')
    expect(heard).toMatch(/x{1000000}.*Authentication required$/s)
    await expect.poll(() => told).toEqual(['closed 1006 false'])
    socket.destroy()
  })

  it('does not write once it is closing', async () => {
    const [client, { socket }] = await open()
    const arrived: string[] = []
    client.on('message', (data: Buffer) => arrived.push(data.toString()))
    socket.close(1000, '')
    socket.write(webSocketFrames.text('late'))
    await once(client, 'close')
    expect(arrived).toEqual([])
  })

  it.each<[string, (client: WebSocket) => void, string]>([
    ['a goodbye', (client) => client.close(1000), 'closed 1000 true'],
    ['a page that went away', (client) => client.close(1001), 'closed 1001 true'],
    ['a goodbye with another code', (client) => client.close(4000), 'closed 4000 false'],
    ['a break', (client) => client.terminate(), 'closed 1006 false'],
  ])('tells of %s', async (_, end, told) => {
    const [client, peer] = await open()
    end(client)
    await expect.poll(() => peer.told).toEqual([told])
  })

  it('counts what waits, and tells when it has left', async () => {
    const [client, peer] = await open()
    client.pause()
    const frame = webSocketFrames.text('x'.repeat(1_000_000))
    await expect
      .poll(() => {
        peer.socket.write(frame)
        return peer.socket.pendingBytes()
      })
      .toBeGreaterThan(1_000_000)
    expect(peer.told).toEqual([])
    client.resume()
    await expect.poll(() => peer.told).toContain('drained')
    expect(peer.socket.pendingBytes()).toBe(0)
    client.terminate()
  })

  it('stops reading while it is paused', async () => {
    const [client, peer] = await open()
    peer.socket.pause()
    client.send('a')
    client.ping()
    const [other] = await open()
    other.ping()
    await once(other, 'pong')
    expect(peer.told).toEqual([])
    peer.socket.resume()
    await expect.poll(() => peer.told).toEqual(['text a 1', 'alive'])
    client.terminate()
    other.terminate()
  })
})

describe('a peer that breaks the rules', () => {
  /** Opens a socket by hand and sends `bytes` after the handshake. */
  async function violate(bytes: Buffer): Promise<Peer> {
    const socket = await raw(handshake('/ws'))
    await once(socket, 'data')
    const peer = accepted.at(-1) as Peer
    socket.write(bytes)
    await expect.poll(() => peer.told.at(-1)).toMatch(/^closed/)
    socket.destroy()
    return peer
  }

  const masked = (first: number, length: number): Buffer =>
    Buffer.concat([Buffer.from([first, 0x80 | length, 0, 0, 0, 0]), Buffer.alloc(length, 97)])

  it.each<[string, Buffer, string]>([
    ['a reserved bit', masked(0xc1, 1), 'WS_ERR_UNEXPECTED_RSV_1'],
    ['a frame without a mask', Buffer.from([0x81, 1, 97]), 'WS_ERR_EXPECTED_MASK'],
    ['an unknown opcode', masked(0x83, 1), 'WS_ERR_INVALID_OPCODE'],
    ['a ping in fragments', masked(0x09, 1), 'WS_ERR_EXPECTED_FIN'],
    ['a continuation of nothing', masked(0x80, 1), 'WS_ERR_INVALID_OPCODE'],
    ['a close frame of one byte', masked(0x88, 1), 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
    ['text that is no UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 'WS_ERR_INVALID_UTF8'],
    ['the head of another HTTP request', Buffer.from(handshake('/ws')), 'WS_ERR_UNEXPECTED_RSV_1'],
  ])('with %s is closed, and what it did is told', async (_, bytes, rule) => {
    const { told } = await violate(bytes)
    expect(told).toHaveLength(2)
    expect(told[0]).toBe(rule)
    expect(told[1]).toMatch(/^closed \d+ false$/)
  })

  it('with a message over the limit is told so first', async () => {
    const [client, peer] = await open()
    client.send('x'.repeat(BYTES_MAX))
    client.send('x'.repeat(BYTES_MAX + 1))
    const [code] = (await once(client, 'close')) as [number]
    expect(code).toBe(1009)
    expect(peer.told.slice(0, 2)).toEqual([`text ${'x'.repeat(20)} ${BYTES_MAX}`, 'too big'])
  })

  it('with a length that nobody can send is told so before the rest comes', async () => {
    const { told } = await violate(Buffer.from('81ff7fffffffffffffff00000000', 'hex'))
    expect(told.at(-1)).toMatch(/^closed/)
  })

  it('with fragments without end is closed', async () => {
    const fragments = Array.from({ length: 200 }, (_, at) => masked(at === 0 ? 0x01 : 0x00, 1))
    const { told } = await violate(Buffer.concat(fragments))
    expect(told.at(-1)).toMatch(/^closed/)
  })

  it('with noise never ends the process', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const socket = await raw(at % 2 === 0 ? handshake('/ws') : randomBytes(512))
        if (at % 2 === 0) await once(socket, 'data')
        socket.write(randomBytes(512))
        return socket
      }),
    )
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => accepted.every(({ told }) => (told.at(-1) ?? '').startsWith('closed'))).toBe(true)
    const [client] = await open()
    expect(client.readyState).toBe(WebSocket.OPEN)
    client.terminate()
  })

  it('and leaves in the middle of its handshake costs nothing', async () => {
    const socket = await raw('GET /ws HTTP/1.1\r\nHost: a\r\nUpgr')
    socket.destroy()
    await once(socket, 'close')
    const [client] = await open()
    client.terminate()
  })
})
