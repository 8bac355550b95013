import { describe, expect, it } from 'vitest'
import { Backoff } from './backoff.js'
import { systemRandom } from './random.js'

const bounds = { minMs: 500, maxMs: 30_000 }
const always = (fraction: number): { fraction(): number; id(): string } => ({ fraction: () => fraction, id: () => '' })

describe('a back-off', () => {
  it('spreads each delay between the minimum and a ceiling that doubles up to the maximum', () => {
    const [low, high] = [new Backoff(bounds, always(0)), new Backoff(bounds, always(1))]
    const delays = Array.from({ length: 8 }, () => [low.next(), high.next()])
    expect(delays.map(([least]) => least)).toEqual(Array(8).fill(500))
    expect(delays.map(([, most]) => most)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it('stays within its bounds after any number of failures', () => {
    const backoff = new Backoff(bounds, systemRandom)
    for (let failures = 0; failures < 3000; failures += 1) {
      const delay = backoff.next()
      expect(delay).toBeGreaterThanOrEqual(500)
      expect(delay).toBeLessThanOrEqual(30_000)
    }
  })

  it('lets one attempt through at once, and starts over after a reset', () => {
    const backoff = new Backoff(bounds, always(0.5))
    expect([backoff.soon(), backoff.soon(), backoff.next()]).toEqual([0, 1250, 2250])
    backoff.reset()
    expect(backoff.soon()).toBe(0)
  })
})
