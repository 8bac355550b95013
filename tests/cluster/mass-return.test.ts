import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { histogram, percentile, printFigures } from '../kit/figures.js'
import { machineTimeBetween } from '../kit/machine-time.js'
import type { Stamped, Where } from './kit/facts.js'
import { readHistory } from './kit/history.js'
import { RedisServer } from './kit/redis-server.js'
import { Run } from './kit/run.js'

const CHANNELS = Array.from({ length: 30 }, (_, index) => `room:${index}`)
const EVERYWHERE: Where[] = CHANNELS.map((channel) => ({ tenant: 'acme', channel }))
const CLIENTS = 3_000
const CAUGHT_UP_WITHIN_MS = 10_000

describe('three thousand clients that lose their node at once', () => {
  let redis: RedisServer
  let run: Run

  beforeAll(async () => {
    redis = await RedisServer.start()
    run = await Run.start({
      name: 'mass-return',
      nodes: 2,
      // No proxy between: what is measured is the node.
      redis: { engine: { redis: redis.url } },
      channels: EVERYWHERE,
      options: { channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } } },
    })
    await run.clients.useNodes([run.fleet.node(0).url])
    const clients = Array.from({ length: CLIENTS }, (_, index) => ({
      tenant: 'acme',
      channels: [CHANNELS[index % CHANNELS.length] ?? ''],
    }))
    await run.clients.connect({ name: 'client', clients, connectGapMs: 2, options: { connectTimeoutMs: 30_000 } })
    // The publishers are elsewhere: messages flow while the others have no node.
    await run.clients.useNodes([run.fleet.node(1).url])
    const publishers = CHANNELS.slice(0, 10).map((channel) => ({ tenant: 'acme', channels: [channel] }))
    await run.clients.connect({ name: 'publisher', clients: publishers })
  }, 120_000)

  afterAll(async () => {
    await run.stop()
    await redis.stop()
  })

  it('F-44 are all caught up on one other node within ten seconds, spread out, with hardly more than one read each', async () => {
    const publishers = CHANNELS.slice(0, 10).map((_, index) => ({ client: `publisher-${index}`, channels: CHANNELS }))
    await run.clients.publish({ publishers, perSecond: 20 })
    await pause(2_000)
    const readsBefore = await readsOf(redis)
    const killedAt = performance.timeOrigin + performance.now()
    await run.fault('F-44 the node of three thousand clients is killed', () => run.fleet.kill9(0))
    await eventually(
      'everybody is back',
      async () => {
        const { reconnects, subscribed } = await run.clients.figures()
        return reconnects >= CLIENTS && subscribed === CLIENTS + publishers.length
      },
      60_000,
    )
    const caughtUpMs = machineTimeBetween(killedAt, performance.timeOrigin + performance.now())
    const reads = (await readsOf(redis)) - readsBefore
    await run.clients.stopPublishing(20_000)
    await run.fleet.replace(0)
    const { figures, violations } = await run.settle()

    const facts = [...readHistory(run.history.file)]
    const [attempts, returns] = [timesOf('connecting', facts, killedAt), timesOf('open', facts, killedAt)]
    // What the machine held back goes together, however spread out it set off.
    const undisturbed = attempts.filter((at) => machineTimeBetween(killedAt + at - 100, killedAt + at) > 50)
    const fullest = Math.max(...histogram(undisturbed, 100))
    printFigures('a mass return', {
      clients: returns.length,
      'all caught up after, ms': caughtUpMs,
      'attempts, ms (first, median, last)': spreadOf(attempts),
      'fullest tenth of a second, attempts': fullest,
      'welcomed, ms (first, median, last)': spreadOf(returns),
      'reads of Redis per client and channel': reads / CLIENTS,
    })
    expect(violations.slice(0, 20)).toEqual([])
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, 'signalled gaps': 0 })
    expect(returns).toHaveLength(CLIENTS)
    expect(attempts.length).toBeLessThan(CLIENTS * 1.1)
    expect(caughtUpMs).toBeLessThan(CAUGHT_UP_WITHIN_MS)
    expect(reads / CLIENTS).toBeLessThanOrEqual(1.2)
    expect(fullest).toBeLessThan(CLIENTS / 4)
  }, 180_000)
})

/** Readings of logs so far: the script that reads a log asks once for its length, and no other does. */
async function readsOf(redis: RedisServer): Promise<number> {
  const stats = await redis.command('INFO', 'commandstats')
  return Number(/cmdstat_xlen:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

/** When clients entered a state, in milliseconds after the harm. */
function timesOf(state: string, facts: readonly Stamped[], since: number): number[] {
  return facts.flatMap((fact) =>
    fact.t === 'state' && fact.state === state && fact.at > since ? [fact.at - since] : [],
  )
}

function spreadOf(times: readonly number[]): string {
  return [0, 0.5, 1].map((share) => percentile(times, share).toFixed(0)).join(' ')
}
