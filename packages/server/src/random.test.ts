import { describe, expect, it } from 'vitest'
import { systemRandom } from './random.js'

describe('the randomness of the machine', () => {
  it.each([1, 6, 9, 16, 4_096, 10_000])('makes names of %d bytes', (bytes) => {
    const id = systemRandom.id(bytes)
    expect(id).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(Buffer.from(id, 'base64url')).toHaveLength(bytes)
  })

  it('makes no name twice', () => {
    const ids = Array.from({ length: 10_000 }, () => systemRandom.id(9))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('makes fractions from 0 up to but not including 1, evenly', () => {
    const fractions = Array.from({ length: 10_000 }, () => systemRandom.fraction())
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...fractions)).toBeLessThan(1)
    // Seven standard deviations of the mean of so many.
    expect(Math.abs(fractions.reduce((sum, one) => sum + one, 0) / fractions.length - 0.5)).toBeLessThan(0.02)
  })
})
