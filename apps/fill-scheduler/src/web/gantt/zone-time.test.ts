import { describe, expect, it } from 'vitest'
import { fieldMoment, fieldText, localTime, momentOf } from './zone-time.js'

const BERLIN = 'Europe/Berlin'
const at = (text: string): number => Date.parse(text)

describe('the time of a zone', () => {
  it('is told and found again, in summer and winter', () => {
    expect(localTime(at('2025-07-01T06:30:00Z'), BERLIN)).toEqual({ year: 2025, month: 7, day: 1, hour: 8, minute: 30 })
    for (const text of [
      '2025-01-01T08:00',
      '2025-07-01T00:00',
      '2025-03-30T03:00',
      '2025-10-26T03:00',
      '2025-12-31T23:59',
    ])
      expect(fieldText(fieldMoment(text, BERLIN) ?? 0, BERLIN)).toBe(text)
  })

  it('is later by as much as is skipped, where the clocks skip it', () => {
    expect(fieldMoment('2025-03-30T02:30', BERLIN)).toBe(at('2025-03-30T01:30:00Z'))
  })

  it('counts on beyond the last day of a month', () => {
    expect(momentOf({ year: 2025, month: 1, day: 32, hour: 0, minute: 0 }, 'UTC')).toBe(at('2025-02-01T00:00:00Z'))
  })

  it('is none in what names none', () => {
    expect(['', '2025-01-01', 'tomorrow'].map((text) => fieldMoment(text, BERLIN))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
