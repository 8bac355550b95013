import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../packages/server/src/clock.js'
import type { RedisEngine } from '../../packages/server/src/engine/redis/redis-engine.js'
import { engineOn } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import { systemRandom } from '../../packages/server/src/random.js'
import { runChaos } from '../../packages/server/src/testing/operations-chaos.js'
import { type OperationsNode, openOperations } from '../../packages/server/src/testing/operations-node.js'
import { pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { RedisServer } from './kit/redis-server.js'

const OPERATIONS = 10_000
const LEASE_MS = 3_000

let redis: RedisServer
let engines: RedisEngine[]
let nodes: OperationsNode[]

beforeAll(async () => {
  redis = await RedisServer.start()
  engines = Array.from({ length: 3 }, () =>
    engineOn({ prefix: 'chaos', servers: [{ host: '127.0.0.1', port: redis.port }] }),
  )
  await Promise.all(engines.map((engine) => engine.start()))
  nodes = engines.map((engine) => openOperations(engine, systemClock, { leaseMs: LEASE_MS }))
})

afterAll(async () => {
  await Promise.all(nodes.map(({ operations }) => operations.close()))
  await Promise.all(engines.map((engine) => engine.close()))
  await redis.stop()
})

it('F-66 ten thousand operations end once each on Redis, whoever is killed, frozen or cancelled', async () => {
  const [engine] = engines
  if (engine === undefined) throw new Error('there is no engine')
  const startedAt = performance.now()
  const { ends, killed, frozen, raced, violations } = await runChaos(
    {
      clock: systemClock,
      engine,
      nodes: nodes.map(({ operations }) => operations),
      pass: pause,
      fraction: () => systemRandom.fraction(),
    },
    { operations: OPERATIONS, together: 2_000, reportMs: 250, leaseMs: LEASE_MS },
  )
  printFigures('operations-chaos', { killed, frozen, raced, ...ends, seconds: (performance.now() - startedAt) / 1_000 })
  expect(violations).toEqual([])
  expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(OPERATIONS)
  expect([killed > 350, frozen > 100, raced > 1_500]).toEqual([true, true, true])
}, 400_000)
