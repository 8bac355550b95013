import { createClient } from '@redis/client'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { systemRandom } from '../../random.js'
import { silentLogger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { encodeText } from './announcement.js'
import type { AnnouncementLimits } from './announcement-link.js'
import { Announcements } from './announcements.js'
import { DriverConnector } from './connector.js'
import type { Hearer } from './interest.js'
import { Keys } from './keys.js'
import type { Commands, Reply } from './shard.js'
import { SingleTopology } from './single-topology.js'
import { RedisProcess } from './testing/redis-process.js'

const DEADLINE_MS = 8_000

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 2)
    })
  }
}

interface Heard extends Hearer {
  readonly texts: string[]
  uncertainties: number
}

function ear(): Heard {
  const heard: Heard = {
    texts: [],
    uncertainties: 0,
    hear: (announcement) => void (announcement.kind === 'text' && heard.texts.push(announcement.text)),
    uncertain: () => void (heard.uncertainties += 1),
  }
  return heard
}

describe('the announcement link', () => {
  let redis: RedisProcess
  const open: Announcements[] = []

  beforeAll(async () => {
    redis = await RedisProcess.start()
    return () => redis.stop()
  })

  async function listening(
    limits: Partial<AnnouncementLimits> = {},
    publish?: (args: readonly string[]) => Promise<Reply>,
  ): Promise<{ announcements: Announcements; problems: (string | undefined)[] }> {
    const problems: (string | undefined)[] = []
    const address = { host: '127.0.0.1', port: redis.port }
    const options = { tls: false, connectTimeoutMs: 1_000 }
    const send = publish ?? ((args: readonly string[]) => redis.command(...args))
    const commands: Commands = { send, run: () => Promise.reject(new Error('none')) }
    const announcements: Announcements = new Announcements({
      topology: new SingleTopology(address),
      connector: new DriverConnector(options, systemClock),
      commands: { of: () => commands, shard: () => commands },
      keys: new Keys('test', 'announcements'),
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      limits: { confirmMs: 4_000, probeMs: 10_000, hearMs: 1_000, ...limits },
      isCluster: false,
      changed: () => void problems.push(announcements.problem()),
    })
    open.push(announcements)
    announcements.start()
    await until('it hears', () => announcements.problem() === undefined)
    return { announcements, problems }
  }

  afterEach(() => {
    for (const announcements of open.splice(0)) announcements.close()
  })

  const say = (channel: string, text: string): Promise<string> => redis.command('SPUBLISH', channel, encodeText(text))
  const listeners = async (channel: string): Promise<number> =>
    Number(/:(\d+)\r\n$/.exec(await redis.command('PUBSUB', 'SHARDNUMSUB', channel))?.[1])

  it('hears what is published from the moment that listen resolves, until its end', async () => {
    const { announcements } = await listening()
    const one = ear()
    const end = await announcements.listen('hf{a}1', one)
    await say('hf{a}1', 'x')
    await until('it is heard', () => one.texts.length === 1)
    end()
    await until('the server has let go', async () => (await listeners('hf{a}1')) === 0)
    expect([one.texts, announcements.size]).toEqual([['x'], 0])
  })

  it('asks the server once for many who listen to one channel', async () => {
    const { announcements } = await listening()
    const ears = Array.from({ length: 5 }, ear)
    const ends = await Promise.all(ears.map((each) => announcements.listen('hf{a}2', each)))
    expect(await listeners('hf{a}2')).toBe(1)
    await say('hf{a}2', 'x')
    await until('all have heard', () => ears.every(({ texts }) => texts.length === 1))
    for (const end of ends) end()
  })

  it('is listening in the end when somebody stops and begins again in the same turn, however often', async () => {
    const { announcements } = await listening()
    const one = ear()
    let end = await announcements.listen('hf{a}3', one)
    for (let round = 0; round < 20; round += 1) {
      end()
      end = await announcements.listen('hf{a}3', one)
      await say('hf{a}3', String(round))
      await until(`round ${round} is heard`, () => one.texts.length === round + 1)
    }
    end()
    const late = announcements.listen('hf{a}3', one)
    await late
    await say('hf{a}3', 'last')
    await until('the last is heard', () => one.texts.at(-1) === 'last')
    expect(one.uncertainties).toBe(0)
  })

  it('is listening to what is wished for in the end, whatever was wished for in between and however often the link broke', async () => {
    const { announcements } = await listening()
    const channels = Array.from({ length: 20 }, (_, n) => `hf{g}${n}`)
    const ears = new Map(channels.map((channel) => [channel, ear()]))
    const ends = new Map<string, () => void>()
    let seed = 7
    const draw = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    const wish = async (): Promise<void> => {
      const channel = channels[draw(channels.length)] ?? ''
      const end = ends.get(channel)
      ends.delete(channel)
      if (end !== undefined) return end()
      const heard = ears.get(channel)
      const begun = heard && (await announcements.listen(channel, heard).catch(() => undefined))
      // Another wish for the same channel may have come first.
      if (begun !== undefined && ends.has(channel)) begun()
      else if (begun !== undefined) ends.set(channel, begun)
    }
    for (let round = 0; round < 60; round += 1) {
      await Promise.all(Array.from({ length: 1 + draw(20) }, wish))
      if (draw(10) === 0) await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    }
    await until('it hears', () => announcements.problem() === undefined)
    await until('the server listens to what is wished for and to nothing else', async () => {
      const counts = await Promise.all(channels.map(listeners))
      return counts.every((count, at) => count === (ends.has(channels[at] ?? '') ? 1 : 0))
    })
    for (const channel of channels) await say(channel, 'last')
    const isRight = (channel: string): boolean => (ears.get(channel)?.texts.length === 1) === ends.has(channel)
    await until('those who listen have heard, and nobody else', () => channels.every(isRight))
    expect(announcements.size).toBe(ends.size)
  })

  it('listens to thousands of channels in few commands', async () => {
    const { announcements } = await listening()
    const before = await redis.command('INFO', 'commandstats')
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => announcements.listen(`hf{b}${n}`, ear())))
    const calls = (info: string): number => Number(/cmdstat_ssubscribe:calls=(\d+)/.exec(info)?.[1] ?? 0)
    expect(calls(await redis.command('INFO', 'commandstats')) - calls(before)).toBeLessThanOrEqual(8)
    expect(announcements.size).toBe(3_000)
  })

  it('F-17 listens again after its connection was killed, and tells everyone that something may be lost, once', async () => {
    const { announcements, problems } = await listening()
    const ears = Array.from({ length: 600 }, ear)
    await Promise.all(ears.map((each, n) => announcements.listen(`hf{c}${n}`, each)))
    for (let kills = 1; kills <= 3; kills += 1) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await until(`all were told of ${kills}`, () => ears.every(({ uncertainties }) => uncertainties === kills))
      expect(problems.at(-1)).toBeUndefined()
      await say('hf{c}599', String(kills))
      await until('it is heard', () => ears[599]?.texts.length === kills)
    }
    expect(problems.some((problem) => problem?.includes('broke'))).toBe(true)
  })

  it('F-17 finds no place while the server is full, and comes back when there is room', async () => {
    const { announcements } = await listening()
    const one = ear()
    await announcements.listen('hf{d}1', one)
    const administrator = createClient({ socket: { host: '127.0.0.1', port: redis.port } })
    await administrator.connect()
    await administrator.sendCommand(['CONFIG', 'SET', 'maxclients', '1'])
    await administrator.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    await until('it says why', () => announcements.problem()?.includes('max number of clients') ?? false)
    await administrator.sendCommand(['CONFIG', 'SET', 'maxclients', '1000'])
    administrator.destroy()
    await until('it hears again', () => announcements.problem() === undefined)
    expect(one.uncertainties).toBe(1)
  })

  it('probes itself after a silence, and gives up a link over which nothing comes', async () => {
    let isDeaf = false
    let probes = 0
    const { announcements, problems } = await listening({ probeMs: 40, hearMs: 50 }, async (args) => {
      probes += 1
      return isDeaf ? 1 : await redis.command(...args)
    })
    const one = ear()
    await announcements.listen('hf{e}1', one)
    await until('it has probed itself more than once', () => probes > 3)
    expect(one.uncertainties).toBe(0)
    isDeaf = true
    await until('it was given up', () => announcements.problem()?.includes('do not arrive') ?? false)
    isDeaf = false
    await until('it hears again', () => announcements.problem() === undefined)
    expect(one.uncertainties).toBe(1)
    expect(problems.at(-1)).toBeUndefined()
  })

  it('says nothing against the link while probes cannot be published', async () => {
    let isAway = false
    const { announcements, problems } = await listening({ probeMs: 40, hearMs: 50 }, (args) =>
      isAway ? Promise.reject(new EngineUnavailableError('away')) : redis.command(...args),
    )
    const one = ear()
    await announcements.listen('hf{f}1', one)
    isAway = true
    announcements.doubt({ id: 'single', address: { host: '127.0.0.1', port: redis.port } })
    expect(announcements.problem()).toContain('may not arrive')
    isAway = false
    await until('it is proved', () => announcements.problem() === undefined)
    expect(one.uncertainties).toBe(0)
    expect(problems.at(-1)).toBeUndefined()
  })
})
