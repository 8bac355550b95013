import { afterAll, beforeAll, describe } from 'vitest'
import { describeEngine } from '../../packages/server/src/engine/conformance/suite.js'
import { engineOn, harnessOf } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'

describe('behind sentinels', () => {
  let group: SentinelGroup

  beforeAll(async () => {
    group = await SentinelGroup.start()
  })
  afterAll(() => group.stop())

  describeEngine('redis', async () => {
    const engine = engineOn({ mode: 'sentinel', servers: group.nodes, master: group.name })
    return harnessOf(engine, async () => [(await group.master()).port])
  })
})

describe('on a cluster', () => {
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await RedisCluster.start()
  })
  afterAll(() => cluster.stop())

  describeEngine('redis', async () => {
    const engine = engineOn({ mode: 'cluster', servers: cluster.nodes })
    return harnessOf(engine, async () => cluster.servers.slice(0, 3).map(({ port }) => port))
  })
})
