import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause, within } from '../../../kit/deadline.js'
import { SeededRandom } from '../../../kit/seeded-random.js'
import { ChaosProxy } from './chaos-proxy.js'

/** A server that keeps what it reads, and echoes it. */
class Echo {
  readonly server: Server
  received = ''
  ended = 0

  constructor(prefix: string = '') {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        this.received += bytes.toString()
        socket.write(prefix + bytes.toString())
      })
      socket.on('end', () => (this.ended += 1))
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }
}

class Caller {
  readonly socket: Socket
  received = ''
  pieces: { at: number; bytes: number }[] = []
  error: string | undefined
  hasEnd = false

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code))
    this.socket.on('end', () => (this.hasEnd = true))
    this.socket.on('data', (bytes) => {
      this.received += bytes.toString()
      this.pieces.push({ at: performance.now(), bytes: bytes.length })
    })
  }

  hears(text: string): Promise<unknown> {
    return eventually(`hearing ${text.slice(0, 40)}`, () => this.received === text)
  }
}

describe('the proxy', () => {
  let echo: Echo
  let proxy: ChaosProxy
  const callers: Caller[] = []

  beforeEach(async () => {
    echo = new Echo()
    await once(echo.server.listen(0, '127.0.0.1'), 'listening')
    proxy = await ChaosProxy.start(echo.port)
  })

  afterEach(async () => {
    for (const { socket } of callers.splice(0)) socket.destroy()
    await proxy.close()
    echo.server.close()
  })

  async function call(): Promise<Caller> {
    const caller = new Caller(proxy.port)
    callers.push(caller)
    await once(caller.socket, 'connect')
    await eventually('the line is open', () => proxy.size > 0)
    return caller
  }

  async function conversation(): Promise<Caller> {
    const caller = await call()
    caller.socket.write('hello')
    await caller.hears('hello')
    return caller
  }

  it('hands bytes on as they are, large and small', async () => {
    const caller = await call()
    const text = 'abcdefghij'.repeat(300_000)
    caller.socket.write(text)
    await caller.hears(text)
  })

  it('delays what is said, in order, until it heals', async () => {
    const caller = await conversation()
    proxy.latency(80, 'down')
    const begunAt = performance.now()
    caller.socket.write(' one')
    await pause(10)
    caller.socket.write(' two')
    await caller.hears('hello one two')
    expect(performance.now() - begunAt).toBeGreaterThan(85)
    proxy.heal()
    caller.socket.write(' three')
    await caller.hears('hello one two three')
  })

  it('narrows a line', async () => {
    const caller = await conversation()
    proxy.bandwidth(20_000, 'down')
    const begunAt = performance.now()
    caller.socket.write('x'.repeat(6_000))
    await caller.hears(`hello${'x'.repeat(6_000)}`)
    expect(performance.now() - begunAt).toBeGreaterThan(180)
  })

  it('cuts what is said into pieces', async () => {
    const caller = await conversation()
    proxy.slice(3, 5, 'down')
    caller.socket.write('0123456789')
    await caller.hears('hello0123456789')
    expect(caller.pieces.slice(1).map(({ bytes }) => bytes)).toEqual([3, 3, 3, 1])
  })

  it('reads nothing from a black hole until it heals, and then everything', async () => {
    const caller = await conversation()
    proxy.blackhole('up')
    caller.socket.write(' are you there')
    await pause(50)
    expect(echo.received).toBe('hello')
    proxy.heal()
    await caller.hears('hello are you there')
  })

  it('swallows what is sunk for good', async () => {
    const caller = await conversation()
    proxy.sink('up')
    caller.socket.write('lost')
    await eventually('it is read', () => caller.socket.writableLength === 0)
    await pause(30)
    proxy.heal()
    caller.socket.write('found')
    await caller.hears('hellofound')
  })

  it('resets a line after a number of bytes', async () => {
    const caller = await conversation()
    proxy.resetAfter(4, 'up')
    caller.socket.write('0123456789')
    await eventually('the line is reset', () => caller.error === 'ECONNRESET')
    await eventually('the server has half of it', () => echo.received === 'hello0123')
    expect(proxy.size).toBe(0)
  })

  it('closes one half', async () => {
    const caller = await conversation()
    proxy.halfClose('up')
    await eventually('the server learns of it', () => echo.ended === 1)
    expect(caller.error).toBeUndefined()
  })

  it('hands on that one side has ended, after everything it said', async () => {
    const caller = await call()
    caller.socket.end('goodbye')
    await caller.hears('goodbye')
    await eventually('the end comes back', () => caller.hasEnd)
  })

  it('refuses, or keeps silent, until it heals', async () => {
    proxy.stopAccept()
    const refused = new Caller(proxy.port)
    callers.push(refused)
    await eventually('it is refused', () => refused.error !== undefined || refused.socket.destroyed)
    proxy.acceptSilent()
    const unheard = new Caller(proxy.port)
    callers.push(unheard)
    unheard.socket.write('anybody')
    await expect(within('an answer', unheard.hears('anybody'), 60)).rejects.toThrow('not within')
    proxy.heal()
    await eventually('the silent one is told', () => unheard.error !== undefined)
    await conversation()
  })

  it('leads new lines elsewhere, and leaves the others', async () => {
    const other = new Echo('other ')
    await once(other.server.listen(0, '127.0.0.1'), 'listening')
    const caller = await conversation()
    proxy.switchUpstream(other.port)
    const late = new Caller(proxy.port)
    callers.push(late)
    late.socket.write('hello')
    await late.hears('other hello')
    caller.socket.write('!')
    await caller.hears('hello!')
    other.server.close()
  })

  it('kills a share of the lines, the same under the same seed', async () => {
    await Promise.all(Array.from({ length: 20 }, () => call()))
    await eventually('all are open', () => proxy.size === 20)
    const killed = proxy.killAll(0.5, new SeededRandom(7))
    expect(killed).toBeGreaterThan(3)
    expect(killed).toBeLessThan(17)
    await eventually('they are gone', () => proxy.size === 20 - killed)
    expect(proxy.killAll()).toBe(20 - killed)
  })
})
