import { describe, expect, it } from 'vitest'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import type { IdleLine } from './beginning.js'
import type { Rests } from './open-time.js'
import { WindowTime } from './window-time.js'

/** Works 134 h of each week. */
const WEEKS: Rests = { calendar: shiftCalendar(134, 34), shortestHours: 1, horizonHours: 2_000 }
const RULES = { cleanHours: 24, windowHours: 120 }
const IDLE: IdleLine = { freeHours: 0, closesHours: undefined }

describe('working time in windows', () => {
  it('is no more than a rest and the cleaning leave', () => {
    expect(new WindowTime([IDLE], RULES, WEEKS).widestHours).toBeCloseTo(110, 6)
    expect(new WindowTime([IDLE], { ...RULES, windowHours: 80 }, WEEKS).widestHours).toBeCloseTo(80, 6)
    const open = { freeHours: 0, closesHours: 115 }
    expect(new WindowTime([open], RULES, WEEKS).widestHours).toBeCloseTo(115, 6)
  })

  it('is found where cleanings are laid best, a little too early at most', () => {
    const windows = new WindowTime([IDLE], RULES, WEEKS)
    expectSoon(windows.finishHours(110, 0), 134)
    expectSoon(windows.finishHours(220, 0), 168 + 134)
    // Nothing but cleanings is the fastest way to credits that are longer than a cleaning.
    expectSoon(windows.finishHours(160, 40), 96)
  })

  it('begins where lines are free, in the block that is open', () => {
    const late = { freeHours: 100, closesHours: undefined }
    expectSoon(new WindowTime([late], RULES, WEEKS).finishHours(10, 0), 134)
    const open = { freeHours: 100, closesHours: 110 }
    expectSoon(new WindowTime([open], RULES, WEEKS).finishHours(10, 0), 110)
    expectSoon(new WindowTime([open, open], RULES, WEEKS).finishHours(16, 0), 108)
  })

  it('says nothing of cleanings that are shorter than a step, and no more than the horizon', () => {
    expect(new WindowTime([IDLE], { ...RULES, cleanHours: 0.01 }, WEEKS).finishHours(500, 0)).toBe(0)
    expect(new WindowTime([IDLE], RULES, WEEKS).finishHours(1e6, 0)).toBeLessThanOrEqual(2_000)
  })
})

/** Not later, and not much earlier. */
function expectSoon(hours: number, expected: number): void {
  expect(hours).toBeLessThanOrEqual(expected)
  expect(hours).toBeGreaterThan(expected - 0.2)
}
