import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../kit/deadline.js'
import { RedisCluster } from './redis-cluster.js'
import { askRedis } from './redis-connection.js'
import { SentinelGroup } from './redis-sentinel.js'
import { ReplicaPair } from './replica-pair.js'

const running: { stop(): Promise<void> }[] = []

function keep<T extends { stop(): Promise<void> }>(one: T): T {
  running.push(one)
  return one
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
})

describe('a group with sentinels', () => {
  it('makes the replica the master when the master dies, or when it is asked to', async () => {
    const group = keep(await SentinelGroup.start())
    const first = await group.master()
    await first.command('SET', 'greeting', 'hello')
    await group.failover()
    const second = await group.master()
    expect(await second.command('GET', 'greeting')).toBe('hello')
    await group.settled()
    expect(await group.killMaster()).toBe(second)
    expect(await group.master()).toBe(first)
    await group.revive(second)
    expect(await second.command('GET', 'greeting')).toBe('hello')
  }, 60_000)
})

describe('a cluster', () => {
  it('serves every slot, and goes on when a master dies', async () => {
    const cluster = keep(await RedisCluster.start())
    const slot = await cluster.slotOf('greeting')
    const master = await cluster.masterOf(slot)
    await master.command('SET', 'greeting', 'hello')
    await cluster.whole()
    expect(await cluster.killMaster(slot)).toBe(master)
    const heir = await cluster.masterOf(slot)
    expect(await heir.command('GET', 'greeting')).toBe('hello')
    await master.restart()
    await cluster.whole()
    expect(await master.ask((redis) => redis.info('replication', 'role'))).toBe('slave')
  }, 60_000)
})

describe('a master and its replica', () => {
  it('can lose what was acknowledged, again and again', async () => {
    const pair = keep(await ReplicaPair.start())
    for (const round of ['1', '2', '3']) {
      await askRedis(pair.front.port, (redis) => redis.command('SET', 'kept', round))
      await pair.synchronised()
      pair.fallBehind()
      expect(await askRedis(pair.front.port, (redis) => redis.text('SET', 'lost', round))).toBe('OK')
      await pair.failover()
      const found = await eventually('the new master answers', () =>
        askRedis(pair.front.port, (redis) => redis.list('MGET', 'kept', 'lost')).catch(() => undefined),
      )
      expect(found).toEqual([round, ''])
      await pair.restore()
    }
  }, 60_000)
})
