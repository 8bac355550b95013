import { describe, expect, it } from 'vitest'
import { barsOf, firstIn } from './bars.js'

const spans = (lengths: readonly number[]): { start_hours: number; end_hours: number }[] => {
  let at = 0
  return lengths.map((length) => ({ start_hours: at, end_hours: (at += length) }))
}

describe('bars', () => {
  it('stand where their time is', () => {
    const bars = barsOf(spans([24, 8, 68]), { fromHours: 0, toHours: 100 }, 1000)
    expect(bars.map(({ x, width, count }) => [x, width, count])).toEqual([
      [0, 240, 1],
      [240, 80, 1],
      [320, 680, 1],
    ])
  })

  it('are drawn only where they are in view, and not far beyond it', () => {
    const bars = barsOf(spans(Array.from({ length: 100 }, () => 10)), { fromHours: 505, toHours: 525 }, 1000)
    expect(bars.map(({ of }) => of.start_hours)).toEqual([500, 510, 520])
    expect(barsOf(spans([1_000_000]), { fromHours: 500, toHours: 501 }, 1000)).toMatchObject([{ x: -50, width: 1100 }])
  })

  it('become one where each would be too narrow, so that there are hardly more of them than pixels', () => {
    const many = spans(Array.from({ length: 50_000 }, (_, n) => (n % 7) + 1))
    const whole = { fromHours: 0, toHours: many.at(-1)?.end_hours ?? 0 }
    const bars = barsOf(many, whole, 800)
    expect(bars.length).toBeLessThan(1_100)
    expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(50_000)
    expect(bars.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(800, 3)
  })

  it('bear what is longest of those that they stand for', () => {
    const [bar] = barsOf(spans([1, 3, 2]), { fromHours: 0, toHours: 10_000 }, 100)
    expect(bar).toMatchObject({ count: 3, of: { start_hours: 1, end_hours: 4 } })
  })

  it('are found by the hour', () => {
    const all = spans([10, 10, 10])
    expect([0, 9.99, 10, 25, 30].map((hour) => firstIn(all, hour))).toEqual([0, 0, 1, 2, 3])
  })
})
