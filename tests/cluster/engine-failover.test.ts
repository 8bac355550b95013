import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { Witness, contradictions, lostInSilence } from './engine-witness.js'
import { ChaosProxy } from './kit/proxy/chaos-proxy.js'
import { RedisServer } from './kit/redis-server.js'
import { ReplicaPair } from './kit/replica-pair.js'

const CHANNELS = ['room:1', 'room:2', 'room:3', 'room:4']
const [ONE, TWO, THREE, FOUR] = CHANNELS as [string, string, string, string]
const ROUNDS = 5

/** Longer than the interval of marks: what was told before is known to be stored. */
const MARKED_MS = 1_200

describe('engines whose master is replaced by', () => {
  const witnesses: Witness[] = []
  const ends: (() => Promise<unknown>)[] = []

  afterEach(async () => {
    await Promise.all(witnesses.splice(0).map((witness) => witness.close()))
    for (const end of ends.splice(0)) await end()
  })

  async function pairWith(...names: string[]): Promise<ReplicaPair> {
    const pair = await ReplicaPair.start()
    ends.push(() => pair.stop())
    for (const name of names) witnesses.push(await Witness.start(name, pair.url, { channels: CHANNELS }))
    return pair
  }

  const witness = (at: number): Witness => {
    const found = witnesses[at]
    if (found === undefined) throw new Error(`no witness ${at}`)
    return found
  }
  const recovered = (): Promise<unknown> => Promise.all(witnesses.map((each) => each.recovered()))

  /** I4 and I5, over everything that anybody was told. */
  async function nobodyContradicts(): Promise<void> {
    const told = witnesses.flatMap(({ acknowledged, heard }) => [...acknowledged, ...heard])
    const logs = await Promise.all(CHANNELS.map((channel) => witness(0).stored(channel)))
    expect(contradictions(told, ...logs.map(({ messages }) => messages))).toEqual([])
    for (const [at, log] of logs.entries()) {
      expect(
        lostInSilence(
          told.filter(({ channel }) => channel === CHANNELS[at]),
          log,
        ),
      ).toEqual([])
      expect(log.messages.map(({ offset }) => offset)).toEqual(log.messages.map((_, index) => index + 1))
    }
  }

  const epochs = (): Promise<string[]> =>
    Promise.all(CHANNELS.map(async (channel) => (await witness(0).stored(channel)).epoch))

  it('F-06 a replica that had everything go on within seconds, and no epoch ends that lost nothing', async () => {
    const pair = await pairWith('a', 'b')
    for (const channel of CHANNELS) await witness(0).publish(channel)
    const before = await epochs()
    await pair.synchronised()
    await pair.failover()
    const from = machineTime()
    await eventually('publishing goes on', () => witness(1).publish(ONE))
    expect(machineTime() - from).toBeLessThan(5_000)
    await recovered()
    expect(await epochs()).toEqual(before)
    for (const { uncertainties } of witnesses) expect(uncertainties).toBe(CHANNELS.length)
    await nobodyContradicts()
  })

  it(`F-07 a replica that missed the end rotate exactly the logs that lost something, ${ROUNDS} times`, async () => {
    const pair = await pairWith('a', 'b')
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const channel of CHANNELS) await witness(0).publish(channel)
      await pause(round === 0 ? MARKED_MS : 0)
      await pair.synchronised()
      const before = await epochs()
      pair.fallBehind()
      // By one node and by the other; the third goes on from where it was, the fourth is left alone.
      for (let n = 0; n < 50; n += 1) await Promise.all([witness(0).publish(ONE), witness(1).publish(TWO)])
      await pair.failover()
      await recovered()
      for (let n = 0; n < 60; n += 1) await Promise.all([witness(1).publish(ONE), witness(0).publish(TWO)])
      await witness(1).publish(THREE)
      const after = await epochs()
      expect(after.map((epoch, at) => epoch === before[at])).toEqual([false, false, true, true])
      await nobodyContradicts()
      await pair.restore()
    }
  })

  it('F-07 a replica that missed the end rotate everything when one who might have known more is gone', async () => {
    const pair = await pairWith('a', 'b')
    for (const channel of CHANNELS) await witness(0).publish(channel)
    await pair.synchronised()
    const before = await epochs()
    pair.fallBehind()
    await witness(1).publish(FOUR)
    await witnesses.pop()?.close()
    await pause(MARKED_MS)
    await pair.failover()
    await recovered()
    await witness(0).publish(ONE)
    expect((await epochs()).filter((epoch, at) => epoch === before[at])).toEqual([])
    expect(witness(0).engine.problem()).toBeUndefined()
  })

  it('F-07 a replica that missed the end remember one that came, was told something, and left', async () => {
    const pair = await pairWith('a')
    const unheard = 'room:unheard'
    await witness(0).publish(unheard)
    await pause(MARKED_MS)
    await pair.synchronised()
    pair.fallBehind()
    const guest = await Witness.start('guest', pair.url, { channels: [] })
    await guest.publish(unheard)
    await guest.close()
    await pause(MARKED_MS)
    await pair.failover()
    await eventually('publishing goes on', () => witness(0).publish(unheard))
    expect(guest.acknowledged.map(({ offset }) => offset)).toEqual([2])
    const { messages } = await witness(0).stored(unheard)
    expect(contradictions(witness(0).acknowledged, guest.acknowledged, messages)).toEqual([])
  })

  it('F-08 one of two masters that both go on never use a place twice, and who was on the other side is told', async () => {
    const old = await RedisServer.start()
    const feed = await ChaosProxy.start(old.port)
    const fresh = await RedisServer.start({ replicaof: `127.0.0.1 ${feed.port}` })
    const [left, right] = [await ChaosProxy.start(old.port), await ChaosProxy.start(old.port)]
    ends.push(
      ...[left, right, feed].map((proxy) => () => proxy.close()),
      () => old.stop(),
      () => fresh.stop(),
    )
    const options = { channels: CHANNELS, musterMs: 500 }
    for (const [name, { port }] of Object.entries({ a: left, b: right, c: right }))
      witnesses.push(await Witness.start(name, `redis://127.0.0.1:${port}`, options))
    for (const channel of CHANNELS) await witness(0).publish(channel)
    await pause(MARKED_MS)
    await eventually('the replica is up to date', () => fresh.hasAllOf(old))

    feed.sink()
    await fresh.command('REPLICAOF', 'NO', 'ONE')
    right.switchUpstream(fresh.port)
    right.killAll()
    for (const at of [1, 2]) await eventually('they go on over there', () => witness(at).publish(THREE))
    for (let n = 0; n < 20; n += 1) {
      expect(await witness(0).publish(ONE)).toBe(true)
      expect(await witness(1).publish(ONE)).toBe(true)
      expect(await witness(2).publish(TWO)).toBe(true)
    }

    left.switchUpstream(fresh.port)
    left.killAll()
    await eventually('the one from the other side was told', () => witness(0).uncertainties === CHANNELS.length)
    await recovered()
    for (const each of witnesses) for (const channel of CHANNELS) expect(await each.publish(channel)).toBe(true)
    await nobodyContradicts()
  })
})
