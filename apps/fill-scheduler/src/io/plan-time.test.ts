import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, it } from 'vitest'
import { type PlanTime, planTime } from './plan-time.js'

const timeAt = (start: string, timeZone = 'UTC', dateTimeFormat = '%Y-%m-%d %H:%M'): PlanTime =>
  planTime({ start, timeZone, report: { dateTimeFormat } })

describe('hours of a plan', () => {
  it('are instants, with the offset of the zone', () => {
    const time = timeAt('2025-01-01 08:00', 'Europe/Berlin')
    expect(time.start.toISOString()).toBe('2025-01-01T07:00:00.000Z')
    expect(time.iso(0)).toBe('2025-01-01T08:00:00+01:00')
    expect(time.iso(100_000 / 19_920)).toBe('2025-01-01T13:01:12.289+01:00')
    expect(timeAt('2025-01-01 08:00').iso(24)).toBe('2025-01-02T08:00:00+00:00')
    expect(timeAt('2025-01-01 08:00', 'Asia/Kolkata').iso(-1)).toBe('2025-01-01T07:00:00+05:30')
  })

  it('are local text in the format of the settings, cut off and not rounded', () => {
    const format = '%d.%m.%Y %H:%M:%S 100%% %q'
    expect(timeAt('2025-01-01 08:00', 'UTC', format).text(25.9999)).toBe('02.01.2025 09:59:59 100% %q')
    expect(timeAt('2025-01-01 08:00').text(3.3)).toBe('2025-01-01 11:18')
  })

  it('are what the calendar has, in any zone and year', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Africa/Casablanca', 'Africa/Monrovia')
    const instant = fc.integer({ min: Date.UTC(1850, 0), max: Date.UTC(2150, 0) })
    fc.assert(
      fc.property(zone, fc.array(instant, { minLength: 1, maxLength: 30 }), (timeZone, instants) => {
        const time = timeAt('1970-01-01 00:00', timeZone)
        for (const ms of instants) {
          const expected = DateTime.fromMillis(ms, { zone: timeZone }).toISO({ suppressMilliseconds: true })
          expect(time.iso(time.hoursOf(new Date(ms)))).toBe(expected?.replace('Z', '+00:00'))
        }
      }),
    )
  })

  it('pass while clocks are set', () => {
    const spring = timeAt('2025-03-29 12:00', 'Europe/Berlin')
    expect([spring.iso(13), spring.iso(14)]).toEqual(['2025-03-30T01:00:00+01:00', '2025-03-30T03:00:00+02:00'])
    const autumn = timeAt('2025-10-25 12:00', 'Europe/Berlin')
    expect([autumn.iso(14), autumn.iso(15)]).toEqual(['2025-10-26T02:00:00+02:00', '2025-10-26T02:00:00+01:00'])
  })
})

describe('a local time', () => {
  it.each([
    ['that does not exist is as much later as was left out', '2025-03-30 02:30', '2025-03-30T03:30:00+02:00'],
    ['that exists twice is the first of the two', '2025-10-26 02:30', '2025-10-26T02:30:00+02:00'],
    ['before the gap is itself', '2025-03-30 01:59', '2025-03-30T01:59:00+01:00'],
    ['behind the double hour is itself', '2025-10-26 03:00', '2025-10-26T03:00:00+01:00'],
  ])('%s', (_, text, iso) => {
    expect(timeAt(text, 'Europe/Berlin').iso(0)).toBe(iso)
    const time = timeAt('2025-01-01 00:00', 'Europe/Berlin')
    expect(time.iso(time.parse(text) ?? 0)).toBe(iso)
  })

  it('is right also where a whole day is left out', () => {
    expect(timeAt('2011-12-30 12:00', 'Pacific/Apia').iso(0)).toBe('2011-12-31T12:00:00+14:00')
  })

  it.each([
    ['2025-01-02 08:00', 24],
    ['2025-01-02T08:00', 24],
    [' 2025-01-02 08:30:36 ', 24.51],
    ['2025-01-02 08:00:00.5', 24 + 0.5 / 3_600],
    ['2025-01-02T07:00:00Z', 24],
    ['2025-01-02t07:00z', 24],
    ['2025-01-02T09:00+02:00', 24],
    ['2025-01-02 09:00 +0200', 24],
    ['2025-01-01', -8],
    ['2024-12-31 24:00', -8],
  ])('is read: %s', (text, hours) => {
    expect(timeAt('2025-01-01 08:00', 'Europe/Berlin').parse(text)).toBeCloseTo(hours, 9)
  })

  it('is the end of a day where that is meant, also when clocks are set', () => {
    expect(timeAt('2025-03-30 00:00', 'Europe/Berlin').parse('2025-03-30', 'ends')).toBe(23)
    expect(timeAt('2025-10-26 00:00', 'Europe/Berlin').parse('2025-10-26', 'ends')).toBe(25)
    expect(timeAt('2025-01-01 00:00').parse('2025-01-01 12:00', 'ends')).toBe(12)
  })

  it.each([
    '',
    'now',
    '2025',
    '2025-1-2',
    '2025-02-29',
    '2025-01-01 25:00',
    '2025-01-01 08',
    '01.02.2025',
    '2025-13-01',
    '2025-01-01T08:00+99:00',
  ])('is none: "%s"', (text) => {
    expect(timeAt('2025-01-01 08:00').parse(text)).toBeUndefined()
  })

  it('is read again from its ISO form, in any zone', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Australia/Lord_Howe')
    fc.assert(
      fc.property(zone, fc.integer({ min: 0, max: 200_000_000_000 }), (zone, ms) => {
        const time = timeAt('2025-01-01 08:00', zone)
        expect(time.parse(time.iso(ms / 3_600_000))).toBe(ms / 3_600_000)
        const wall = DateTime.fromMillis(time.start.getTime() + ms, { zone })
        const local = time.parse(wall.toFormat('yyyy-MM-dd HH:mm:ss.SSS')) ?? Number.NaN
        expect(time.instant(local).getTime()).toBeLessThanOrEqual(wall.toMillis())
      }),
    )
  })
})

it('a zone or a start that does not exist is refused', () => {
  expect(() => timeAt('2025-01-01 08:00', 'Nowhere')).toThrow('timeZone must be the name of a zone, received "Nowhere"')
  expect(() => timeAt('2025-02-30 08:00')).toThrow('start must be a local time, received "2025-02-30 08:00"')
})
