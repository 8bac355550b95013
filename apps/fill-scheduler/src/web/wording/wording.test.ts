import { describe, expect, it } from 'vitest'
import { durationWords, estimateWords } from './durations.js'
import { moment, planMoment } from './moments.js'
import { counted, difference, hours, noteWords, percent } from './numbers.js'

describe('words for planners', () => {
  it('round hours and percentages, and say nothing where there is nothing', () => {
    expect([hours(497.159), hours(20345.25, 2), hours(null), percent(71.04), percent(undefined)]).toEqual([
      '497.2 h',
      '20,345.25 h',
      '–',
      '71.0 %',
      '–',
    ])
    expect([noteWords('1200000 vials'), noteWords('500 vials'), noteWords('8h'), noteWords(null)]).toEqual([
      '1,200,000 vials',
      '500 vials',
      '8h',
      '',
    ])
    expect([counted(1, 'lot'), counted(1500, 'lot')]).toEqual(['1 lot', '1,500 lots'])
  })

  it('give differences their sign, and none to what is too small to be shown', () => {
    expect([difference(-32), difference(4.04), difference(-0.04), difference(-1234.5)]).toEqual([
      '−32.0',
      '+4.0',
      '±0',
      '−1,234.5',
    ])
  })

  it('tell a range where there is one', () => {
    expect(estimateWords({ seconds: 120, low: 62, high: 236 })).toBe('about 2 min, between 1 and 4')
    expect(estimateWords({ seconds: 7, low: 6.9, high: 7.2 })).toBe('about 7 s')
    expect(estimateWords({ seconds: 0.2, low: 0.1, high: 0.4 })).toBe('about 1 s')
    expect(estimateWords({ seconds: 5400, low: 3600, high: 9000 })).toBe('about 1.5 h, between 1 and 2.5')
  })

  it('tell durations in the units that one thinks in', () => {
    expect([0.4, 59.6, 200, 3600, 7500].map(durationWords)).toEqual(['0 s', '1 min', '3 min 20 s', '1 h', '2 h 5 min'])
  })

  it('tell moments of a plan in its zone', () => {
    expect(planMoment('2025-01-01T07:00:00Z', 'Europe/Berlin')).toBe('Wed 1 Jan 2025, 08:00')
    expect(moment('nonsense')).toBe('nonsense')
    expect(moment(undefined)).toBe('–')
  })
})
