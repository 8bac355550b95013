import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { type Grant, anyDemand, excessOf } from '../conformance/token-windows.js'
import type { RedisEngine } from './redis-engine.js'
import { engineOn, harnessOf } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

let server: RedisProcess
let engine: RedisEngine

beforeAll(async () => {
  server = await RedisProcess.start()
  engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }] })
  await engine.start()
})
afterAll(async () => {
  await engine.close()
  await server.stop()
})

describe('a token bucket in Redis', () => {
  it('gives in no window more than it holds and gets', async () => {
    const { pass } = harnessOf(engine, async () => [server.port])
    let run = 0
    await fc.assert(
      fc.asyncProperty(anyDemand, async ({ rate, asks }) => {
        run += 1
        let passedMs = 0
        const grants: Grant[] = []
        for (const { afterMs, cost } of asks) {
          if (afterMs > 0) await pass(afterMs)
          passedMs += afterMs
          const fromMs = systemClock.now() + passedMs
          if ((await engine.rates.take(`r${run}`, cost, rate)) === 0)
            grants.push({ fromMs, toMs: systemClock.now() + passedMs, cost })
        }
        // The clocks of both ends count whole milliseconds.
        expect(excessOf(grants, rate)).toBeLessThan(1e-6 + (rate.perSecond * 2) / 1_000)
      }),
      { numRuns: 100 },
    )
  })

  it('leaves nothing behind once it is full again', async () => {
    await engine.rates.take('brief', 5, { perSecond: 1_000, burst: 10 })
    await engine.rates.take('long', 5, { perSecond: 0.1, burst: 10 })
    const { pass } = harnessOf(engine, async () => [server.port])
    await pass(50_000)
    for (const name of ['brief', 'long']) expect(await server.command('KEYS', `*:rate:=${name}`)).toBe('*0\r\n')
  })
})
