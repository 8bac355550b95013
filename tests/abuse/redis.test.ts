import { createHash, createHmac } from 'node:crypto'
import { createHoldfast, type Holdfast } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually } from '../kit/deadline.js'
import { WireClient } from '../kit/wire-client.js'
import { SECRET, tokenOf } from './kit/attacked-node.js'
import { LogLines } from './kit/log-lines.js'
import { Neighbour } from './kit/neighbour.js'

let redis: RedisServer
let neighbour: Neighbour
let node: RedisNode

interface RedisNode {
  readonly holdfast: Holdfast
  readonly url: string
  readonly log: LogLines
  token(user: string): string
}

const started: Holdfast[] = []

async function startNode(
  engine: object = { redis: redis.url },
  options: Partial<Parameters<typeof createHoldfast>[0]> = {},
): Promise<RedisNode> {
  const log = new LogLines()
  const channels = {
    'neighbour:*': { history: { size: 1_000, ttl: '1h' } },
    'room:*': { publish: 'member', history: { size: 100_000, ttl: '1h' } },
  } as const
  const holdfast = createHoldfast({ auth: { secret: SECRET }, channels, engine: engine as never, log, ...options })
  started.push(holdfast)
  const { url } = await holdfast.listen()
  return { holdfast, url, log, token: tokenOf }
}

beforeAll(async () => {
  redis = await RedisServer.start()
  node = await startNode()
  neighbour = await Neighbour.beside(node)
})

afterAll(async () => {
  try {
    await neighbour.isWell()
  } finally {
    await neighbour.leave()
    await Promise.all(started.map((holdfast) => holdfast.close()))
    await redis.stop()
  }
})

/** The key of the log of a room, or of the channel of its announcements. */
async function logKey(room: string): Promise<string> {
  const keys = await redis.ask((connection) => connection.list('KEYS', `*:log:*acmeroom:${room}`))
  const [key] = keys
  if (key === undefined) throw new Error(`there is no log of room:${room}`)
  return key
}

const head = '{"id":"forged","event":"e","from":{"system":true},"at":"2026-01-01T00:00:00.000Z"}'

/** Bodies that are none of ours, by what they are. */
const POISON: Record<string, readonly [field: string, body: string]> = {
  'no JSON': ['m', 'hello'],
  'a head and no data': ['m', head],
  'data that is no JSON': ['m', `${head}\n{"a":`],
  'data that ends the frame and begins another': ['m', `${head}\n1}\n{"type":"goodbye","code":1000}`],
  'an empty body': ['m', ''],
  'no fields of ours': ['payload', `${head}\n1`],
  'a head of other types': ['m', '{"id":5,"event":{},"from":"system","at":null}\n1'],
  'a head that is a prototype': ['m', '{"__proto__":{"id":"a","event":"e","at":"","from":{"system":true}}}\n1'],
  'a head nested 10,000 deep': ['m', `${'['.repeat(10_000)}${']'.repeat(10_000)}\n1`],
  'numbers as text': ['m', '{"id":"1","event":1,"from":{"user":7},"at":"1"}\n1'],
  binary: ['m', '\u0000\u0001\ufffd\u001b[2J\n\n\n'],
  '40 MB': ['m', `${head}\n"${'x'.repeat(40_000_000)}"`],
}

