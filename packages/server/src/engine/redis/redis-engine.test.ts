import { afterAll, beforeAll } from 'vitest'
import { describeEngine } from '../conformance/suite.js'
import { engineOn, harnessOf } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

let server: RedisProcess

beforeAll(async () => {
  server = await RedisProcess.start()
})
afterAll(() => server.stop())

describeEngine('redis', async () => {
  const engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }] })
  return harnessOf(engine, async () => [server.port])
})
