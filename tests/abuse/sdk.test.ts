import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createHash } from 'node:crypto'
import { Holdfast, type HoldfastOptions } from '@holdfast/client'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually, pause } from '../kit/deadline.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'

const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const WELCOME = {
  type: 'welcome',
  connection: 'c',
  session: { id: 's', secret: 'x', resumed: false, window: 300_000 },
  tenant: 'acme',
  user: 'ada',
  roles: [],
  node: 'n',
  heartbeat: { interval: 25_000, timeout: 35_000 },
  limits: { messageBytesMax: 65_536, channelsMax: 256, commandsInFlightMax: 32, outboxBytesMax: 1_048_576 },
  channels: [],
}

/** A server that does to each of its sockets, and each frame on one, what a test wants. Counts who came. */
interface HostileServer {
  readonly url: string
  connections: number
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
}

async function hostile(onSocket: (socket: WebSocket, connection: number) => void): Promise<HostileServer> {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: true, handleProtocols: () => SUBPROTOCOL })
  const told = { url: await listening(http), connections: 0 }
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    onSocket(socket, (told.connections += 1))
  })
  closing.push(() => {
    for (const socket of server.clients) socket.terminate()
    http.close()
  })
  return told
}

function client(url: string, options: HoldfastOptions = {}): { readonly sdk: Holdfast; readonly errors: unknown[] } {
  const errors: unknown[] = []
  const sdk = new Holdfast(url, {
    token: 'a.b.c',
    backoff: { minMs: 50, maxMs: 400 },
    requestTimeoutMs: 500,
    ...options,
  })
  sdk.on('error', (error) => errors.push(error))
  closing.push(() => sdk.disconnect())
  return { sdk, errors }
}

const isWelcoming = (socket: WebSocket, more: object = {}): void => {
  socket.once('message', () => socket.send(JSON.stringify({ ...WELCOME, ...more })))
}

