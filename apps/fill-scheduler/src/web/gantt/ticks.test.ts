import { describe, expect, it } from 'vitest'
import { ticksOf } from './ticks.js'

const BERLIN = 'Europe/Berlin'
const start = Date.parse('2025-01-01T08:00:00+01:00')
const labels = (hours: number, widthPx = 1000, from = 0): string[] =>
  ticksOf({ fromHours: from, toHours: from + hours }, widthPx, start, BERLIN).map(({ label }) => label)

describe('the time axis', () => {
  it('stands at full hours near by, and names each day', () => {
    expect(labels(24).slice(0, 3)).toEqual(['08:00', '10:00', '12:00'])
    expect(labels(24)).toContain('Thu 2 Jan')
  })

  it('stands at midnights, then Mondays, then months as one goes away', () => {
    expect(labels(240).slice(0, 2)).toEqual(['2 Jan', '3 Jan'])
    expect(labels(1400).slice(0, 2)).toEqual(['6 Jan', '13 Jan'])
    expect(labels(24 * 365).slice(0, 3)).toEqual(['Feb 2025', 'Mar 2025', 'Apr 2025'])
    expect(labels(24 * 365 * 5)).toContain('Jan 2026')
  })

  it('stays at midnight where clocks change', () => {
    const april = 24 * 85
    const ticks = ticksOf({ fromHours: april, toHours: april + 240 }, 1000, start, BERLIN)
    const midnights = ticks.map(({ hours }) => new Date(start + hours * 3_600_000).toISOString().slice(5, 16))
    expect(midnights).toContain('03-29T23:00')
    expect(midnights).toContain('03-30T22:00')
  })

  it('leaves room for its labels, however far away', () => {
    for (const hours of [2, 10, 40, 130, 600, 2_500, 9_000, 40_000, 200_000])
      for (const widthPx of [330, 1_300]) expect(labels(hours, widthPx).length).toBeLessThanOrEqual(widthPx / 55 + 2)
  })
})
