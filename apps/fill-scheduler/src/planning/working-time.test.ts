import { describe, expect, it } from 'vitest'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import { finishHours, workHoursIn } from './working-time.js'

/** Works from hour 0 to 10, 14 to 24, … */
const SHIFTS = shiftCalendar(10, 4)

describe('finishHours', () => {
  it('adds up what lines do side by side, from when each is free', () => {
    expect(finishHours(12, [0], undefined, 1)).toBe(12)
    expect(finishHours(12, [0, 0, 0], undefined, 1)).toBe(4)
    expect(finishHours(12, [0, 6], undefined, 1)).toBe(9)
    expect(finishHours(4, [0, 6], undefined, 1)).toBe(4)
  })

  it('leaves out rests, and is never late', () => {
    expect(finishHours(10, [0], SHIFTS, 1)).toBeCloseTo(10, 5)
    expect(finishHours(15, [0], SHIFTS, 1)).toBeCloseTo(19, 5)
    expect(finishHours(15, [0], SHIFTS, 1)).toBeLessThanOrEqual(19)
    expect(finishHours(15, [8], SHIFTS, 1)).toBeCloseTo(31, 5)
    expect(finishHours(25, [0, 20], SHIFTS, 1)).toBeCloseTo(28.5, 5)
  })

  it('takes what is shorter than any activity for a rest', () => {
    expect(finishHours(12, [0], shiftCalendar(10, 4), 10)).toBeCloseTo(16, 5)
    expect(finishHours(1, [8], SHIFTS, 5)).toBeCloseTo(15, 5)
  })
})

describe('workHoursIn', () => {
  it('finds the stretch with the fewest rests', () => {
    expect(workHoursIn(10, 0, 100, SHIFTS, 1)).toBeCloseTo(10, 4)
    expect(workHoursIn(12, 0, 100, SHIFTS, 1)).toBeCloseTo(10, 4)
    expect(workHoursIn(24, 0, 100, SHIFTS, 1)).toBeCloseTo(20, 4)
    expect(workHoursIn(28, 0, 100, SHIFTS, 1)).toBeCloseTo(20, 4)
  })
})
