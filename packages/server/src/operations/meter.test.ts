import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MeterState, type Pace, etaOf, observe, paceOf, startMeter } from './meter.js'

/** One meter over its states. */
class Meter {
  #state: MeterState

  constructor(at: number, value?: number) {
    this.#state = startMeter(at, value)
  }

  observe(at: number, value: number): void {
    // What any node may go on with is what it can write down.
    this.#state = JSON.parse(JSON.stringify(observe(this.#state, at, value))) as MeterState
  }

  pace(at: number): Pace | undefined {
    return paceOf(this.#state, at)
  }
}

/** Feeds reports every `everyMs` at `perSecond(second)` units for `seconds`; answers the value reached. */
function run(meter: Meter, fromMs: number, seconds: number, everyMs: number, perSecond: (s: number) => number): number {
  let value = 0
  for (let ms = everyMs; ms <= seconds * 1_000; ms += everyMs) {
    value += (perSecond(ms / 1_000) * everyMs) / 1_000
    meter.observe(fromMs + ms, value)
  }
  return value
}

describe('a meter', () => {
  it('knows a steady rate from the first second on', () => {
    const meter = new Meter(0)
    run(meter, 0, 1, 100, () => 50)
    expect(meter.pace(1_000)?.rate).toBeCloseTo(50, 5)
    expect(meter.pace(1_000)?.spread).toBeCloseTo(0, 5)
  })

  it('says nothing before there is evidence', () => {
    const meter = new Meter(0)
    expect(meter.pace(60_000)).toBeUndefined()
    meter.observe(500, 5)
    meter.observe(1_000, 10)
    expect(meter.pace(1_000)).toBeUndefined()
    meter.observe(1_500, 15)
    expect(meter.pace(1_500)?.rate).toBeCloseTo(10, 5)
  })

  it('says nothing within the first second, however many reports came', () => {
    const meter = new Meter(0)
    run(meter, 0, 0.9, 100, () => 50)
    expect(meter.pace(999)).toBeUndefined()
    expect(meter.pace(1_000)).toBeDefined()
  })

  it('takes reports in quick succession for one', () => {
    const [often, seldom] = [new Meter(0), new Meter(0)]
    run(often, 0, 10, 1, () => 50)
    run(seldom, 0, 10, 100, () => 50)
    expect(often.pace(10_000)?.rate).toBeCloseTo(seldom.pace(10_000)?.rate ?? 0, 3)
  })

  it('is not led astray by noise', () => {
    const meter = new Meter(0)
    run(meter, 0, 60, 200, (s) => (Math.round(s * 5) % 2 === 0 ? 20 : 80))
    expect(meter.pace(60_000)?.rate).toBeGreaterThan(40)
    expect(meter.pace(60_000)?.rate).toBeLessThan(60)
  })

  it('shows a stall within seconds', () => {
    const meter = new Meter(0)
    const value = run(meter, 0, 60, 200, () => 50)
    for (let ms = 60_200; ms <= 65_000; ms += 200) meter.observe(ms, value)
    expect(meter.pace(65_000)?.rate).toBeLessThan(30)
  })

  it('follows a change of speed', () => {
    const meter = new Meter(0)
    run(meter, 0, 120, 200, (s) => (s < 60 ? 10 : 100))
    expect(meter.pace(120_000)?.rate).toBeGreaterThan(90)
  })

  it('takes a value that falls for a standstill', () => {
    const meter = new Meter(0)
    run(meter, 0, 5, 200, () => 50)
    meter.observe(6_000, 0)
    expect(meter.pace(6_000)?.rate).toBeGreaterThanOrEqual(0)
  })

  it('takes it for a stall when nothing is heard for longer than usual', () => {
    const meter = new Meter(0)
    run(meter, 0, 60, 1_000, () => 50)
    expect(meter.pace(62_000)?.rate).toBeCloseTo(50, 5)
    expect(meter.pace(68_000)?.rate).toBeLessThan(25)
    expect(meter.pace(600_000)?.rate).toBeLessThan(1e-9)
  })

  it('knows a steady fall from ups and downs', () => {
    const [falling, changing] = [new Meter(0), new Meter(0)]
    run(falling, 0, 60, 200, (s) => 100 * Math.exp(-s / 30))
    run(changing, 0, 60, 200, (s) => (Math.floor(s / 5) % 2 === 0 ? 20 : 80))
    expect(falling.pace(60_000)?.fall).toBeGreaterThan(0.9)
    expect(changing.pace(60_000)?.fall).toBeLessThan(0.3)
  })

  it('knows work in lumps from work that goes evenly, however long it takes', () => {
    const wander = (perSecond: (s: number) => number, slower: number): number => {
      const meter = new Meter(0)
      run(meter, 0, 60 * slower, 200 * slower, (s) => perSecond(s / slower))
      return meter.pace(60_000 * slower)?.wander ?? NaN
    }
    const lumps = (s: number): number => (s % 20 < 15 ? 1 : 200)
    expect(wander(() => 50, 1)).toBeCloseTo(0, 5)
    expect(wander(lumps, 1)).toBeGreaterThan(0.5)
    expect(wander(lumps, 60)).toBeGreaterThan(0.5)
  })

  it('forgets that it began unevenly', () => {
    const meter = new Meter(0)
    run(meter, 0, 600, 200, (s) => (s < 5 ? 1 : 50))
    const late = meter.pace(600_000)?.wander ?? NaN
    const early = new Meter(0)
    run(early, 0, 20, 200, (s) => (s < 5 ? 1 : 50))
    expect(early.pace(20_000)?.wander).toBeGreaterThan(4 * late)
  })

  it('counts from where it starts', () => {
    const meter = new Meter(0, 1_000)
    for (let s = 1; s <= 5; s += 1) meter.observe(s * 1_000, 1_000 + s)
    expect(meter.pace(5_000)?.rate).toBeCloseTo(1, 5)
  })
})

describe('the time to go', () => {
  it('is longer than the rate says where work slows down steadily', () => {
    const pace: Pace = { rate: 10, spread: 1, seen: 100, apart: 2 }
    const [falling, changing] = [etaOf(1_000, { ...pace, fall: 1 }), etaOf(1_000, { ...pace, fall: 0 })]
    expect(falling?.seconds).toBeCloseTo(100 * 2 ** 0.2, 0)
    expect(changing?.seconds).toBeLessThan(100)
  })

  it('is surer the more was seen, and the less it reaches beyond that', () => {
    const width = (remaining: number, seen: number): number => {
      const { low, high } = etaOf(remaining, { rate: 10, spread: 2, seen }) ?? { low: 1, high: Infinity }
      return high / low
    }
    expect(width(1_000, 100)).toBeLessThan(width(1_000, 10))
    expect(width(1_000, 30)).toBeLessThan(width(10_000, 30))
  })

  it('may be over the sooner the more the average wandered, and no steady work is told to take much longer', () => {
    const eta = (wander: number): { low: number; high: number } =>
      etaOf(1_000, { rate: 10, spread: 0, seen: 100, wander }) ?? { low: 0, high: 0 }
    expect(eta(1).low).toBeLessThan(eta(0.1).low / 2)
    expect(eta(0.02).high).toBeLessThan(130)
    expect(eta(0.3).high).toBeGreaterThan(200)
  })

  it('is unknown at a standstill', () => expect(etaOf(10, { rate: 0, spread: 0 })).toBeUndefined())

  it('is unknown where a worker says for minutes that nothing has changed', () => {
    const meter = new Meter(0)
    const value = run(meter, 0, 60, 200, () => 1)
    for (let ms = 61_000; ms <= 900_000; ms += 1_000) meter.observe(ms, value)
    const pace = meter.pace(900_000)
    expect(pace?.rate).toBeGreaterThan(0)
    expect(pace && etaOf(100, pace)).toBeUndefined()
  })

  it('is nothing when nothing remains', () =>
    expect(etaOf(0, { rate: 5, spread: 1 })).toEqual({ seconds: 0, low: 0, high: 0 }))

  it('lies within its range, which never reaches beyond five times the estimate', () => {
    const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(positive, positive, fc.double({ min: 0, max: 1e6, noNaN: true }), (remaining, rate, spread) => {
        const eta = etaOf(remaining, { rate, spread })
        expect(eta?.low).toBeLessThanOrEqual(eta?.seconds ?? -1)
        expect(eta?.high).toBeGreaterThanOrEqual(eta?.seconds ?? Infinity)
        expect(eta?.high).toBeLessThanOrEqual((remaining / rate) * 5 + 0.1)
      }),
    )
  })

  it('holds the truth in its range on a steady run, at every moment', () => {
    const rate = fc.integer({ min: 1, max: 500 })
    fc.assert(
      fc.property(rate, fc.integer({ min: 100, max: 1_000 }), (perSecond, everyMs) => {
        const meter = new Meter(0)
        const seconds = 60
        const total = perSecond * seconds
        for (let ms = everyMs; ms < seconds * 1_000; ms += everyMs) {
          const value = (perSecond * ms) / 1_000
          meter.observe(ms, value)
          const pace = meter.pace(ms)
          const eta = pace && etaOf(total - value, pace)
          if (eta === undefined) continue
          const truth = seconds - ms / 1_000
          // Rounded to a tenth of a second.
          expect(eta.low).toBeLessThanOrEqual(truth + 0.1)
          expect(eta.high).toBeGreaterThanOrEqual(truth - 0.1)
        }
      }),
      { numRuns: 50 },
    )
  })
})
