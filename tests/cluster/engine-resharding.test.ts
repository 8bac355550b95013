import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEPT } from '../../packages/server/src/engine/conformance/model.js'
import type { PublishOutcome } from '../../packages/server/src/engine/engine.js'
import { Keys } from '../../packages/server/src/engine/redis/keys.js'
import type { RedisEngine } from '../../packages/server/src/engine/redis/redis-engine.js'
import { slotOf } from '../../packages/server/src/engine/redis/slot.js'
import { engineOn } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import { eventually, pause } from '../kit/deadline.js'
import { RedisCluster } from './kit/redis-cluster.js'
import type { RedisServer } from './kit/redis-server.js'

const PREFIX = 'moving'
const keys = new Keys(PREFIX, 'default')

/** The way of one slot from a master to another, in the steps of Redis. */
class Move {
  readonly #slot: string
  readonly #from: RedisServer
  readonly #to: RedisServer
  readonly #cluster: RedisCluster

  private constructor(cluster: RedisCluster, slot: number, from: RedisServer, to: RedisServer) {
    this.#cluster = cluster
    this.#slot = String(slot)
    this.#from = from
    this.#to = to
  }

  static async of(cluster: RedisCluster, slot: number): Promise<Move> {
    const from = await cluster.masterOf(slot)
    const masters = await Promise.all([0, 6_000, 12_000].map((other) => cluster.masterOf(other)))
    const to = masters.find((master) => master !== from)
    if (to === undefined) throw new Error('there is one master only')
    return new Move(cluster, slot, from, to)
  }

  async begin(): Promise<void> {
    await this.#to.command('CLUSTER', 'SETSLOT', this.#slot, 'IMPORTING', await this.#from.command('CLUSTER', 'MYID'))
    await this.#from.command('CLUSTER', 'SETSLOT', this.#slot, 'MIGRATING', await this.#to.command('CLUSTER', 'MYID'))
  }

  async moveKeys(): Promise<void> {
    const held = await this.#from.ask((redis) => redis.list('CLUSTER', 'GETKEYSINSLOT', this.#slot, '1000'))
    for (const key of held) await this.#from.command('MIGRATE', '127.0.0.1', String(this.#to.port), key, '0', '5000')
  }

  async end(): Promise<void> {
    const target = await this.#to.command('CLUSTER', 'MYID')
    const others = this.#cluster.servers.slice(0, 3).filter((server) => server !== this.#to && server !== this.#from)
    for (const server of [this.#to, this.#from, ...others])
      await server.command('CLUSTER', 'SETSLOT', this.#slot, 'NODE', target)
  }
}

describe('F-16 a key that moves to another master of a cluster', () => {
  let cluster: RedisCluster
  let engine: RedisEngine

  beforeAll(async () => {
    cluster = await RedisCluster.start()
    engine = engineOn({ mode: 'cluster', servers: cluster.nodes, prefix: PREFIX })
    await engine.start()
  })
  afterAll(async () => {
    await engine.close()
    await cluster.stop()
  })

  it('is followed at once, while it moves (ASK) and after (MOVED)', async () => {
    const { records } = engine
    const put = (value: string): Promise<number | undefined> => records.put('r', value, { ttlMs: 60_000 })
    const move = await Move.of(cluster, slotOf(keys.record('r')))
    expect(await put('one')).toBe(1)
    await move.begin()
    expect(await put('two')).toBe(2)
    await move.moveKeys()
    expect(await put('three')).toBe(3)
    expect(await records.get('r')).toEqual({ value: 'three', version: 3 })
    await move.end()
    expect(await put('four')).toBe(4)
    expect(await records.get('r')).toEqual({ value: 'four', version: 4 })
  })

  it('refuses for as long as it is half there (TRYAGAIN), and has each publish with a key once in the end', async () => {
    const stream = { tenant: 'acme', channel: 'room:1' }
    const move = await Move.of(cluster, slotOf(keys.stream(stream).log))
    let refused = 0
    const publish = async (n: number): Promise<PublishOutcome> => {
      for (;;) {
        try {
          return await engine.publish({
            stream,
            event: 'e',
            data: String(n),
            from: { system: true },
            at: '',
            retention: { size: 1_000, ttlMs: KEPT.ttlMs },
            idempotency: { scope: 's', key: String(n) },
          })
        } catch (error) {
          expect((error as { code?: unknown }).code).toBe('engine_unavailable')
          refused += 1
          await pause(2)
        }
      }
    }
    let isOver = false
    const published: PublishOutcome[] = []
    const writing = (async () => {
      for (let n = 1; !isOver; n += 1) published.push(await publish(n))
    })()
    await eventually('it publishes', () => published.length > 20)
    await move.begin()
    await eventually('it is refused', () => refused > 3)
    await move.moveKeys()
    await move.end()
    const before = published.length
    await eventually('it publishes again', () => published.length > before + 20)
    isOver = true
    await writing
    const range = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const
    const { epoch, messages } = await engine.read(stream, KEPT, range)
    expect(messages.map(({ data, offset }) => [Number(data), offset])).toEqual(
      published.map((_, at) => [at + 1, at + 1]),
    )
    expect(published.map((outcome) => outcome.kind === 'published' && [outcome.epoch, outcome.offset])).toEqual(
      published.map((_, at) => [epoch, at + 1]),
    )
    expect(engine.problem()).toBeUndefined()
  })
})
