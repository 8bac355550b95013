import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Grant, excessOf } from '../../engine/conformance/token-windows.js'
import type { Rate, Rates } from '../../engine/engine.js'
import { MemoryRates } from '../../engine/memory/rates.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { SharedRate } from './shared-rate.js'

/** Nodes that share one engine; its answers take `latencyMs`. */
class Nodes {
  readonly clock = new SimulatedClock()
  readonly #rates = new MemoryRates(this.clock)
  readonly shares: SharedRate[]
  calls = 0
  problem: string | undefined

  constructor(rate: Rate, count: number, latencyMs = 0) {
    const take: Rates['take'] = async (...args) => {
      this.calls += 1
      if (this.problem !== undefined) throw new Error(this.problem)
      const answer = await this.#rates.take(...args)
      if (latencyMs > 0) await new Promise<void>((resolve) => void this.clock.after(latencyMs, resolve))
      return answer
    }
    const parts = {
      clock: this.clock,
      engine: { rates: { take }, problem: () => this.problem },
      nodes: () => count,
    }
    this.shares = Array.from({ length: count }, () => new SharedRate(parts, rate))
  }
}

const anyLoad = fc.record({
  rate: fc.record({ perSecond: fc.integer({ min: 1, max: 2_000 }), burst: fc.integer({ min: 1, max: 300 }) }),
  latencyMs: fc.constantFrom(0, 5),
  asks: fc.array(
    fc.record({
      afterMs: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(1_500)),
      node: fc.nat(2),
      cost: fc.integer({ min: 1, max: 12 }),
    }),
    { minLength: 1, maxLength: 150 },
  ),
})

describe('a rate that nodes share', () => {
  it('gives in no window more than the bucket holds and gets in a window that is a second longer', async () => {
    await fc.assert(
      fc.asyncProperty(anyLoad, async ({ rate, latencyMs, asks }) => {
        const { clock, shares } = new Nodes(rate, 3, latencyMs)
        const grants: Grant[] = []
        for (const { afterMs, node, cost } of asks) {
          await clock.pass(afterMs)
          const now = clock.now()
          const note = (waitMs: number): void =>
            void (waitMs === 0 && grants.push({ fromMs: now, toMs: clock.now(), cost }))
          const answer = shares[node]?.take('t', cost)
          if (answer instanceof Promise) void answer.then(note)
          else note(answer ?? Infinity)
        }
        await clock.pass(1_000)
        const spare = (rate.perSecond * (1_000 + latencyMs)) / 1_000
        expect(
          excessOf(
            grants.toSorted((one, other) => one.fromMs - other.fromMs),
            rate,
          ),
        ).toBeLessThan(spare + 1e-6)
      }),
      { numRuns: 200 },
    )
  })

  it('gives what is there to those who ask in one moment, and tells the others when to come again', async () => {
    const { clock, shares } = new Nodes({ perSecond: 10, burst: 20 }, 2, 2)
    const answers = Promise.all(Array.from({ length: 50 }, async (_, n) => shares[n % 2]?.take('t') ?? Infinity))
    await clock.pass(100, 1)
    const waits = await answers
    expect(waits.filter((ms) => ms === 0)).toHaveLength(20)
    for (const ms of waits) expect(ms).toBeLessThanOrEqual(2_500)
  })

  it('asks the engine seldom for what it allows, and not at all for what it refused', async () => {
    const nodes = new Nodes({ perSecond: 1_000, burst: 1_000 }, 1)
    let given = 0
    for (let ms = 0; ms < 10_000; ms += 1) {
      if ((await nodes.shares[0]?.take('t')) === 0) given += 1
      await nodes.clock.pass(1)
    }
    expect(given).toBeGreaterThan(9_900)
    expect(nodes.calls).toBeLessThan(given / 20)
    for (let n = 0; n < 5_000; n += 1) await nodes.shares[0]?.take('t')
    const before = nodes.calls
    for (let n = 0; n < 1_000; n += 1) expect(await nodes.shares[0]?.take('t')).toBeGreaterThan(0)
    expect(nodes.calls - before).toBeLessThan(5)
  })

  it('leaves a node that uses little enough to the others', async () => {
    const nodes = new Nodes({ perSecond: 100, burst: 100 }, 2)
    let given = 0
    for (let ms = 0; ms < 10_000; ms += 1) {
      if (ms % 1_000 === 0) expect(await nodes.shares[1]?.take('t')).toBeGreaterThanOrEqual(0)
      if ((await nodes.shares[0]?.take('t')) === 0) given += 1
      await nodes.clock.pass(1)
    }
    expect(given).toBeGreaterThan(1_030)
    expect(given).toBeLessThanOrEqual(1_100)
  })

  it('gives large parts, in bytes, without borrowing one by one', async () => {
    const nodes = new Nodes({ perSecond: 1_000_000, burst: 1_000_000 }, 1)
    for (let n = 0; n < 1_000; n += 1) {
      expect(await nodes.shares[0]?.take('t', 500)).toBe(0)
      await nodes.clock.pass(1)
    }
    expect(nodes.calls).toBeLessThan(60)
    expect(nodes.shares[0]?.take('t', 1_000_001)).toBe(Infinity)
  })

  it('gives its share while the engine is away, and whoever waits for the engine then too', async () => {
    const nodes = new Nodes({ perSecond: 40, burst: 40 }, 4, 5)
    const [share] = nodes.shares
    const first = share?.take('t')
    await nodes.clock.pass(10)
    expect(await first).toBe(0)
    nodes.problem = 'gone'
    let given = 0
    for (let ms = 0; ms < 10_000; ms += 10) {
      if ((await share?.take('t')) === 0) given += 1
      await nodes.clock.pass(10)
    }
    expect(given).toBeGreaterThan(100)
    expect(given).toBeLessThanOrEqual(110)
    expect(share?.take('t', 35)).toBeGreaterThan(0)
  })

  it('refuses nobody for longer because the clock was set back', async () => {
    const { clock, shares } = new Nodes({ perSecond: 10, burst: 10 }, 2)
    const [share] = shares
    expect(await share?.take('t', 10)).toBe(0)
    expect(await share?.take('t')).toBe(100)
    clock.advance(-3_600_000)
    expect(await share?.take('t')).toBe(100)
    await clock.pass(100)
    expect(await share?.take('t')).toBe(0)
  })

  it('knows each name for itself, and forgets what is as good as new', async () => {
    const nodes = new Nodes({ perSecond: 10, burst: 10 }, 1)
    const [share] = nodes.shares
    for (const name of ['a', 'b']) expect(await share?.take(name, 10)).toBe(0)
    expect(await share?.take('c', 11)).toBe(Infinity)
    expect(share?.size).toBe(2)
    await nodes.clock.pass(10_000)
    expect(share?.size).toBe(0)
  })
})
