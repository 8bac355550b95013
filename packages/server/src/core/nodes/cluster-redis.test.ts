import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { engineOn } from '../../engine/redis/testing/redis-harness.js'
import { RedisProcess } from '../../engine/redis/testing/redis-process.js'
import { type InterruptedEngine, interruptedEngine } from '../../testing/interrupted-engine.js'
import type { Received, TestClient } from '../../testing/test-client.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let redis: RedisProcess
/** Two nodes over one Redis; the link of each can be cut. */
let one: TestNode & Pick<InterruptedEngine, 'cut' | 'heal'>
let other: typeof one
let runs = 0

beforeAll(async () => {
  redis = await RedisProcess.start()
})

afterAll(() => redis.stop())

beforeEach(async () => {
  const prefix = `nodes-${process.pid}-${(runs += 1)}`
  const start = async (node: string): Promise<typeof one> => {
    const { engine, ...link } = interruptedEngine(
      engineOn({ servers: [{ host: '127.0.0.1', port: redis.port }], prefix }),
    )
    const cluster = { renewMs: 300, leaseMs: 2_000 }
    const presence = { coalesceMs: 10, graceMs: 5_000 }
    return { ...(await startNode({ engine, node, cluster, presence, limits: { connectionsPerUserMax: 2 } })), ...link }
  }
  one = await start('one')
  other = await start('other')
})

afterEach(async () => {
  one.heal()
  other.heal()
  await Promise.all([one.close(), other.close()])
})

const resumeOf = ({ received }: TestClient): object => {
  const [welcome = {}] = received
  const { id, secret } = welcome['session'] as { id: string; secret: string }
  return { resume: { session: id, secret, positions: {} } }
}

/** What a client was told of the presence of `user`. */
const seen = ({ received }: TestClient, user: string): unknown[] =>
  received
    .filter(({ type, member }) => /^(joined|left|updated)$/.test(String(type)) && (member as Received)['user'] === user)
    .map(({ type }) => type)

