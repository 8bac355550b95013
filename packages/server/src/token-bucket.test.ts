import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.js'

/** Rounding of sums of fractions. */
const TOLERANCE = 1e-6

const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 10_000 }), burst: fc.integer({ min: 1, max: 10_000 }) })

/** A request for tokens, after the clock went on by so much: also back, also far. */
const asks = fc.array(
  fc.record({
    elapsedMs: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: -100_000, max: 100_000 })),
    cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 200 })),
  }),
  { minLength: 1, maxLength: 200 },
)

interface Given {
  readonly at: number
  /** By how much the clock has gone forward since the beginning, in all. */
  readonly forwardMs: number
  readonly tokens: number
}

function run(rate: { perSecond: number; burst: number }, requests: { elapsedMs: number; cost: number }[]): Given[] {
  let now = 1_700_000_000_000
  let forwardMs = 0
  const bucket = new TokenBucket()
  return requests.map(({ elapsedMs, cost }) => {
    now += elapsedMs
    forwardMs += Math.max(0, elapsedMs)
    return { at: now, forwardMs, tokens: bucket.take(cost, now, rate) === 0 ? cost : 0 }
  })
}

describe('a token bucket', () => {
  it('never gives more than its burst and its rate in any window, whatever the clock does', () => {
    fc.assert(
      fc.property(rates, asks, (rate, requests) => {
        const given = run(rate, requests)
        for (let first = 0; first < given.length; first += 1) {
          let sum = 0
          for (let last = first; last < given.length; last += 1) {
            sum += given[last]!.tokens
            const windowMs = given[last]!.forwardMs - given[first]!.forwardMs
            if (sum > rate.burst + (rate.perSecond * windowMs) / 1_000 + TOLERANCE) return false
          }
        }
        return true
      }),
      { numRuns: 2_000 },
    )
  })

  it('says exactly when there will be enough: not a millisecond before, and then indeed', () => {
    fc.assert(
      fc.property(rates, asks, fc.integer({ min: 1, max: 200 }), (rate, requests, cost) => {
        fc.pre(cost <= rate.burst)
        const now = 1_700_000_000_000
        const bucket = new TokenBucket()
        for (const { cost: taken } of requests) bucket.take(taken, now, rate)
        const waitMs = bucket.take(cost, now, rate)
        if (waitMs === 0) return true
        const isEarly = waitMs > 1 && bucket.take(cost, now + waitMs - 1, rate) === 0
        return !isEarly && bucket.take(cost, now + waitMs, rate) === 0
      }),
      { numRuns: 2_000 },
    )
  })

  it('begins full, and is full again when its time is over', () => {
    const rate = { perSecond: 10, burst: 20 }
    const bucket = new TokenBucket()
    for (let taken = 0; taken < 20; taken += 1) expect(bucket.take(1, 0, rate)).toBe(0)
    expect(bucket.take(1, 0, rate)).toBe(100)
    expect(bucket.isFull(1_999, rate)).toBe(false)
    expect(bucket.isFull(2_000, rate)).toBe(true)
    expect(bucket.take(20, 1_000_000, rate)).toBe(0)
    expect(bucket.take(1, 1_000_000, rate)).toBe(100)
  })

  it('never has what is more than it holds, and says so', () => {
    const rate = { perSecond: 10, burst: 20 }
    expect(new TokenBucket().take(21, 0, rate)).toBe(Infinity)
  })

  it('goes on at its rate after the clock was set back', () => {
    const rate = { perSecond: 10, burst: 1 }
    const bucket = new TokenBucket()
    expect(bucket.take(1, 3_600_000, rate)).toBe(0)
    expect(bucket.take(1, 0, rate)).toBe(100)
    expect(bucket.take(1, 100, rate)).toBe(0)
  })
})
