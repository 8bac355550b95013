import { type RedisClientType, createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { machineTime } from '../../../../../tests/kit/machine-time.js'
import type { LeftReport } from '../engine.js'
import { EngineUnavailableError } from '../unavailable.js'
import { Keys } from './keys.js'
import type { RedisEngine } from './redis-engine.js'
import { eventually } from './testing/deadline.js'
import { engineOn } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

let server: RedisProcess
let redis: RedisClientType
let prefix: string
let used = 0
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  server = await RedisProcess.start()
  redis = createClient({ url: `redis://127.0.0.1:${server.port}` })
  redis.on('error', () => undefined)
  await redis.connect()
})
afterAll(async () => {
  redis.destroy()
  await server.stop()
})
beforeEach(() => {
  prefix = `reports${(used += 1)}`
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(): Promise<RedisEngine> {
  const engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }], prefix, commandTimeoutMs: 1_000 })
  closing.push(() => engine.close())
  await engine.start()
  return engine
}

/** One who reads, with what it has got. */
class Reader {
  readonly got: LeftReport[] = []
  readonly behind: number[] = []
  /** Done before a batch is taken. */
  before: (reports: readonly LeftReport[]) => Promise<void> = async () => undefined
  readonly stop: () => Promise<void>

  constructor(engine: RedisEngine, node: string) {
    this.stop = engine.reports.consume(node, async (reports, behind) => {
      await this.before(reports)
      this.got.push(...reports)
      this.behind.push(behind)
    })
    closing.push(() => this.stop())
  }

  get numbers(): readonly number[] {
    return this.got.map(({ fields }) => Number(fields['n']))
  }
}

const left = (): string => `${prefix}:default:reports`