describe('nodes over Redis', () => {
  it('hand a session from one to the other, with what changed a moment ago', async () => {
    const ada = await one.join('ada')
    await ada.request({ type: 'subscribe', channel: 'room:1' })
    await ada.request({ type: 'state', data: 'newest' })
    const again = await other.open()
    const welcome = await again.hello(other.token('ada'), resumeOf(ada))
    expect(welcome).toMatchObject({
      session: { resumed: true },
      state: 'newest',
      channels: ['user:ada', 'room:1'],
    })
    expect(await ada.closed).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    expect(await again.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('give a session to one of those who ask for it at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const user = `ada${round}`
      const ada = await one.join(user)
      const clients = await Promise.all([one.open(), other.open(), one.open(), other.open()])
      const asked = clients.map((client) => {
        client.send({ type: 'hello', token: one.token(user), ...resumeOf(ada) })
        return client.nextWhere(({ type }) => type === 'welcome' || type === 'goodbye', 'an answer')
      })
      const sessions = (await Promise.all(asked)).map(({ session }) => session as { resumed: boolean } | undefined)
      expect(sessions.filter((session) => session?.resumed)).toHaveLength(1)
      expect(await ada.closed).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    }
  })

  it('tell of the members of one that died once, and not of those who resumed', async () => {
    const bob = await other.join('bob')
    await bob.request({ type: 'subscribe', channel: 'live:1', presence: true })
    const [ada, cleo] = [await one.join('ada'), await one.join('cleo')]
    for (const client of [ada, cleo]) await client.request({ type: 'subscribe', channel: 'live:1', presence: true })
    await expect.poll(() => [...seen(bob, 'ada'), ...seen(bob, 'cleo')]).toEqual(['joined', 'joined'])
    // Until its record says so: the session is to be had from there.
    await ada.request({ type: 'state', data: 1 })
    await expect
      .poll(async () => redis.command('EVAL', HAS_RECORD_OF, '0', '"live:1"', '"state":"1"'), WAIT)
      .toBe(':1\r\n')
    one.cut()
    const again = await other.open()
    expect(await again.hello(other.token('ada'), resumeOf(ada))).toMatchObject({ session: { resumed: true } })
    await expect.poll(() => seen(bob, 'cleo'), WAIT).toEqual(['joined', 'left'])
    expect(seen(bob, 'ada')).toEqual(['joined'])
    const { counts } = await other.holdfast.tenant('acme').presence('live:1')
    expect(counts).toEqual({ members: 2, connections: 2 })
  })

  it('count the places of a user together, and let go of those of one that died', async () => {
    await one.join('ada')
    await other.join('ada')
    const third = await other.open()
    third.send({ type: 'hello', token: other.token('ada') })
    expect(await third.closed).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
    one.cut()
    const admitted = async (): Promise<boolean> => {
      const client = await other.open()
      client.send({ type: 'hello', token: other.token('ada') })
      return (
        (await client.nextWhere(({ type }) => type === 'welcome' || type === 'goodbye', 'an answer'))['type'] ===
        'welcome'
      )
    }
    await expect.poll(admitted, WAIT).toBe(true)
  })

  it('enter again what Redis lost while nobody noticed', async () => {
    const bob = await other.join('bob')
    await bob.request({ type: 'subscribe', channel: 'live:1', presence: true })
    const ada = await one.join('ada')
    await ada.request({ type: 'subscribe', channel: 'live:1', presence: true })
    await redis.command('FLUSHALL')
    const counts = async (): Promise<object> => (await other.holdfast.tenant('acme').presence('live:1')).counts
    await expect.poll(counts, WAIT).toEqual({ members: 2, connections: 2 })
    const again = await other.open()
    expect(await again.hello(other.token('ada'), resumeOf(ada))).toMatchObject({ session: { resumed: true } })
    await again.leave()
    await expect.poll(() => seen(bob, 'ada'), WAIT).toEqual(['joined', 'left'])
    await one.join('bob')
    const third = await one.open()
    third.send({ type: 'hello', token: one.token('bob') })
    expect(await third.closed).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
  })

  it('disconnect a user, and reach the worker of an operation, wherever they are', async () => {
    const clients = [await one.join('ada'), await other.join('ada')]
    expect(await one.holdfast.tenant('acme').disconnect('ada')).toBe(2)
    for (const client of clients) expect((await client.closed).reason).toBe('Disconnected by administrator')
    const operation = await one.holdfast.tenant('acme').operations.start({ kind: 'job', owner: 'ada' })
    expect(await other.holdfast.tenant('acme').operations.cancel(operation.id)).toBe(true)
    await expect.poll(() => operation.signal.aborted).toBe(true)
    await operation.cancelled()
  })

  it('hand clients over when one drains: nobody sees it, and it ends as soon as they are gone', async () => {
    const bob = await other.join('bob')
    await bob.request({ type: 'subscribe', channel: 'live:1', presence: true })
    const ada = await one.join('ada')
    await ada.request({ type: 'subscribe', channel: 'live:1', presence: true })
    await expect.poll(() => seen(bob, 'ada')).toEqual(['joined'])
    const drained = one.holdfast.drain()
    await ada.next('goodbye', { reconnect: 'now' })
    const again = await other.open()
    expect(await again.hello(other.token('ada'), resumeOf(ada))).toMatchObject({ session: { resumed: true } })
    await drained
    // Others would have let go of its members by now.
    await again.request({ type: 'subscribe', channel: 'live:2', presence: true })
    expect(seen(bob, 'ada')).toEqual(['joined'])
    await again.leave()
    await expect.poll(() => seen(bob, 'ada')).toEqual(['joined', 'left'])
  })
})

const WAIT = { timeout: 15_000 }

/** Whether a record holds all that is asked for. */
const HAS_RECORD_OF = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TYPE', key).ok == 'hash' then
    local value, found = redis.call('HGET', key, 'd') or '', true
    for _, text in ipairs(ARGV) do found = found and string.find(value, text, 1, true) end
    if found then return 1 end
  end
end
return 0`
