import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { percentile, printFigures } from '../kit/figures.js'
import { machineTimeBetween } from '../kit/machine-time.js'
import type { Stamped, Where } from './kit/facts.js'
import { readHistory } from './kit/history.js'
import { RedisServer } from './kit/redis-server.js'
import { Run } from './kit/run.js'

const CHANNELS = Array.from({ length: 20 }, (_, index) => `room:${index}`)
/** Nobody publishes here, so that nothing but a look at the log can tell that it is gone. */
const QUIET = 'room:quiet'
const EVERYWHERE: Where[] = [...CHANNELS, QUIET].map((channel) => ({ tenant: 'acme', channel }))
const CLIENTS = 100

/** Back to Redis, and one look at every channel. */
const TOLD_WITHIN_MS = 6_000

describe('a Redis that is restarted empty under load', () => {
  let redis: RedisServer
  let run: Run

  beforeAll(async () => {
    redis = await RedisServer.start()
    run = await Run.start({
      name: 'empty-restart',
      nodes: 3,
      redis: redis.port,
      channels: EVERYWHERE,
      options: { channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } } },
    })
    const clients = Array.from({ length: CLIENTS }, (_, index) => ({
      tenant: 'acme',
      channels: [QUIET, ...CHANNELS.filter((_channel, at) => (at + index) % 2 === 0)],
    }))
    await run.clients.connect({ name: 'client', clients })
  }, 60_000)

  afterAll(async () => {
    await run.stop()
    await redis.stop()
  })

  it('F-03 tells every subscriber at once, closes no connection, and lets publishing go on', async () => {
    const publishers = Array.from({ length: 20 }, (_, index) => ({ client: `client-${index}`, channels: CHANNELS }))
    await run.clients.publish({ publishers, perSecond: 100 })
    await pause(3_000)
    const { readers } = await run.clients.figures()
    await run.fault('F-03 Redis is restarted empty', () => redis.restart({ empty: true }))
    await pause(TOLD_WITHIN_MS)
    await eventually('every reader was told', async () => (await run.clients.figures()).gaps >= readers)
    const { figures, violations } = await run.settle()

    const facts = [...readHistory(run.history.file)]
    const backAt = facts.find((fact) => fact.t === 'fault' && fact.phase === 'end')?.at ?? 0
    const toldAfter = firstGaps(facts).map((at) => machineTimeBetween(backAt, at))
    printFigures('told of an emptied Redis', {
      readers,
      'after, ms (median, 95 %, most)': [0.5, 0.95, 1]
        .map((share) => percentile(toldAfter, share).toFixed(0))
        .join(' '),
      'first publish acknowledged after, ms':
        (facts.find((fact) => fact.t === 'ok' && fact.at > backAt)?.at ?? Infinity) - backAt,
    })
    expect(violations.slice(0, 20)).toEqual([])
    expect(toldAfter).toHaveLength(readers)
    expect(Math.max(...toldAfter)).toBeLessThan(TOLD_WITHIN_MS)
    expect(facts.filter((fact) => fact.t === 'state' && fact.at > backAt - 500)).toEqual([])
    expect(facts.filter((fact) => fact.t === 'ok' && fact.at > backAt).length).toBeGreaterThan(300)
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, refused: 0, unknown: 0 })
    // Once: nothing that is published afterwards is given up again.
    expect(figures['signalled gaps']).toBe(readers)
  }, 120_000)
})

/** When each reader was first told of a gap. */
function firstGaps(facts: readonly Stamped[]): number[] {
  const firsts = new Map<string, number>()
  for (const fact of facts) {
    if (fact.t !== 'gap') continue
    const reader = `${fact.client} ${fact.channel}`
    if (!firsts.has(reader)) firsts.set(reader, fact.at)
  }
  return [...firsts.values()]
}