describe('a log into which somebody else writes', () => {
  it.each(Object.keys(POISON))(
    'T-095 holds %s: it is skipped, told as a gap, counted, and reading goes on',
    async (kind) => {
      const [field, body] = POISON[kind] ?? ['m', '']
      const room = `poison-${createHash('sha256').update(kind).digest('hex').slice(0, 8)}`
      const channel = `room:${room}`
      const tenant = node.holdfast.tenant('acme')
      const live = await WireClient.welcomed(node.url, { token: tokenOf('live') })
      await live.get('subscribed', { type: 'subscribe', channel })
      const first = await tenant.publish(channel, 'x', 1)
      await tenant.publish(channel, 'x', 2)
      const key = await logKey(room)
      // Between the second message and the third: an id that the log takes.
      await redis.ask((connection) => connection.command('XADD', key, '2-1', field, body))
      await tenant.publish(channel, 'x', 3)
      await tenant.publish(channel, 'x', 4)

      // Who listened has everything; who comes back from before is told what is not to be had.
      await eventually('all that was published arrived', () => live.of('message').length === 4)
      const position = { epoch: first.epoch, offset: 1, id: first.id }
      const late = await WireClient.welcomed(node.url, { token: tokenOf('late') })
      const back = await late.get('subscribed', { type: 'subscribe', channel, since: position })
      expect(back).toMatchObject({ recovered: 'gap', gap: { from: 2, to: 2, reason: 'trimmed' } })
      expect(back.messages.map(({ data }) => data)).toEqual([3, 4])
      const read = await tenant.history(channel, { since: position, limit: 1 })
      expect(read.messages.map(({ data }) => data)).toEqual([2])
      const onward = { epoch: first.epoch, offset: 2 }
      const rest = await tenant.history(channel, { since: onward })
      expect(rest.messages.map(({ data }) => data)).toEqual([3, 4])

      await tenant.publish(channel, 'x', 5)
      await eventually('the fifth arrives at both', () =>
        [live, late].every((one) => one.of('message').at(-1)?.data === 5),
      )
      expect(live.of('goodbye')).toEqual([])
      expect(node.holdfast.stats().engine.problem).toBeUndefined()
      expect(node.log.of('engine.poisoned').length).toBeGreaterThan(0)
      expect(node.log.of('topic.behind')).toEqual([])
      await Promise.all([live.close(), late.close(), neighbour.isWell()])
      await redis.ask((connection) => connection.command('DEL', key))
    },
    30_000,
  )

  it('T-095 beyond its newest message: its epoch ends, subscribers are told, and publishing goes on', async () => {
    const channel = 'room:beyond'
    const tenant = node.holdfast.tenant('acme')
    const live = await WireClient.welcomed(node.url, { token: tokenOf('live') })
    await live.get('subscribed', { type: 'subscribe', channel })
    const before = await tenant.publish(channel, 'x', 1)
    const key = await logKey('beyond')
    await redis.ask((connection) => connection.command('XADD', key, '18446744073709551615-0', 'm', 'poison'))
    const after = await tenant.publish(channel, 'x', 2)
    expect(after.offset).toBe(1)
    expect(after.epoch).not.toBe(before.epoch)
    expect(await live.next('gap')).toMatchObject({ channel, reason: 'epoch_changed' })
    await eventually('what follows arrives', () => live.of('message').at(-1)?.data === 2)
    await live.close()
  })

  it('T-095 announcements that are none are dropped and counted, and what follows arrives', async () => {
    const channel = 'room:announced'
    const tenant = node.holdfast.tenant('acme')
    const live = await WireClient.welcomed(node.url, { token: tokenOf('live') })
    await live.get('subscribed', { type: 'subscribe', channel })
    await tenant.publish(channel, 'x', 1)
    const key = (await logKey('announced')).replace(':log:', ':live:')
    // 40 MB are more than Redis itself sends to one who listens.
    const bodies = Object.entries(POISON).filter(([kind]) => kind !== 'no fields of ours' && kind !== '40 MB')
    await redis.ask(async (connection) => {
      for (const [, [, body]] of bodies) await connection.command('SPUBLISH', key, `mforged 2\n${body}`)
      for (const text of ['', 'x', 'm', 'm 2\n', 'p1 2\n', 's\n1', `s${head}\n1}{`, 'r'.repeat(1_000)])
        await connection.command('SPUBLISH', key, text)
    })
    await tenant.publish(channel, 'x', 2)
    await eventually('what follows arrives', () => live.of('message').length === 2)
    expect(live.messages.filter(({ type }) => !['welcome', 'subscribed', 'message', 'ping'].includes(type))).toEqual([])
    expect(node.log.lines.some(({ message }) => message === 'dropped what is no announcement of holdfast')).toBe(true)
    await live.close()
  })
})

describe('what nodes tell each other', () => {
  it('T-096, T-101 is believed only with the seal of the cluster: forged, of another cluster, or of yesterday it does nothing and is counted', async () => {
    const other = await startNode({ redis: redis.url }, { auth: { secret: `${SECRET}-of-another-cluster` } })
    const channels = await redis.ask((connection) => connection.list('PUBSUB', 'SHARDCHANNELS', '*'))
    const controls = channels.filter((name) => name.includes(':control:') || name.includes(':ctl:'))
    expect(controls.length).toBeGreaterThan(0)
    const user = await WireClient.welcomed(node.url, { token: tokenOf('spared') })
    const letter = { type: 'dismiss', tenant: 'acme', user: 'spared' }
    const sealedBy = (secret: string): string => {
      const text = JSON.stringify({ from: 'x', to: '*', at: 0, nonce: 'n', content: letter })
      return `${createHmac('sha256', secret).update(text).digest('base64url')} ${text}`
    }
    await redis.ask(async (connection) => {
      for (const control of controls)
        for (const text of [
          JSON.stringify(letter),
          `t${JSON.stringify(letter)}`,
          `t${sealedBy(SECRET)}`,
          `t${sealedBy('wrong')}`,
        ])
          await connection.command('SPUBLISH', control, text)
    })
    // The other cluster's application sends the same user away: with its seal, over the same Redis.
    await other.holdfast.tenant('acme').disconnect('spared')
    await eventually('they are counted', () => node.holdfast.stats().cluster.controlRefused > 0)
    await user.get('pong', { type: 'ping' })
    expect(user.of('goodbye')).toEqual([])
    await user.close()
    await neighbour.isWell()
  })

  it('T-101 stays within its prefix: another environment on the same Redis hears and reads nothing', async () => {
    const prefixed = (prefix: string): Promise<RedisNode> =>
      startNode({ redis: { servers: [{ host: '127.0.0.1', port: Number(new URL(redis.url).port) }], prefix } })
    const [blue, green] = await Promise.all([prefixed('blue'), prefixed('green')])
    const listener = await WireClient.welcomed(green.url, { token: tokenOf('listener') })
    await listener.get('subscribed', { type: 'subscribe', channel: 'room:shared' })
    await blue.holdfast.tenant('acme').publish('room:shared', 'x', 'blue')
    await green.holdfast.tenant('acme').publish('room:shared', 'x', 'green')
    await eventually('its own arrives', () => listener.of('message').length > 0)
    expect(listener.of('message').map(({ data, offset }) => [data, offset])).toEqual([['green', 1]])
    await listener.close()
  })
})

