import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { type Grant, anyDemand, excessOf } from '../conformance/token-windows.js'
import { MemoryRates } from './rates.js'

describe('a token bucket in memory', () => {
  it('gives in no window more than it holds and gets', async () => {
    await fc.assert(
      fc.asyncProperty(anyDemand, async ({ rate, asks }) => {
        const clock = new SimulatedClock()
        const rates = new MemoryRates(clock)
        const grants: Grant[] = []
        for (const { afterMs, cost } of asks) {
          await clock.pass(afterMs)
          const now = clock.now()
          if ((await rates.take('r', cost, rate)) === 0) grants.push({ fromMs: now, toMs: now, cost })
        }
        expect(excessOf(grants, rate)).toBeLessThan(1e-6)
      }),
      { numRuns: 500 },
    )
  })

  it('gives all that it got to whoever asks again when told', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 50 }),
        async (perSecond, burst) => {
          const clock = new SimulatedClock()
          const rates = new MemoryRates(clock)
          const began = clock.now()
          let given = 0
          while (given < burst + 20) {
            const waitMs = await rates.take('r', 1, { perSecond, burst })
            if (waitMs === 0) given += 1
            else await clock.pass(waitMs)
          }
          // Each wait is a whole number of milliseconds; nothing else is lost.
          expect(clock.now() - began).toBeLessThanOrEqual((20 * 1_000) / perSecond + 20)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('forgets the bucket that was not used for longest when there are too many, and those that are full', async () => {
    const clock = new SimulatedClock()
    const rates = new MemoryRates(clock, 3)
    const rate = { perSecond: 1, burst: 1 }
    for (const name of ['a', 'b', 'c', 'a', 'd']) await rates.take(name, 1, rate)
    expect(rates.size).toBe(3)
    expect(await rates.take('a', 1, rate)).toBeGreaterThan(0)
    await clock.pass(1_000)
    rates.sweep()
    expect(rates.size).toBe(0)
  })
})
