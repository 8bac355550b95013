import { afterEach, describe, expect, it } from 'vitest'
import { pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import type { Where } from './kit/facts.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'
import { Run } from './kit/run.js'
import { Timeline } from './kit/timeline.js'

const CHANNELS = Array.from({ length: 12 }, (_, index) => `room:${index}`)
const EVERYWHERE: Where[] = CHANNELS.map((channel) => ({ tenant: 'acme', channel }))
const CLIENTS = 60
const HARM = 'the master is killed'

/** Found dead after a second or two, replaced, and found by the nodes. */
const BACK_WITHIN_MS = 12_000

interface Servers {
  readonly url: string
  killMaster(): Promise<unknown>
  stop(): Promise<void>
}

async function startCluster(): Promise<Servers> {
  const cluster = await RedisCluster.start()
  return { url: cluster.url, killMaster: () => cluster.killMaster(0), stop: () => cluster.stop() }
}

describe.each([
  ['sentinels', () => SentinelGroup.start()],
  ['a cluster', startCluster],
] as const)('nodes behind %s', (name, start) => {
  const ends: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })

  it('F-06 go on when the master is killed under load: what is lost is told, and nothing contradicts', async () => {
    const servers: Servers = await start()
    ends.push(() => servers.stop())
    const run = await Run.start({
      name: `master-killed-${name.replace(' ', '-')}`,
      nodes: 2,
      redis: { engine: { redis: servers.url } },
      channels: EVERYWHERE,
      options: { channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } } },
    })
    ends.push(() => run.stop())
    const clients = Array.from({ length: CLIENTS }, () => ({ tenant: 'acme', channels: CHANNELS }))
    await run.clients.connect({ name: 'client', clients })
    const publishers = Array.from({ length: 12 }, (_, index) => ({ client: `client-${index}`, channels: CHANNELS }))
    await run.clients.publish({ publishers, perSecond: 120 })
    await pause(2_000)
    await run.fault(HARM, () => servers.killMaster())
    await pause(3_000)
    const { figures, violations } = await run.settle()

    const timeline = new Timeline(run.history.file)
    const { from, to } = timeline.harm(HARM)
    printFigures(`nodes behind ${name}`, {
      'another master after, ms': to - from,
      'longest without an acknowledgement, ms': timeline.longestSilence(from - 1_000, to + 3_000),
      'subscriptions told of a gap': figures['signalled gaps'] ?? 0,
    })
    expect(violations.slice(0, 20)).toEqual([])
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, refused: 0, unknown: 0 })
    expect(timeline.longestSilence(from - 1_000, to + 3_000)).toBeLessThan(BACK_WITHIN_MS)
    expect(timeline.disconnectsOutside([], 0)).toEqual([])
  }, 120_000)
})