async function leave(from: number, to: number): Promise<void> {
  await Promise.all(upTo(from, to).map((n) => redis.xAdd(left(), '*', { n: String(n) })))
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

describe('reports', () => {
  it('stand in holdfast:reports where nobody has chosen another prefix, and else under prefix and cluster id', () => {
    expect(new Keys('hf', 'default').reports.left).toBe('holdfast:reports')
    expect(new Keys('hf', 'default').reports.refused).toBe('holdfast:reports:refused')
    expect(new Keys('hf', 'eu').reports.left).toBe('hf:eu:reports')
    expect(new Keys('holdfast', 'default').reports.left).toBe('holdfast:default:reports')
  })

  it('arrive in order, with their entries and fields, and are gone when they are done', async () => {
    await leave(1, 2_300)
    const reader = new Reader(await start(), 'n1')
    await eventually('all have arrived', () => reader.got.length === 2_300)
    await leave(2_301, 2_310)
    await eventually('those left later, too', () => reader.got.length === 2_310)
    expect(reader.numbers).toEqual(upTo(1, 2_310))
    expect(reader.got[0]?.entry).toMatch(/^\d+-\d+$/)
    expect(reader.behind[0]).toBe(300)
    await eventually('nothing is left', async () => (await redis.xLen(left())) === 0)
    expect(await redis.xPending(left(), 'holdfast')).toMatchObject({ pending: 0 })
  })

  it('arrive at once when something is left while nothing was', async () => {
    const reader = new Reader(await start(), 'n1')
    await eventually('it reads', async () => (await redis.exists(`{${left()}}:reader`)) === 1)
    expect(await redis.exists(left())).toBe(0)
    await new Promise<void>((resolve) => setImmediate(resolve))
    const began = machineTime()
    await leave(1, 1)
    await eventually('it has arrived', () => reader.got.length === 1)
    expect(machineTime() - began).toBeLessThan(800)
  })

  it('come again when they were not taken, in the same order, before anything else', async () => {
    await leave(1, 3)
    const reader = new Reader(await start(), 'n1')
    let refusals = 2
    reader.before = async () => {
      await leave(4, 4)
      if ((refusals -= 1) >= 0) throw new EngineUnavailableError('not now')
    }
    await eventually('all have arrived', () => reader.got.length >= 6)
    expect(reader.numbers.slice(0, 6)).toEqual([1, 2, 3, 4, 4, 4])
  })

  it('are read by one of several, and by the next when that one stops', async () => {
    const [first, second] = [new Reader(await start(), 'n1'), new Reader(await start(), 'n2')]
    await leave(1, 50)
    await eventually('all have arrived', () => first.got.length + second.got.length === 50)
    const [reader, other] = first.got.length > 0 ? [first, second] : [second, first]
    expect([reader.got.length, other.got.length]).toEqual([50, 0])
    await reader.stop()
    await leave(51, 100)
    await eventually('the other reads', () => other.got.length === 50)
    expect(other.numbers).toEqual(upTo(51, 100))
    const consumers = await redis.xInfoConsumers(left(), 'holdfast')
    expect(consumers.map(({ name }) => name)).toEqual([reader === first ? 'n2' : 'n1'])
  })

  it('of one who stood still in a batch are read again by the next, in order, and later ones after them', async () => {
    const [still, next] = [await start(), await start()]
    const frozen = new Reader(still, 'n1')
    let [beginning, thaw] = [false, (): void => undefined]
    frozen.before = () => {
      beginning = true
      return new Promise((resolve) => (thaw = resolve))
    }
    await leave(1, 3)
    await eventually('it has got them', () => beginning)
    const reader = new Reader(next, 'n2')
    await leave(4, 6)
    // What a process that stands still cannot do is to renew its lease.
    const lapse = async (): Promise<boolean> => {
      await redis.del(`{${left()}}:reader`)
      return reader.got.length === 6
    }
    await eventually('the next has read all', lapse)
    expect(reader.numbers).toEqual(upTo(1, 6))
    thaw()
    await eventually('nothing is left', async () => (await redis.xLen(left())) === 0)
  })

  it('go on after the stream was deleted, and after the server forgot everything', async () => {
    const reader = new Reader(await start(), 'n1')
    await leave(1, 2)
    await eventually('they have arrived', () => reader.got.length === 2)
    await redis.del(left())
    await leave(3, 4)
    await eventually('those after it, too', () => reader.got.length === 4)
    await redis.flushAll()
    await leave(5, 6)
    await eventually('and those after that', () => reader.got.length === 6)
    expect(reader.numbers).toEqual(upTo(1, 6))
  })

  it('go on after their connections were cut', async () => {
    const reader = new Reader(await start(), 'n1')
    for (let round = 0; round < 4; round += 1) {
      await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
      await leave(round * 10 + 1, round * 10 + 10)
      await eventually('they have arrived', () => new Set(reader.numbers).size === round * 10 + 10)
    }
    expect([...new Set(reader.numbers)]).toEqual(upTo(1, 40))
  })

  it('wait where the key holds something else, and are read once it does not', async () => {
    await redis.set(left(), 'mine')
    const reader = new Reader(await start(), 'n1')
    await new Promise<void>((resolve) => setImmediate(resolve))
    await redis.del(left())
    await leave(1, 1)
    await eventually('it has arrived', () => reader.got.length === 1)
  })

  it('are cut where one is longer than anybody could mean, and come in batches that fit into memory', async () => {
    const engine = await start()
    const long = 'x'.repeat(1_000_000)
    for (let n = 1; n <= 30; n += 1) await redis.xAdd(left(), '*', { n: String(n), data: long })
    await redis.xAdd(left(), '*', Object.fromEntries(upTo(1, 100).map((n) => [`f${n}`, 'v'])))
    const reader = new Reader(engine, 'n1')
    const batches: number[] = []
    reader.before = async (reports) => void batches.push(reports.length)
    await eventually('all have arrived', () => reader.got.length === 31)
    expect(reader.got[0]?.fields['data']).toHaveLength(262_144)
    expect(Object.keys(reader.got[30]?.fields ?? {})).toHaveLength(16)
    expect(Math.max(...batches)).toBe(16)
  })

  it('that were refused are kept under their entries, each once', async () => {
    const engine = await start()
    const refused = upTo(1, 3).map((n) => ({
      entry: `${n}-0`,
      fields: { tenant: 'acme', do: 'dance' },
      code: 'bad_request',
      reason: `no ${n}`,
    }))
    await engine.reports.refuse(refused)
    await engine.reports.refuse(refused.slice(1))
    const key = `${left()}:refused`
    const kept = (await redis.xRange(key, '-', '+')) ?? []
    expect(kept.map(({ id }) => id)).toEqual(['1-0', '2-0', '3-0'])
    expect({ ...kept[1]?.message }).toEqual({ tenant: 'acme', do: 'dance', code: 'bad_request', reason: 'no 2' })
    expect(await redis.pTTL(key)).toBeGreaterThan(86_400_000)
  })
})
