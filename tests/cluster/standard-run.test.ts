import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pause, within } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { SeededRandom } from '../kit/seeded-random.js'
import type { Where } from './kit/facts.js'
import { OperationsAtWork } from './kit/operations-at-work.js'
import { RedisServer } from './kit/redis-server.js'
import { Run } from './kit/run.js'
import { Timeline } from './kit/timeline.js'

const TENANTS = ['acme', 'globex', 'initech']
const CHANNELS = Array.from({ length: 20 }, (_, index) => `room:${index}`)
const LOBBY = 'lobby:all'
const CLIENTS = 300
const OPERATIONS = 20
const CHANNELS_PER_CLIENT = 8
const PUBLISHERS = 45
const PER_SECOND = 36
const RUN_MS = 120_000

const KILLED_REDIS = 'F-01 Redis is killed and started again'
const PAUSED_REDIS = 'F-02 Redis is paused for 10 s'
const DROPPED_PUSH = 'F-19 a push is dropped'
const KILLED_LINKS = 'F-17 the announcement links are killed'
const KILLED_NODE = 'F-28 a node is killed and replaced'
const DRAINED_NODE = 'F-29 a node is drained and replaced'
const CUT_CLIENTS = 'a fifth of the clients is cut'

/** What every message of this run contains, and nothing else that nodes tell each other. */
const MESSAGE = { text: '"canary"' }

const EVERYWHERE: Where[] = TENANTS.flatMap((tenant) => CHANNELS.map((channel) => ({ tenant, channel })))

describe('three nodes, 300 clients, 60 channels and two minutes of harm', () => {
  let redis: RedisServer
  let run: Run
  let operations: OperationsAtWork

  beforeAll(async () => {
    redis = await RedisServer.start({ appendonly: true, appendfsync: 'always' })
    run = await Run.start({
      name: 'standard-run',
      nodes: 3,
      redis: redis.port,
      channels: EVERYWHERE,
      present: TENANTS.map((tenant) => ({ tenant, channel: LOBBY })),
      options: {
        channels: {
          'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } },
          'lobby:*': { presence: true, history: { size: 10, ttl: '1h' } },
        },
        drain: { windowMs: 2_000, deadlineMs: 15_000 },
      },
    })
    const users = Array.from({ length: CLIENTS }, (_, index) => `client-${index}`)
    // On a node that is drained, whose operations end with it, and on one that stays.
    operations = await OperationsAtWork.start(run.history, {
      tenant: 'acme',
      count: OPERATIONS,
      owner: users[0] ?? '',
      sharedWith: users,
      nodes: [run.fleet.node(1), run.fleet.node(2)],
    })
    const random = new SeededRandom(run.seed)
    const clients = users.map((_, index) => ({
      tenant: TENANTS[index % TENANTS.length] ?? '',
      channels: someOf(CHANNELS, CHANNELS_PER_CLIENT, random),
      ...(index % TENANTS.length === 0 && { watches: [random.pick(operations.ids)] }),
      ...(index % 5 === 0 && { present: [LOBBY] }),
    }))
    await run.clients.connect({ name: 'client', clients, connectGapMs: 5 })
  }, 120_000)

  afterAll(async () => {
    await run.stop()
    await redis.stop()
  })

  it('lose nothing, double nothing, mix nothing up, and keep silent about nothing', async () => {
    const startedAt = performance.now()
    const at = (seconds: number): Promise<void> => pause(startedAt + seconds * 1_000 - performance.now())
    const { fleet } = run
    const publishers = Array.from({ length: PUBLISHERS }, (_, index) => ({
      client: `client-${index}`,
      channels: CHANNELS,
    }))
    await run.clients.publish({ publishers, perSecond: PER_SECOND })

    await at(5)
    await run.fault(DROPPED_PUSH, () => within('a drop', fleet.proxy(0).onPush('drop', MESSAGE).happened))
    await at(10)
    await run.fault('F-19 a push is doubled', () =>
      within('a double', fleet.proxy(1).onPush('duplicate', MESSAGE).happened),
    )
    await at(15)
    await run.fault(KILLED_REDIS, async () => {
      await redis.kill()
      await pause(3_000)
      await redis.restart()
    })
    await at(30)
    await run.fault(PAUSED_REDIS, async () => {
      redis.pause()
      await pause(10_000)
      redis.resume()
    })
    await at(52)
    await run.fault(KILLED_LINKS, () => redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'))
    await at(57)
    await run.fault('F-17 the command links are killed', () => redis.command('CLIENT', 'KILL', 'TYPE', 'normal'))
    await at(65)
    await run.fault(KILLED_NODE, async () => {
      await fleet.kill9(0)
      await run.reroute()
      await pause(2_000)
      await fleet.replace(0)
      await run.reroute()
    })
    await at(80)
    const status = await run.fault(DRAINED_NODE, async () => {
      const left = fleet.term(1)
      await run.reroute()
      const code = await left
      await fleet.replace(1)
      await run.reroute()
      return code
    })
    await at(98)
    await run.fault('F-19 a push comes after the next', () =>
      within('a swap', fleet.proxy(2).onPush('swap', MESSAGE).happened),
    )
    await at(102)
    await run.fault(CUT_CLIENTS, () => run.clients.cut(0.2))
    await at(RUN_MS / 1_000)

    await operations.finish(run.fleet.nodes)
    const { figures, violations } = await run.settle()
    const timeline = new Timeline(run.history.file)
    printFigures('the standard run', {
      'first publish after the restart, ms': timeline.firstAcknowledgedAfter(KILLED_REDIS),
      'first publish after the pause, ms': timeline.firstAcknowledgedAfter(PAUSED_REDIS),
      'slowest delivery around the dropped push, ms': timeline.slowestDeliveryAround(DROPPED_PUSH, 500, 1_000),
      'slowest delivery around the killed links, ms': timeline.slowestDeliveryAround(KILLED_LINKS, 500, 1_000),
      'slowest delivery around the killed node, ms': timeline.slowestDeliveryAround(KILLED_NODE, 500, 1_000),
      'slowest delivery around the drain, ms': timeline.slowestDeliveryAround(DRAINED_NODE, 500, 1_000),
    })
    expect(violations.slice(0, 20)).toEqual([])
    expect(figures).toMatchObject({
      lost: 0,
      duplicated: 0,
      'out of order': 0,
      'silent gaps': 0,
      'signalled gaps': 0,
      unknown: 0,
      refused: 0,
    })
    expect(figures['deliveries']).toBeGreaterThan(100_000)
    expect(status).toBe(0)
    expect(timeline.firstAcknowledgedAfter(KILLED_REDIS)).toBeLessThan(3_000)
    expect(timeline.firstAcknowledgedAfter(PAUSED_REDIS)).toBeLessThan(3_000)
    expect(timeline.disconnectsOutside([KILLED_NODE, CUT_CLIENTS], 2_000)).toEqual([])
  }, 300_000)
})

function someOf<T>(all: readonly T[], count: number, random: SeededRandom): T[] {
  const rest = [...all]
  return Array.from({ length: count }, () => rest.splice(random.between(0, rest.length - 1), 1)).flat()
}
