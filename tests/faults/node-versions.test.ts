import { type StreamMessage, RedisEngine, redisOptions, signToken } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../packages/server/src/clock.js'
import { Seal } from '../../packages/server/src/core/nodes/seal.js'
import { encodeMessage } from '../../packages/server/src/engine/redis/announcement.js'
import { Keys } from '../../packages/server/src/engine/redis/keys.js'
import { systemRandom } from '../../packages/server/src/random.js'
import { silentLogger } from '../../packages/server/src/telemetry/log.js'
import { eventually, within } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { Pair, TENANT, join } from './pair.js'

const CHANNEL = 'room:1'
const KEYS = new Keys('hf', 'default')
const STREAM = KEYS.stream({ tenant: TENANT, channel: CHANNEL })

let pair: Pair
let newer: RedisEngine
let ada: WireClient

beforeEach(async () => {
  pair = await Pair.start()
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  newer = new RedisEngine(redisOptions(pair.redis.url), parts)
  await newer.start()
  ada = await join(pair.first.url, 'ada')
  await ada.get('subscribed', { type: 'subscribe', channel: CHANNEL, presence: true })
})

afterEach(async () => {
  await newer.close()
  await pair.stop()
})

/** What a newer version would store and announce: as today, with more in it. */
async function publishAsNewer(offset: number, data: unknown): Promise<void> {
  const { redis } = pair
  const epoch = await redis.command('HGET', STREAM.top, 'e')
  const head: Omit<StreamMessage, 'offset' | 'data'> & Record<string, unknown> = {
    id: `newer-${offset}`,
    event: 'said',
    from: { user: 'eve', connection: 'c', device: 'watch' } as StreamMessage['from'],
    at: '2030-01-01T00:00:00.000Z',
    priority: { level: 7 },
  }
  const body = `${JSON.stringify(head)}\n${JSON.stringify(data)}`
  await redis.ask(async (connection) => {
    await connection.command('XADD', STREAM.log, `${offset}-0`, 'm', body)
    await connection.command('HSET', STREAM.top, 'o', String(offset), 'i', head.id, 'flavour', 'new')
    await connection.command('SPUBLISH', STREAM.live, encodeMessage(epoch, offset, body))
  })
}

describe('a node beside one of a newer version', () => {
  it('F-37 takes messages that say more than it knows, live and from the log', async () => {
    await ada.get('ok', { type: 'publish', channel: CHANNEL, data: 'first' })
    await publishAsNewer(2, 'second')
    await ada.get('ok', { type: 'publish', channel: CHANNEL, data: 'third' })
    await eventually('all have come', () => ada.of('message').length === 3)
    expect(ada.of('message').map(({ offset, data }) => [offset, data])).toEqual([
      [1, 'first'],
      [2, 'second'],
      [3, 'third'],
    ])
    expect(ada.of('gap')).toEqual([])
    const bob = await join(pair.second.url, 'bob')
    const { messages } = await bob.get('subscribed', { type: 'subscribe', channel: CHANNEL, since: 'newest:10' })
    expect(messages.map(({ data }) => data)).toEqual(['first', 'second', 'third'])
  })

  it('F-37 passes over announcements of kinds that it does not know', async () => {
    for (const text of ['z1 2 3\n{}', '', 'q', 'p1 2 3 4 5 6 7\n"eve"\n'])
      await pair.redis.command('SPUBLISH', STREAM.live, text)
    await ada.get('ok', { type: 'publish', channel: CHANNEL, data: 'after' })
    expect((await ada.next('message')).data).toBe('after')
    expect(ada.of('left')).toEqual([])
  })

  it('F-37 does what a node asks in more words than it knows, and nothing where it does not know the question', async () => {
    const bob = await join(pair.first.url, 'bob')
    const { node } = pair.first.holdfast
    const seal = new Seal(SECRET, 'newer', systemClock, systemRandom)
    const say = (content: object): Promise<boolean> => newer.control.send(node, seal.close(node, content))
    await say({ kind: 'universe.end', ask: { when: 'now' }, question: '1' })
    await say({ kind: 'user.disconnect', ask: { tenant: TENANT, user: 'bob', because: 'it may' }, urgency: 3 })
    expect(await within('bob is disconnected', bob.ended)).toMatchObject({ code: 1008 })
    expect(await ada.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    expect(pair.first.holdfast.stats().cluster.controlRefused).toBe(0)
  })

  it('F-37 lives beside nodes that tell more of themselves, and lists members that they entered', async () => {
    await newer.nodes.renew(
      'newer',
      JSON.stringify({ version: '9.0.0', startedAt: 'soon', zone: { name: 'b' } }),
      10_000,
    )
    await newer.members.enter(
      { tenant: TENANT, channel: CHANNEL },
      {
        user: 'eve',
        session: 's',
        connection: 'c',
        node: 'newer',
        info: JSON.stringify({ name: 'Eve', mood: { now: 'fine' } }),
      },
    )
    await eventually('eve has joined', () => ada.of('joined').some(({ member }) => member.user === 'eve'))
    const { members } = await pair.second.holdfast.tenant(TENANT).presence(CHANNEL)
    expect(members.map(({ user }) => user).toSorted()).toEqual(['ada', 'eve'])
  })

  it('F-37 resumes a session of which more was kept', async () => {
    const client = await join(pair.first.url, 'carol')
    await client.get('subscribed', { type: 'subscribe', channel: CHANNEL })
    const { session } = await client.welcome()
    await client.break()
    const record = await eventually('the session is kept', async () => {
      const names = await pair.redis.ask((redis) => redis.list('KEYS', `*:record:*session*${session.id}`))
      const [name = ''] = names
      const text = name && (await pair.redis.command('HGET', name, 'd'))
      const ended = text !== '' && (JSON.parse(text) as { node: string }).node === ''
      return ended && { name, text }
    })
    const more = { ...(JSON.parse(record.text) as object), devices: [{ kind: 'watch' }], flavour: 'new' }
    await pair.redis.command('HSET', record.name, 'd', JSON.stringify(more))
    const token = signToken({ secret: SECRET, tenant: TENANT, user: 'carol', ttlSeconds: 60 })
    const resume = { session: session.id, secret: session.secret, positions: {} }
    const again = await WireClient.welcomed(pair.second.url, { token, resume })
    expect((await again.welcome()).session.resumed).toBe(true)
    expect(await again.next('subscribed')).toMatchObject({ channel: CHANNEL })
  })
})
