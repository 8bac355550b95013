import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { type Acknowledged, Witness, contradictions } from './engine-witness.js'
import { RedisProxy } from './kit/proxy/redis-proxy.js'
import { RedisServer } from './kit/redis-server.js'

const ROOM = 'room:1'

describe('engines whose announcements', () => {
  const witnesses: Witness[] = []
  let redis: RedisServer
  let proxy: RedisProxy

  async function setUp(options: { commandTimeoutMs?: number; probeMs?: number } = {}): Promise<[Witness, Witness]> {
    redis = await RedisServer.start()
    proxy = await RedisProxy.start(redis.port)
    const direct = await Witness.start('direct', redis.url, { channels: [] })
    const proxied = await Witness.start('proxied', proxy.url, { channels: [ROOM], ...options })
    witnesses.push(direct, proxied)
    return [direct, proxied]
  }

  afterEach(async () => {
    await Promise.all(witnesses.splice(0).map((witness) => witness.close()))
    await proxy.close()
    await redis.stop()
  })

  const offsets = (told: readonly Acknowledged[]): number[] => told.map(({ offset }) => offset)

  it('F-19 are lost, doubled or late pass them on with offsets that tell, and lose nothing else', async () => {
    const [direct, proxied] = await setUp()
    await direct.publish(ROOM)
    await eventually('the first is heard', () => proxied.heard.length === 1)
    proxy.onPush('drop', { channel: ':live:' })
    for (let n = 2; n <= 3; n += 1) await direct.publish(ROOM)
    await eventually('the third is heard', () => proxied.heard.length === 2)
    proxy.onPush('duplicate', { channel: ':live:' })
    await direct.publish(ROOM)
    await eventually('the fourth is heard', () => proxied.heard.length === 4)
    proxy.onPush('swap', { channel: ':live:' })
    for (let n = 5; n <= 6; n += 1) await direct.publish(ROOM)
    await eventually('the rest is heard', () => proxied.heard.length === 6)
    expect(offsets(proxied.heard)).toEqual([1, 3, 4, 4, 6, 5])
    expect(contradictions(direct.acknowledged, proxied.heard)).toEqual([])
    expect([proxied.uncertainties, proxied.engine.problem()]).toEqual([0, undefined])
  })

  it('F-19 stop while the connection stands notice within two probes, and tell everyone to look', async () => {
    const [direct, proxied] = await setUp({ probeMs: 200 })
    // Nothing but three probes: commands are answered as ever.
    const fates = Array.from({ length: 3 }, () => proxy.onPush('drop', { channel: ':probe:' }))
    await Promise.all(fates.map(({ happened }) => happened))
    await eventually('it was told', () => proxied.uncertainties === 1)
    expect(proxied.problems.some((problem) => problem?.includes('do not arrive'))).toBe(true)
    await proxied.recovered()
    await direct.publish(ROOM)
    await eventually('it hears', () => proxied.heard.length === 1)
  })

  it('F-17 are cut again and again have everything in the end, from what was heard and what is read after', async () => {
    const [direct, proxied] = await setUp()
    const stop = direct.load([ROOM], 1)
    for (let kills = 1; kills <= 5; kills += 1) {
      await eventually('it hears', () => proxied.engine.problem() === undefined)
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await eventually(`it was told of cut ${kills}`, () => proxied.uncertainties >= kills)
    }
    await stop()
    await proxied.recovered()
    const { messages } = await proxied.stored(ROOM)
    expect(offsets(messages)).toEqual(direct.acknowledged.map(({ offset }) => offset))
    expect(offsets(proxied.heard)).toEqual([...new Set(offsets(proxied.heard))].toSorted((one, other) => one - other))
    expect(contradictions(direct.acknowledged, proxied.heard, messages)).toEqual([])
    expect(direct.refused).toBe(0)
  })

  it('F-11 and answers are slow keep their order, and nothing times out', async () => {
    const [direct, proxied] = await setUp()
    proxy.tcp.latency(150)
    const published: Promise<boolean>[] = []
    const from = machineTime()
    for (let n = 0; n < 200; n += 1) published.push(proxied.publish(ROOM))
    const sleeping = redis.command('DEBUG', 'SLEEP', '0.5')
    await pause(50)
    for (let n = 0; n < 50; n += 1) published.push(proxied.publish(ROOM))
    expect(await Promise.all(published)).toEqual(published.map(() => true))
    await sleeping
    expect(machineTime() - from).toBeLessThan(2_000)
    await eventually('all is heard', () => proxied.heard.length === 250)
    expect(offsets(proxied.heard)).toEqual(Array.from({ length: 250 }, (_, index) => index + 1))
    expect(offsets(proxied.acknowledged)).toEqual(offsets(proxied.heard))
    expect(proxied.acknowledged.map(({ data }) => data)).toEqual(
      published.map((_, n) => JSON.stringify(`proxied ${n + 1}`)),
    )
    expect([proxied.refused, proxied.uncertainties, direct.refused]).toEqual([0, 0, 0])
  })
})
