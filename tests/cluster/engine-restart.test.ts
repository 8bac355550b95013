import { afterEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { Witness, contradictions, lostInSilence } from './engine-witness.js'
import { type RedisConfig, RedisServer } from './kit/redis-server.js'

const CHANNELS = ['room:1', 'room:2', 'room:3']
const QUIET = 'room:quiet'

/** With `everysec`, a kill that falls into a slow flush to the disk loses what was acknowledged meanwhile; then epochs end, and rightly. */
const KEPT_ON_DISK: RedisConfig = { appendonly: true, appendfsync: 'always' }

describe('engines whose Redis is', () => {
  const witnesses: Witness[] = []
  let redis: RedisServer

  async function setUp(config: RedisConfig, options: { commandTimeoutMs?: number } = {}): Promise<Witness[]> {
    redis = await RedisServer.start(config)
    for (const name of ['a', 'b', 'c'])
      witnesses.push(await Witness.start(name, redis.url, { channels: [...CHANNELS, QUIET], ...options }))
    return witnesses
  }

  afterEach(async () => {
    await Promise.all(witnesses.splice(0).map((witness) => witness.close()))
    await redis.stop()
  })

  const recovered = (): Promise<unknown> => Promise.all(witnesses.map((witness) => witness.recovered()))
  const nobodyContradicts = async (): Promise<void> => {
    const [first] = witnesses
    const told = witnesses.flatMap(({ acknowledged, heard }) => [acknowledged, heard])
    const stored = await Promise.all([...CHANNELS, QUIET].map((channel) => first?.stored(channel)))
    expect(contradictions(...told, ...stored.map((log) => log?.messages ?? []))).toEqual([])
    for (const [at, log] of stored.entries())
      if (log !== undefined) {
        const here = told.flat().filter(({ channel }) => channel === [...CHANNELS, QUIET][at])
        expect(lostInSilence(here, log)).toEqual([])
        expect(log.messages.map(({ offset }) => offset)).toEqual(log.messages.map((_, index) => index + 1))
      }
  }

  it('F-01 killed and started again with its data go on under their epochs, soon, and have lost nothing', async () => {
    const [first] = await setUp(KEPT_ON_DISK)
    await first?.publish(QUIET)
    const epochs = await Promise.all(CHANNELS.map(async (channel) => (await first?.stored(channel))?.epoch))
    const stops = witnesses.map((witness) => witness.load(CHANNELS, 2))
    await pause(1_500)
    await redis.kill()
    await eventually('all notice', () => witnesses.every(({ engine }) => engine.problem() !== undefined))
    await pause(300)
    await redis.restart()
    const answered = machineTime()
    await Promise.all(stops.map((stop, at) => resumed(witnesses[at]).then(stop)))
    expect(machineTime() - answered).toBeLessThan(3_000)
    await recovered()
    expect(await Promise.all(CHANNELS.map(async (channel) => (await first?.stored(channel))?.epoch))).toEqual(epochs)
    for (const { rotations, uncertainties } of witnesses) {
      expect(rotations).toEqual([])
      expect(uncertainties).toBe(CHANNELS.length + 1)
    }
    await nobodyContradicts()
  })

  it('F-02 frozen refuse in bounded time, match no late answer to another command, and go on when it wakes', async () => {
    const [first] = await setUp({}, { commandTimeoutMs: 400 })
    await first?.publish(QUIET)
    const stops = witnesses.map((witness) => witness.load(CHANNELS, 2))
    await pause(300)
    redis.pause()
    await eventually('all notice', () => witnesses.every(({ engine }) => engine.problem() !== undefined))
    await pause(1_000)
    redis.resume()
    const woke = machineTime()
    await Promise.all(stops.map((stop, at) => resumed(witnesses[at]).then(stop)))
    expect(machineTime() - woke).toBeLessThan(2_500)
    await recovered()
    for (const { slowestRefusalMs, rotations } of witnesses) {
      expect(slowestRefusalMs).toBeLessThan(400 + 300)
      expect(rotations).toEqual([])
    }
    await nobodyContradicts()
  })

  it('F-03 started again empty begin other epochs at 1, and all are told to look', async () => {
    const [first] = await setUp({})
    for (const channel of CHANNELS) await first?.publish(channel)
    await pause(50)
    await redis.restart({ empty: true })
    await recovered()
    for (const { uncertainties } of witnesses) expect(uncertainties).toBe(CHANNELS.length + 1)
    for (const channel of CHANNELS) {
      expect(await first?.publish(channel)).toBe(true)
      const told = witnesses
        .flatMap(({ acknowledged }) => acknowledged)
        .filter((message) => message.channel === channel)
      expect(told.map(({ offset }) => offset)).toEqual([1, 1])
      expect(new Set(told.map(({ epoch }) => epoch)).size).toBe(2)
    }
    await nobodyContradicts()
  })

  it('F-04 flushed while they are connected begin other epochs with the next publish, and stand elsewhere when asked', async () => {
    const [first, second] = await setUp({})
    for (const channel of [...CHANNELS, QUIET]) await first?.publish(channel)
    const before = await second?.stored(QUIET)
    await redis.command('FLUSHALL')
    expect((await second?.stored(QUIET))?.epoch).not.toBe(before?.epoch)
    for (const channel of CHANNELS) expect(await second?.publish(channel)).toBe(true)
    await nobodyContradicts()
    expect(first?.engine.problem()).toBeUndefined()
    // The marks went with the rest: a restart after it finds its way too.
    await pause(1_200)
    await redis.kill()
    await redis.restart()
    await recovered()
    for (const channel of CHANNELS) expect(await second?.publish(channel)).toBe(true)
    await nobodyContradicts()
  })

  it('F-01 killed together with a node end every epoch: it may have known more than the others', async () => {
    const [first, , third] = await setUp(KEPT_ON_DISK)
    for (const channel of CHANNELS) await first?.publish(channel)
    await pause(1_200)
    await redis.kill()
    // Without a farewell: there is nobody to say it to.
    await third?.close()
    await redis.restart()
    witnesses.pop()
    await recovered()
    for (const channel of CHANNELS) expect(await first?.publish(channel)).toBe(true)
    await eventually(
      'all are told',
      () => new Set(first?.rotations.map(({ channel }) => channel)).size === CHANNELS.length,
    )
    await nobodyContradicts()
  })
})

/** Resolves when the next publish was acknowledged. */
async function resumed(witness: Witness | undefined): Promise<void> {
  const before = witness?.acknowledged.length ?? 0
  await eventually('publishing goes on', () => (witness?.acknowledged.length ?? 0) > before)
}
