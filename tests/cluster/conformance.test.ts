import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeEngine } from '../../packages/server/src/engine/conformance/suite.js'
import { engineOn, harnessOf } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import { RedisServer } from './kit/redis-server.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'

/** One that is installed, or the one that `scripts/valkey.mjs` unpacked. */
const VALKEY = ['/usr/bin/valkey-server', '../../tmp/programs/valkey/usr/bin/valkey-server']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

describe('on Valkey', () => {
  let server: RedisServer

  beforeAll(async () => {
    if (VALKEY === undefined)
      throw new Error('these tests start a Valkey; unpack one with: node scripts/prepare.mjs test')
    const before = process.env['HOLDFAST_REDIS_SERVER']
    process.env['HOLDFAST_REDIS_SERVER'] = VALKEY
    server = await RedisServer.start()
    if (before === undefined) delete process.env['HOLDFAST_REDIS_SERVER']
    else process.env['HOLDFAST_REDIS_SERVER'] = before
  })
  afterAll(() => server.stop())

  describeEngine('redis', async () => {
    const engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }] })
    return harnessOf(engine, async () => [server.port])
  })
})

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
