import { type Socket, connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually, within } from '../../../kit/deadline.js'
import { askRedis } from '../redis-connection.js'
import { RedisServer } from '../redis-server.js'
import { RespReader } from '../resp/reader.js'
import { encodeCommand, itemsOf, textOf } from '../resp/value.js'
import { RedisProxy } from './redis-proxy.js'

/** Listens to channels behind the proxy, in either version of the protocol. */
class Listener {
  readonly heard: string[] = []
  readonly #socket: Socket
  readonly #reader = new RespReader()
  #confirmed = 0

  constructor(port: number, version: 2 | 3) {
    this.#socket = connect({ port, host: '127.0.0.1' })
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => undefined)
    if (version === 3) this.#socket.write(encodeCommand(['HELLO', '3']))
  }

  async subscribe(command: string, ...names: string[]): Promise<void> {
    const wanted = this.#confirmed + names.length
    this.#socket.write(encodeCommand([command, ...names]))
    await eventually('the subscription is confirmed', () => this.#confirmed === wanted)
  }

  hears(...expected: string[]): Promise<unknown> {
    return eventually(`hearing ${expected.join()}`, () => this.heard.join() === expected.join(), 2_000)
  }

  end(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    for (const { value } of this.#reader.push(bytes)) {
      const words = itemsOf(value).map(textOf)
      if (words[0]?.endsWith('message')) this.heard.push(words.at(-1) ?? '')
      else if (words[0]?.endsWith('subscribe')) this.#confirmed += 1
    }
  }
}

describe.each([2, 3] as const)('the proxy before Redis, for RESP%i', (version) => {
  let redis: RedisServer
  let proxy: RedisProxy
  let listener: Listener

  beforeAll(async () => {
    redis = await RedisServer.start()
  })

  afterAll(async () => {
    await redis.stop()
  })

  beforeEach(async () => {
    proxy = await RedisProxy.start(redis.port)
    listener = new Listener(proxy.tcp.port, version)
    await listener.subscribe('SUBSCRIBE', 'news', 'sport')
  })

  afterEach(async () => {
    listener.end()
    await proxy.close()
  })

  async function publish(channel: string, ...texts: string[]): Promise<void> {
    await redis.ask(async (connection) => {
      for (const text of texts) await connection.command('PUBLISH', channel, text)
    })
  }

  it('drops the second push of a channel, once', async () => {
    const fault = proxy.onPush('drop', { nth: 2, channel: 'new' })
    await publish('news', 'n1')
    await publish('sport', 's1', 's2')
    await publish('news', 'n2', 'n3')
    await listener.hears('n1', 's1', 's2', 'n3')
    expect(await fault.happened).toBe('news')
  })

  it('drops the push that says something', async () => {
    proxy.onPush('drop', { text: 'n2' })
    await publish('news', 'n1', 'n2', 'n3')
    await listener.hears('n1', 'n3')
  })

  it('doubles one', async () => {
    proxy.onPush('duplicate')
    await publish('news', 'n1', 'n2')
    await listener.hears('n1', 'n1', 'n2')
  })

  it('swaps one with the next', async () => {
    proxy.onPush('swap', { nth: 2 })
    await publish('news', 'n1', 'n2', 'n3', 'n4')
    await listener.hears('n1', 'n3', 'n2', 'n4')
  })

  it('delays one past the next', async () => {
    proxy.onPush({ delayMs: 40 })
    await publish('news', 'n1', 'n2')
    await listener.hears('n2', 'n1')
  })

  it('knows the channel of a push that came by its pattern', async () => {
    await listener.subscribe('PSUBSCRIBE', 'weather.*')
    proxy.onPush('drop', { channel: 'weather.today' })
    await publish('weather.today', 'w1', 'w2')
    await listener.hears('w2')
  })

  it('does nothing once it is taken back', async () => {
    proxy.onPush('drop').cancel()
    await publish('news', 'n1')
    await listener.hears('n1')
  })

  it('gives an error for the n-th reply to a command, and leaves all others in their place', async () => {
    const fault = proxy.onReply('incr', 'LOADING Redis is loading the dataset in memory', { nth: 2 })
    const key = `count-${version}`
    await askRedis(proxy.tcp.port, async (connection) => {
      if (version === 3) await connection.command('HELLO', '3')
      const replies = await Promise.allSettled([
        connection.text('INCR', key),
        connection.text('PING'),
        connection.text('INCR', key),
        connection.text('ECHO', 'still here'),
        connection.text('INCR', key),
      ])
      const texts = replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : String(reply.reason)))
      expect(texts).toEqual([
        '1',
        'PONG',
        'Error: INCR: LOADING Redis is loading the dataset in memory',
        'still here',
        '3',
      ])
    })
    expect(await within('the fault', fault.happened)).toBe('INCR')
  })
})
