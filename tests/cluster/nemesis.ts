import { parseArgs } from 'node:util'
import { SeededRandom } from '../kit/seeded-random.js'
import type { Where } from './kit/facts.js'
import { HARMS, LOSSES, harmFor } from './kit/nemesis.js'
import { RedisServer } from './kit/redis-server.js'
import { Run } from './kit/run.js'

const TENANTS = ['acme', 'globex', 'initech']
const CHANNELS = Array.from({ length: 20 }, (_, index) => `room:${index}`)
const EVERYWHERE: Where[] = TENANTS.flatMap((tenant) => CHANNELS.map((channel) => ({ tenant, channel })))
const LOBBY = 'lobby:all'
const NODES = 3
const PUBLISHERS = 45

/**
 * Harm by chance, for as long as one likes: `--seconds 120`, `--clients 150`, `--per-second 60`, and with `--losses` what makes Redis
 * forget. Answers the exit code: 0 when nothing is wrong with what came of it. `HOLDFAST_TEST_SEED` repeats the choices of a run.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '120' },
      clients: { type: 'string', default: '150' },
      'per-second': { type: 'string', default: '60' },
      losses: { type: 'boolean', default: false },
    },
  })
  const redis = await RedisServer.start({ appendonly: true })
  const run = await Run.start({
    name: 'nemesis',
    nodes: NODES,
    redis: redis.port,
    channels: EVERYWHERE,
    present: TENANTS.map((tenant) => ({ tenant, channel: LOBBY })),
    options: {
      channels: {
        'room:*': { publish: 'member', history: { size: 20_000, ttl: '1h' } },
        'lobby:*': { presence: true, history: { size: 10, ttl: '1h' } },
      },
      drain: { windowMs: 1_000, deadlineMs: 10_000 },
    },
  })
  try {
    const random = new SeededRandom(run.seed)
    await run.clients.connect({
      name: 'client',
      clients: Array.from({ length: Number(values.clients) }, (_, index) => ({
        tenant: TENANTS[index % TENANTS.length] ?? '',
        channels: CHANNELS.filter(() => random.once(2)),
        ...(index % 5 === 0 && { present: [LOBBY] }),
      })),
      connectGapMs: 5,
      options: { backoff: { minMs: 200, maxMs: 2_000 } },
    })
    const publishers = Array.from({ length: PUBLISHERS }, (_, index) => ({
      client: `client-${index}`,
      channels: CHANNELS,
    }))
    await run.clients.publish({ publishers, perSecond: Number(values['per-second']) })
    const harms = values.losses ? { ...HARMS, ...LOSSES } : HARMS
    await harmFor(Number(values.seconds), harms, { run, redis, random, nodes: NODES })
    const { violationCount } = await run.settle()
    return violationCount === 0 ? 0 : 1
  } finally {
    await run.stop()
    await redis.stop()
  }
}
