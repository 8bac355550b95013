import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fewestBins } from './bin-count.js'

/** The least number of bins, by trying: each size into each bin that has room, or a new one. */
function leastBins(sizes: readonly number[], capacity: number): number {
  let least = sizes.length
  const place = (at: number, rooms: readonly number[]): void => {
    if (rooms.length >= least) return
    const size = sizes[at]
    if (size === undefined) {
      least = rooms.length
      return
    }
    for (const [bin, room] of rooms.entries()) if (size <= room) place(at + 1, rooms.with(bin, room - size))
    place(at + 1, [...rooms, capacity - size])
  }
  place(0, [])
  return least
}

describe('fewestBins', () => {
  it.each([
    { sizes: [], capacity: 10, bins: 0, why: 'nothing needs no bin' },
    { sizes: [0, 0], capacity: 10, bins: 1, why: 'what takes no room still is somewhere' },
    { sizes: [5, 5], capacity: 10, bins: 1, why: 'two halves share a bin' },
    { sizes: [10, 10, 10], capacity: 10, bins: 3, why: 'whole bins' },
    { sizes: [6, 6, 6, 6], capacity: 10, bins: 4, why: 'no two that are larger than a half' },
    { sizes: [4, 4, 4, 4], capacity: 10, bins: 2, why: 'two of four each' },
    { sizes: [7, 7, 4, 4, 4], capacity: 10, bins: 4, why: 'what is beside a large one is lost' },
  ])('says $bins: $why', ({ sizes, capacity, bins }) => {
    expect(fewestBins(sizes, capacity)).toBe(bins)
  })

  it('never says more than are needed', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 60, max: 130 }), (some, capacity) => {
        expect(fewestBins(some, capacity)).toBeLessThanOrEqual(leastBins(some, capacity))
      }),
      { numRuns: 2_000 },
    )
  })

  it('says as many as are needed in nine of ten cases where most things are large', () => {
    const sizes = fc.array(fc.integer({ min: 5, max: 120 }), { minLength: 8, maxLength: 9 })
    const cases = fc.sample(sizes, { seed: 1, numRuns: 200 })
    const right = cases.filter((some) => fewestBins(some, 124) === leastBins(some, 124))
    expect(right.length).toBeGreaterThan(180)
  })
})
