import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { ClusterTopology } from './cluster-topology.js'
import { DriverConnector } from './connector.js'
import { Seeds } from './seeds.js'
import { SentinelTopology } from './sentinel-topology.js'
import { slotOf } from './slot.js'
import { eventually } from './testing/deadline.js'
import { type Answer, ScriptedRedis, bulk } from './testing/scripted-redis.js'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(answer: Answer): Promise<ScriptedRedis> {
  const redis = await ScriptedRedis.start(answer)
  closing.push(() => redis.stop())
  return redis
}

function seedsOf(...servers: readonly ScriptedRedis[]): Seeds {
  const addresses = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return new Seeds(addresses, new DriverConnector({ tls: false, connectTimeoutMs: 300 }, systemClock), systemClock)
}

describe('the master behind sentinels', () => {
  const naming =
    (port: number): Answer =>
    ([command, sub, name]) => {
      if (command !== 'SENTINEL' || sub !== 'GET-MASTER-ADDR-BY-NAME') return '-ERR unknown'
      return name === 'main' ? `*2\r\n${bulk('10.0.0.1')}\r\n${bulk(String(port))}` : '*-1'
    }

  it('is the one that the first sentinel names that answers', async () => {
    const [silent, closed, good] = [await serve(() => undefined), await serve(() => '+OK'), await serve(naming(1))]
    await closed.stop()
    closing.splice(1, 1)
    const topology = new SentinelTopology(seedsOf(silent, closed, good), 'main')
    expect(topology.shards()).toEqual([])
    await topology.refresh()
    expect(topology.shards()).toEqual([{ id: 'main', address: { host: '10.0.0.1', port: 1 } }])
    expect(topology.shardOf()).toEqual(topology.shards()[0])
    await topology.refresh()
    expect([silent.accepted, good.accepted]).toEqual([1, 2])
    await eventually('nothing stays open', () => good.connections === 0)
  })

  it('is told of when it moves, and only then', async () => {
    const sentinel = await serve(naming(1))
    const topology = new SentinelTopology(seedsOf(sentinel), 'main')
    let moves = 0
    const unwatch = topology.watch(() => (moves += 1))
    await Promise.all([topology.refresh(), topology.refresh()])
    expect([moves, sentinel.accepted]).toEqual([1, 1])
    await topology.refresh()
    expect(moves).toBe(1)
    sentinel.answer = naming(2)
    await topology.refresh()
    expect([moves, topology.shardOf()?.address.port, topology.shardOf()?.id]).toEqual([2, 2, 'main'])
    unwatch()
  })

  it('stays what it was while no sentinel knows it, and the reasons are told', async () => {
    const sentinel = await serve(naming(1))
    const topology = new SentinelTopology(seedsOf(sentinel), 'main')
    await topology.refresh()
    sentinel.answer = () => '*-1'
    await expect(topology.refresh()).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringContaining('knows no master named main'),
    })
    expect(topology.shards()).toHaveLength(1)
  })
})

describe('the shards of a cluster', () => {
  type Range = readonly [from: number, to: number, ...nodes: readonly [host: string, port: number, id: string][]]

  const slots =
    (...ranges: readonly Range[]): Answer =>
    () =>
      `*${ranges.length}\r\n${ranges
        .map(([from, to, ...nodes]) => {
          const servers = nodes.map(([host, port, id]) => `*3\r\n${bulk(host)}\r\n:${port}\r\n${bulk(id)}`)
          return `*${2 + nodes.length}\r\n:${from}\r\n:${to}\r\n${servers.join('\r\n')}`
        })
        .join('\r\n')}`

  it('hold the slots that the cluster says', async () => {
    const seed = await serve(
      slots([0, 99, ['h1', 1, 'a'], ['h2', 2, 'b']], [100, 16_383, ['', 3, 'c']], [16_383, 16_383, ['h1', 1, 'a']]),
    )
    const topology = new ClusterTopology(seedsOf(seed))
    expect(topology.shardOf('foo')).toBeUndefined()
    await topology.refresh()
    expect(topology.shards()).toEqual([
      { id: 'a', address: { host: 'h1', port: 1 } },
      // A server that does not know its own name is where it was asked.
      { id: 'c', address: { host: '127.0.0.1', port: 3 } },
    ])
    expect(slotOf('foo')).toBe(12_182)
    expect(topology.shardOf('foo')?.id).toBe('c')
    expect(topology.shardOf('{}')?.id).toBe(slotOf('{}') < 100 ? 'a' : 'c')
  })

  it('are the same shards after a replica took over and while they take slots from each other', async () => {
    const seed = await serve(
      slots([0, 9_999, ['h', 1, 'a'], ['h', 2, 'b']], [10_000, 16_383, ['h', 3, 'c'], ['h', 4, 'd']]),
    )
    const topology = new ClusterTopology(seedsOf(seed))
    await topology.refresh()
    seed.answer = slots([0, 99, ['h', 2, 'b']], [100, 16_383, ['h', 3, 'c'], ['h', 4, 'd']])
    await topology.refresh()
    seed.answer = slots([0, 99, ['h', 2, 'b'], ['h', 5, 'e']], [100, 16_383, ['h', 4, 'd']])
    await topology.refresh()
    expect(topology.shards().map(({ id, address }) => [id, address.port])).toEqual([
      ['a', 2],
      ['c', 4],
    ])
    expect(topology.shardOf('foo')?.id).toBe('c')
  })

  it('leave a slot that nobody holds to nobody', async () => {
    const seed = await serve(slots([0, 99, ['h', 1, 'a']]))
    const topology = new ClusterTopology(seedsOf(seed))
    await topology.refresh()
    expect(topology.shardOf('foo')).toBeUndefined()
    seed.answer = () => '*0'
    await expect(topology.refresh()).rejects.toMatchObject({ code: 'engine_unavailable' })
    expect(topology.shards()).toHaveLength(1)
  })
})