describe('a client of a hostile server', () => {
  it('T-117 gives up a connection over which a frame of more than 100 MiB comes', async () => {
    const server = await hostile((socket, connection) => {
      isWelcoming(socket)
      if (connection > 1) return
      socket.once('message', () => socket.send(`{"type":"notice","padding":"${'x'.repeat(106_000_000)}"}`))
    })
    // That of the platform takes what it gets; `ws` has a limit.
    const { sdk } = client(server.url, { WebSocket })
    await eventually('it comes back', () => server.connections === 2, 15_000)
    await eventually('it is open', () => sdk.status === 'open')
  }, 30_000)

  it('T-117 does not take compression with a window that cannot be', async () => {
    const requests: IncomingMessage[] = []
    const http = createServer()
    http.on('upgrade', (request, socket) => {
      requests.push(request)
      answerUpgrade(request, socket, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n')
    })
    closing.push(() => http.close())
    const { sdk } = client(await listening(http), { WebSocket })
    await eventually('it has tried twice', () => requests.length >= 2)
    expect(sdk.status).not.toBe('open')
  })

  function answerUpgrade({ headers }: IncomingMessage, socket: Duplex, more: string): void {
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${guid}`).digest('base64')
    socket.on('error', () => undefined)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n${more}\r\n`,
    )
  }

  it('T-117 survives answers to its upgrade that are none', async () => {
    const answers = [
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n',
      `HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(100_000)}`,
      'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n',
      `HTTP/1.1 101 Switching Protocols\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      '\0\0\0\0',
      'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n',
    ]
    let asked = 0
    const http = createServer()
    http.on('upgrade', (_request, socket: Duplex) => {
      socket.on('error', () => undefined)
      socket.end(answers[(asked += 1) % answers.length])
    })
    closing.push(() => http.close())
    const { sdk } = client(await listening(http), { backoff: { minMs: 20, maxMs: 40 }, connectTimeoutMs: 500 })
    await eventually('it was given each of them', () => asked > answers.length + 1, 15_000)
    expect(['connecting', 'waiting']).toContain(sdk.status)
  }, 20_000)

  it('T-117 takes one welcome, and nothing that forged ones say of it', async () => {
    const server = await hostile((socket) => {
      isWelcoming(socket)
      socket.on('message', (data: Buffer) => {
        const command = JSON.parse(data.toString('utf8')) as { type: string; id?: number }
        for (let n = 0; n < 200; n += 1)
          socket.send(
            JSON.stringify({ ...WELCOME, user: 'mallory', tenant: 'evil', heartbeat: { interval: 0, timeout: 0 } }),
          )
        if (command.type === 'publish')
          socket.send(JSON.stringify({ type: 'ok', id: command.id, offset: 1, epoch: 'e' }))
      })
    })
    const { sdk } = client(server.url, { requestTimeoutMs: 20_000 })
    await eventually('it is open', () => sdk.status === 'open')
    await sdk.channel('room:a').publish('x', 1)
    expect(sdk.status).toBe('open')
    expect(server.connections).toBe(1)
  })

  it.each<[string, object]>([
    ['nothing', { interval: 0, timeout: 0 }],
    ['less than nothing', { interval: -9_007_199_254_740_991, timeout: -9_007_199_254_740_991 }],
    ['for ever', { interval: 9_007_199_254_740_991, timeout: 9_007_199_254_740_991 }],
  ])('T-117 whose heartbeat is to take %s asks no more than a hundred times a second', async (_, heartbeat) => {
    let pings = 0
    const server = await hostile((socket) => {
      isWelcoming(socket, { heartbeat })
      socket.on('message', () => (pings += 1))
      const timer = setInterval(() => socket.send('{"type":"notice","code":"x","message":"x"}'), 2)
      socket.on('close', () => clearInterval(timer))
    })
    client(server.url)
    await eventually('it came', () => server.connections > 0)
    await pause(1_000)
    expect(pings).toBeLessThan(150)
    expect(server.connections).toBeLessThan(20)
  })

  it.each(['now', 'backoff', 'refresh'])(
    'T-117 that says goodbye for ever, to come back %s, is asked less and less',
    async (reconnect) => {
      let asked = 0
      const server = await hostile((socket) => {
        isWelcoming(socket)
        socket.once('message', () => {
          socket.send(JSON.stringify({ type: 'goodbye', code: 1013, message: 'Too slow', reconnect, after: 0 }))
          socket.close(1013, 'Too slow')
        })
      })
      client(server.url, { token: () => `token-${(asked += 1)}`, backoff: { minMs: 100, maxMs: 2_000 } })
      await eventually('it came', () => server.connections > 0)
      await pause(2_000)
      expect(server.connections).toBeLessThan(22)
      expect(asked).toBeLessThan(24)
    },
  )

  const SEED = seedOfThisRun()

  it(`T-117 that sends messages of wrong shapes is heard no further, and harms nothing (seed ${SEED})`, async () => {
    const random = new SeededRandom(SEED)
    const types = [
      'welcome',
      'ok',
      'error',
      'subscribed',
      'message',
      'signal',
      'joined',
      'left',
      'gap',
      'unsubscribed',
      'notice',
      'ping',
    ]
    const values = [
      null,
      -1,
      1.5,
      2 ** 53,
      '',
      'room:a',
      '__proto__',
      [],
      {},
      [[]],
      true,
      { user: 5 },
      'x'.repeat(10_000),
    ]
    const members = [
      'id',
      'channel',
      'epoch',
      'offset',
      'position',
      'messages',
      'members',
      'member',
      'counts',
      'code',
      'message',
      'from',
      'event',
      'data',
      'session',
      'limits',
    ]
    const odd = (): string =>
      JSON.stringify(
        Object.fromEntries([
          ['type', random.pick(types)],
          ...members.filter(() => random.once(2)).map((name) => [name, random.pick(values)]),
        ]),
      )
    const server = await hostile((socket) => {
      isWelcoming(socket)
      socket.on('message', (data: Buffer) => {
        const { type, id } = JSON.parse(data.toString('utf8')) as { type: string; id?: number }
        for (let n = 0; n < 500; n += 1) socket.send(odd())
        socket.send('{"type":"message","__proto__":{"polluted":true},"channel":"room:a"}')
        if (type === 'publish') socket.send(JSON.stringify({ type: 'ok', id, offset: 1, epoch: 'e' }))
      })
    })
    const { sdk } = client(server.url)
    const heard: unknown[] = []
    sdk.channel('room:a').on('message', (message) => heard.push(message))
    await eventually('it is open', () => sdk.status === 'open')
    await sdk
      .channel('room:b')
      .publish('x', 1)
      .catch(() => undefined)
    await pause(200)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(heard.length).toBeLessThan(10)
    expect(['open', 'connecting', 'waiting']).toContain(sdk.status)
  })

  it('T-118 of a server that answers 403 for ever waits longer and longer', async () => {
    const askedAt: number[] = []
    const http = createServer()
    http.on('upgrade', (_request, socket: Duplex) => {
      askedAt.push(performance.now())
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    })
    closing.push(() => http.close())
    client(await listening(http), { backoff: { minMs: 50, maxMs: 5_000 } })
    await pause(2_500)
    expect(askedAt.length).toBeGreaterThan(2)
    expect(askedAt.length).toBeLessThan(14)
  })
})
