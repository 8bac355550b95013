import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDone,
  formatDuration,
  formatEta,
  formatPercent,
  formatRate,
} from './quantity.js'

describe('quantities', () => {
  it('separates thousands', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
  })

  it('prints bytes in the unit that reads best, and never 1000 of one', () => {
    expect([0, 999, 1000, 1249, 9960, 999_499, 999_500, 34_000_000].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.2 kB',
      '10 kB',
      '999 kB',
      '1.0 MB',
      '34 MB',
    ])
  })

  it('prints durations from tenths of a second to days', () => {
    expect([0, 0.44, 1, 59.6, 185, 7620, 356_400].map(formatDuration)).toEqual([
      '0.0 s',
      '0.4 s',
      '1 s',
      '1 m 00 s',
      '3 m 05 s',
      '2 h 07 m',
      '4 d 03 h',
    ])
  })

  it('gives the range of an estimate only where it says more', () => {
    expect(formatEta({ seconds: 12, low: 9, high: 16 })).toBe('12 s (9–16 s)')
    expect(formatEta({ seconds: 12, low: 12, high: 12 })).toBe('12 s')
    expect(formatEta({ seconds: 80, low: 50, high: 110 })).toBe('1 m 20 s (50 s–1 m 50 s)')
  })

  it('keeps 100% for the end', () => {
    expect([0, 42.9, 99.99, 100].map(formatPercent)).toEqual(['0%', '42%', '99%', '100%'])
  })

  it('names the unit of rates and counts', () => {
    expect(formatRate(512.3, 'files')).toBe('512 files/s')
    expect(formatRate(0.42)).toBe('0.4/s')
    expect(formatDone(12, 3400, 'files')).toBe('12/3,400 files')
    expect(formatDone(12, undefined, 'files')).toBe('12 files')
  })
})
