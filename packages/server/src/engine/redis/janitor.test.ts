import { type RedisClientType, createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { KEPT } from '../conformance/model.js'
import { Keys } from './keys.js'
import type { RedisEngine } from './redis-engine.js'
import { eventually } from './testing/deadline.js'
import { engineOn } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

let server: RedisProcess
let redis: RedisClientType
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  server = await RedisProcess.start()
  redis = createClient({ url: `redis://127.0.0.1:${server.port}` })
  await redis.connect()
})
afterAll(async () => {
  redis.destroy()
  await server.stop()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await redis.flushAll()
})

async function start(prefix: string): Promise<RedisEngine> {
  const engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }], prefix })
  closing.push(() => engine.close())
  await engine.start()
  return engine
}

const stream = { tenant: 'acme', channel: 'operation:lost' }
const keys = new Keys('jan', 'default')
const state = keys.stream(stream).state

describe('the janitor', () => {
  it('gives a life to what has none and needs one, among many other keys, and counts it', async () => {
    const engine = await start('jan')
    for (let n = 0; n < 1_200; n += 1) await engine.records.put(`r${n}`, 'v', { ttlMs: 60_000 })
    await redis.hSet(state, { v: '{}', n: '1' })
    await redis.persist(keys.record('r7'))
    await eventually(
      'both have a life',
      async () => (await redis.pTTL(state)) > 0 && (await redis.pTTL(keys.record('r7'))) > 0,
    )
    expect(engine.lifetimesGiven()).toBe(2)
    expect(await redis.pTTL(state)).toBeGreaterThan(6 * 86_400_000)
    expect(await redis.pTTL(keys.record('r8'))).toBeLessThan(60_001)
  })

  it('leaves alone what belongs to nodes, to others, and to other programs', async () => {
    const engine = await start('jan')
    await engine.nodes.renew('n1', '', 60_000)
    await engine.counters.add('c', 1, { node: 'n1' })
    await engine.read(stream, KEPT, { limit: 1, bytesMax: 1, keep: 'oldest' })
    const others = ['jan', 'jan:default', 'jan:other:{a}:state:=x', 'mine:{a}:state:=x', 'jan:default:{a}:notes:=x']
    for (const key of others) await redis.set(key, 'v')
    await redis.hSet(state, { v: '{}', n: '1' })
    await eventually('one has a life', async () => (await redis.pTTL(state)) > 0)
    for (const key of [...others, keys.counter('c')]) expect(await redis.pTTL(key)).toBe(-1)
    expect(engine.lifetimesGiven()).toBe(1)
  })

  it('is one node, and another once that one is gone', async () => {
    const [one, other] = [await start('jan'), await start('jan')]
    await redis.hSet(state, { v: '{}', n: '1' })
    await eventually('one of them has seen to it', () => one.lifetimesGiven() + other.lifetimesGiven() === 1)
    const [walker, second] = one.lifetimesGiven() === 1 ? [one, other] : [other, one]
    const holder = await redis.get(keys.lease('janitor'))
    expect(holder).not.toBeNull()
    await walker.close()
    // Given back, and perhaps taken by the other already.
    expect(await redis.get(keys.lease('janitor'))).not.toBe(holder)
    await redis.persist(state)
    await eventually('the other walks', () => second.lifetimesGiven() === 1, 25_000)
  })
})
