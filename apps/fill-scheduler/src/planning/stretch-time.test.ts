import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import { StretchTime, type Worth } from './stretch-time.js'

/** Works 16 h of each day. */
const DAYS = { calendar: shiftCalendar(16, 8), shortestHours: 1, horizonHours: 1_000 }

describe('stretches of working time', () => {
  it('hold one thing of more than half of their length', () => {
    expect(finish([9, 9, 9, 9, 9], 0)).toBeGreaterThan(4 * 24 + 7)
    expect(finish([9, 9, 9, 9, 9], 0)).toBeLessThanOrEqual(4 * 24 + 9)
  })

  it('hold fewer things where time has to pass between them', () => {
    expect(finish([7, 7, 7, 7], 0)).toBeLessThanOrEqual(24 + 14)
    expect(finish([7, 7, 7, 7], 4)).toBeGreaterThan(3 * 24)
    expect(finish([7, 7, 7, 7], 4)).toBeLessThanOrEqual(3 * 24 + 7)
  })

  it('are shared by lines, from when each is free', () => {
    const lines = new StretchTime([0, 24], DAYS)
    const hours = lines.finishHours([9, 9, 9], 0, sumOf([9, 9, 9]))
    expect(hours).toBeGreaterThan(24)
    expect(hours).toBeLessThanOrEqual(24 + 9)
  })

  it('are never too short for what was put into them', () => {
    const days = fc.array(fc.array(fc.double({ min: 0.5, max: 16, noNaN: true }), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(days, fc.constantFrom(0, 0.5, 2), (wanted, gap) => {
        const kept = wanted.map((day) => withinDay(day, gap))
        const all = kept.flat()
        const last = kept.at(-1) ?? []
        const end = (kept.length - 1) * 24 + last.reduce((sum, hours) => sum + hours, 0) + gap * (last.length - 1)
        expect(finish(all, gap)).toBeLessThanOrEqual(end + 1e-6)
      }),
      { numRuns: 60 },
    )
  })
})

function finish(sizes: readonly number[], gapHours: number): number {
  const longer = sizes.map((hours) => hours + gapHours)
  return new StretchTime([0], DAYS).finishHours(longer, gapHours, sumOf(longer))
}

function sumOf(lengths: readonly number[]): (worth: Worth) => number {
  return (worth) => lengths.reduce((sum, hours) => sum + worth(hours), 0)
}

/** The first that fit into one day; at least one. */
function withinDay(sizes: readonly number[], gap: number): readonly number[] {
  let left = 16 + gap
  return sizes.filter((hours, at) => {
    if (at > 0 && hours + gap > left) return false
    left -= hours + gap
    return true
  })
}
