import { describe, expect, it } from 'vitest'
import { nextMorning, withoutPastStart } from './next-morning.js'

/** A Friday, one hour before midnight in Berlin. */
const NOW = Date.parse('2026-11-20T22:00:00Z')
const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const

const startWith = (settings: Parameters<typeof nextMorning>[0], home = 'Europe/Berlin'): string => {
  const { start, timeZone } = nextMorning(settings, NOW, home)
  return `${start} ${timeZone}`
}

describe('the next morning', () => {
  it('is that of the next weekday, in the zone of the settings, or at home', () => {
    expect(startWith({})).toBe('2026-11-23 08:00 Europe/Berlin')
    expect(startWith({ timeZone: 'Nowhere' })).toBe('2026-11-23 08:00 Europe/Berlin')
    expect(startWith({ timeZone: 'Pacific/Kiritimati' })).toBe('2026-11-23 08:00 Pacific/Kiritimati')
    const startAt = (now: string, home = 'UTC'): string => nextMorning({}, Date.parse(now), home).start
    expect(startAt('2026-12-31T12:00:00Z')).toBe('2027-01-01 08:00')
    expect(startAt('2026-11-18T12:00:00Z')).toBe('2026-11-19 08:00')
    expect(startAt('2026-11-18T22:00:00Z', 'Asia/Tokyo')).toBe('2026-11-20 08:00')
    expect(startAt('2026-11-21T12:00:00Z')).toBe('2026-11-23 08:00')
    expect(startAt('2026-11-22T12:00:00Z')).toBe('2026-11-23 08:00')
    expect(startAt('2026-11-22T22:00:00Z', 'Asia/Tokyo')).toBe('2026-11-24 08:00')
  })

  it('is one at which somebody works', () => {
    const week = { days: [...WORKDAYS], from: '00:00', to: '24:00' }
    expect(startWith({ calendar: { shifts: [week], holidays: [] } })).toBe('2026-11-23 08:00 Europe/Berlin')
    const holidays = ['2026-11-23', '2026-11-24']
    expect(startWith({ calendar: { shifts: [week], holidays } })).toBe('2026-11-25 08:00 Europe/Berlin')
    const late = { days: [...WORKDAYS], from: '14:00', to: '22:00' }
    const early = { days: [...WORKDAYS], from: '10:00', to: '14:00' }
    expect(startWith({ calendar: { shifts: [late, early], holidays: [] } })).toBe('2026-11-23 10:00 Europe/Berlin')
    const night = { days: [...WORKDAYS], from: '22:00', to: '06:00' }
    expect(startWith({ calendar: { shifts: [night], holidays: [] } })).toBe('2026-11-23 22:00 Europe/Berlin')
    expect(startWith({ calendar: { shifts: [], holidays: [] } })).toBe('2026-11-21 08:00 Europe/Berlin')
  })
})

describe('settings that are loaded', () => {
  it('keep a start that is to come, and no other', () => {
    const kept = (start: string): unknown => withoutPastStart({ start, lines: 2 }, NOW, 'Europe/Berlin')
    expect(kept('2026-11-20 22:59')).toEqual({ lines: 2 })
    expect(kept('2026-11-20 23:00')).toEqual({ lines: 2, start: '2026-11-20 23:00' })
    expect(withoutPastStart({ lines: 2 }, NOW, 'UTC')).toEqual({ lines: 2 })
  })
})
