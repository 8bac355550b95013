import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { Witness, contradictions, lostInSilence } from './engine-witness.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'

/** Enough that each master of a cluster has some. */
const CHANNELS = Array.from({ length: 24 }, (_, index) => `room:${index}`)

describe('engines whose master dies', () => {
  const witnesses: Witness[] = []
  const ends: (() => Promise<unknown>)[] = []

  afterEach(async () => {
    await Promise.all(witnesses.splice(0).map((witness) => witness.close()))
    for (const end of ends.splice(0)) await end()
  })

  async function join(url: string): Promise<void> {
    for (const name of ['a', 'b']) witnesses.push(await Witness.start(name, url, { channels: CHANNELS }))
  }

  /** Under load; resolves when every channel can be published to again, by everybody. */
  async function outlive(fault: () => Promise<unknown>): Promise<void> {
    const stops = witnesses.map((witness) => witness.load(CHANNELS, 1))
    await pause(1_500)
    await fault()
    for (const witness of witnesses) await witness.recovered()
    for (const stop of stops) await stop()
    for (const witness of witnesses)
      for (const channel of CHANNELS)
        await eventually(`${witness.name} publishes to ${channel}`, () => witness.publish(channel))
  }

  async function nobodyContradicts(): Promise<void> {
    const told = witnesses.flatMap(({ acknowledged, heard }) => [...acknowledged, ...heard])
    for (const channel of CHANNELS) {
      const here = told.filter((message) => message.channel === channel)
      const log = await witnesses[0]?.stored(channel)
      expect(contradictions(here, log?.messages ?? [])).toEqual([])
      expect(log && lostInSilence(here, log)).toEqual([])
    }
  }

  it('F-06 go on with the one that the sentinels name, and contradict nobody', async () => {
    const group = await SentinelGroup.start()
    ends.push(() => group.stop())
    await join(group.url)
    await outlive(() => group.killMaster())
    for (const { uncertainties } of witnesses) expect(uncertainties).toBeGreaterThanOrEqual(CHANNELS.length)
    await nobodyContradicts()
  })

  it('F-06 go on with its replica in a cluster, and contradict nobody', async () => {
    const cluster = await RedisCluster.start()
    ends.push(() => cluster.stop())
    await join(`redis+cluster://${cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`)
    await outlive(async () => (await cluster.killMaster(0)).pid)
    const told = witnesses.map(({ uncertainties }) => uncertainties)
    for (const uncertainties of told) {
      expect(uncertainties).toBeGreaterThan(0)
      // Those of the other masters need not look.
      expect(uncertainties).toBeLessThan(CHANNELS.length)
    }
    await nobodyContradicts()
  })

  it('hear of a channel whose slot was moved to another master, and are told to look', async () => {
    // Nobody dies here, and none is to be taken for dead because the machine stood still.
    const cluster = await RedisCluster.start({ nodeTimeoutMs: 30_000 })
    ends.push(() => cluster.stop())
    await join(`redis+cluster://${cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`)
    const [one, two] = witnesses
    if (one === undefined || two === undefined) throw new Error('two are needed')
    await one.publish('room:0')
    await eventually('it is heard', () => two.heard.length === 1)
    const heardFrom = two.heard.length
    await moveSlotOf(cluster, 'room:0')
    await eventually('they were told', () => one.uncertainties > 0 && two.uncertainties > 0)
    await eventually('publishing goes on', () => one.publish('room:0'))
    await eventually('it is heard again', () => two.heard.length > heardFrom)
    expect([one.uncertainties, two.uncertainties]).toEqual([1, 1])
    await nobodyContradicts()
  })
})

/** Moves the slot of a channel, with its keys, from its master to another. */
async function moveSlotOf(cluster: RedisCluster, channel: string): Promise<void> {
  const masters = await Promise.all([0, 6_000, 12_000].map((slot) => cluster.masterOf(slot)))
  const slot = await slotWith(cluster, channel)
  const from = await cluster.masterOf(slot)
  const to = masters.find((master) => master !== from)
  if (to === undefined) throw new Error('there is one master only')
  const [source, target] = [await from.command('CLUSTER', 'MYID'), await to.command('CLUSTER', 'MYID')]
  await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source)
  await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target)
  for (const key of await from.ask((redis) => redis.list('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')))
    await from.command('MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000')
  for (const server of [to, from, ...masters]) await server.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', target)
}

/** The slot of a channel: that of its log, whose name tells. */
async function slotWith(cluster: RedisCluster, channel: string): Promise<number> {
  for (const server of cluster.servers.slice(0, 3)) {
    const keys = await server.ask((redis) => redis.list('KEYS', `*:log:*${channel}`))
    const [key] = keys
    if (key !== undefined) return cluster.slotOf(key)
  }
  throw new Error(`no server holds the log of ${channel}`)
}