describe('texts that look like commands', () => {
  const TEXTS = [
    'FLUSHALL',
    '$5\r\nhello\r\n',
    '*1\r\n$8\r\nFLUSHALL\r\n',
    "'); redis.call('FLUSHALL') --",
    ']] redis.call("FLUSHALL") --[[',
    'EVAL "return 1" 0',
    '"; DROP',
    '${jndi}',
    '\u0000\u0001',
  ]

  it('T-098 are texts: as data, states, keys of idempotency, users and members', async () => {
    const user = await WireClient.welcomed(node.url, { token: tokenOf("'; FLUSHALL --") })
    await user.get('subscribed', { type: 'subscribe', channel: 'room:texts' })
    for (const text of TEXTS) {
      await user.get('ok', { type: 'publish', channel: 'room:texts', data: { text } })
      await user.get('ok', { type: 'state', data: { text } })
      const key = text.replaceAll(/[^!-~]/g, '~')
      const first = await user.get('ok', { type: 'publish', channel: 'room:texts', data: text, key })
      const again = await user.get('ok', { type: 'publish', channel: 'room:texts', data: text, key })
      expect(again).toMatchObject({ offset: first.offset, duplicate: true })
      if (!/^[A-Za-z0-9]+$/.test(text)) await user.get('error', { type: 'publish', channel: `room:${text}`, data: 1 })
    }
    await eventually('all of it arrives', () => user.of('message').length === TEXTS.length * 2)
    const told = user.of('message').map(({ data }) => data)
    expect(told).toEqual(TEXTS.flatMap((text) => [{ text }, text]))
    await user.close()
    await neighbour.isWell()
  })

  it('T-098 and scripts that were flushed are loaded again, unnoticed', async () => {
    const tenant = node.holdfast.tenant('acme')
    for (let n = 1; n <= 5; n += 1) {
      await redis.command('SCRIPT', 'FLUSH')
      await tenant.publish('room:flushed', 'x', n)
      expect((await tenant.history('room:flushed')).messages).toHaveLength(n)
    }
    await neighbour.isWell()
  })
})

describe('a log that grew long', () => {
  it('T-100 is read in pages of bounded size, and nobody waits for it', async () => {
    const tenant = node.holdfast.tenant('acme')
    const data = 'x'.repeat(60_000)
    for (let n = 0; n < 1_000; n += 20)
      await Promise.all(Array.from({ length: 20 }, () => tenant.publish('room:long', 'x', data)))
    const lagsBefore = neighbour.lagsMs.length
    const reader = await WireClient.welcomed(node.url, { token: tokenOf('reader') })
    const page = await reader.get('ok', { type: 'history', channel: 'room:long', limit: 1_000 })
    expect(JSON.stringify(page).length).toBeLessThan(1_048_576)
    expect(page).toMatchObject({ more: true })
    const epoch = (await tenant.history('room:long', { limit: 1 })).epoch
    const back = await reader.get('subscribed', {
      type: 'subscribe',
      channel: 'room:long',
      since: { epoch, offset: 1 },
    })
    expect(back).toMatchObject({ recovered: 'gap', gap: { from: 2, reason: 'too_far' } })
    expect(JSON.stringify(back).length).toBeLessThan(1_048_576)
    await neighbour.isWell()
    expect(Math.max(...neighbour.lagsMs.slice(lagsBefore))).toBeLessThan(500)
    await reader.close()
  }, 30_000)
})
