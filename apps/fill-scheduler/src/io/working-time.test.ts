import fc from 'fast-check'
import { DateTime } from 'luxon'
import { describe, expect, it } from 'vitest'
import { longestStretchHours } from '../planning/calendar.js'
import type { Calendar } from '../planning/rules.js'
import { DEFAULT_SETTINGS, type Settings, settingsSchema } from '../planning/settings.js'
import { planTime } from './plan-time.js'
import { rulesOf } from './rules-of.js'
import { workingTime } from './working-time.js'

type Shift = NonNullable<Settings['calendar']>['shifts'][number]
const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const shift = (from: string, to: string, ...days: Shift['days']): Shift => ({
  days: days.length ? days : [...WEEK],
  from,
  to,
})

const calendarAt = (start: string, timeZone: string, shifts: Shift[], holidays: string[] = []): Calendar =>
  workingTime({ shifts, holidays }, timeZone, planTime({ ...DEFAULT_SETTINGS, start, timeZone }))

describe('working time', () => {
  it('is all time when the settings have no calendar', () => {
    expect(rulesOf(DEFAULT_SETTINGS)).not.toHaveProperty('calendar')
  })

  it('is what the shifts say', () => {
    // 1 January 2025 is a Wednesday.
    const calendar = calendarAt('2025-01-01 08:00', 'UTC', [
      shift('06:00', '14:00', 'wed', 'thu'),
      shift('14:00', '16:00', 'thu'),
    ])
    expect(calendar.earliest(0, 6)).toBe(0)
    expect(calendar.earliest(0, 6.5)).toBe(22)
    expect(calendar.earliest(7, 1)).toBe(22)
    expect(calendar.earliest(30, 3)).toBe(7 * 24 - 2)
    expect(longestStretchHours(calendar)).toBe(10)
  })

  it('goes on over midnight, over a week and over years', () => {
    const nights = [shift('22:00', '06:00'), shift('06:00', '22:00', 'mon', 'tue', 'wed', 'thu', 'fri')]
    const calendar = calendarAt('2025-01-06 06:00', 'UTC', nights)
    // Monday 06:00 to Saturday 06:00, then the nights of the weekend; the one to Monday goes on.
    expect(calendar.earliest(0, 120)).toBe(0)
    expect(calendar.earliest(1, 120)).toBe(6 * 24 + 16)
    expect(calendar.earliest(120, 8)).toBe(5 * 24 + 16)
    expect(longestStretchHours(calendar)).toBe(128)
    expect(calendar.earliest(20 * 52 * 168, 128)).toBe(20 * 52 * 168 + 6 * 24 + 16)
  })

  it('never rests where shifts cover the week', () => {
    expect(calendarAt('2025-01-01 08:00', 'Europe/Berlin', [shift('00:00', '24:00')]).earliest(3, 50_000)).toBe(3)
  })

  it('rests on holidays from midnight to midnight, also what is left of the night before', () => {
    const calendar = calendarAt('2025-12-24 20:00', 'UTC', [shift('22:00', '06:00')], ['2025-12-25'])
    expect(calendar.earliest(0, 2)).toBe(2)
    expect(calendar.earliest(0, 3)).toBe(28)
    expect(calendar.earliest(3.5, 1)).toBe(28)
    expect(calendar.earliest(28, 6)).toBe(28)
    expect(calendar.earliest(28, 8)).toBe(50)
  })

  it('is found behind the last holiday, however far away that is', () => {
    const mondays = Array.from({ length: 156 }, (_, week) =>
      DateTime.utc(2025, 1, 6).plus({ weeks: week }).toFormat('yyyy-MM-dd'),
    )
    const calendar = calendarAt('2025-01-01 00:00', 'UTC', [shift('08:00', '16:00', 'mon')], mondays)
    expect(calendar.earliest(0, 8)).toBe((5 + 156 * 7) * 24 + 8)
    expect(calendar.earliest(0, 9)).toBeUndefined()
  })

  it('has an hour less in the night when clocks are set forward, and one more when they are set back', () => {
    const spring = calendarAt('2025-03-29 12:00', 'Europe/Berlin', [shift('22:00', '06:00', 'sat')])
    expect([spring.earliest(0, 7), spring.earliest(0, 7.5)]).toEqual([10, 10 + 7 * 24 - 1])
    const autumn = calendarAt('2025-10-25 12:00', 'Europe/Berlin', [shift('22:00', '06:00', 'sat')])
    expect([autumn.earliest(0, 9), autumn.earliest(11, 8.5)]).toEqual([10, 10 + 7 * 24 * 52 + 0])
  })

  it('leaves out a shift that clocks leave out', () => {
    const calendar = calendarAt('2025-03-30 00:00', 'Europe/Berlin', [shift('02:30', '03:00'), shift('04:00', '05:00')])
    expect(calendar.earliest(0, 0.5)).toBe(3)
  })

  it('agrees with a look at every minute', () => {
    // Not between 02:00 and 03:00, where a time of Berlin may be none or two.
    const quarter = fc.integer({ min: 0, max: 95 }).filter((at) => at < 8 || at >= 12)
    const days = fc.uniqueArray(fc.constantFrom(...WEEK), { minLength: 1 })
    const shifts = fc.array(
      fc.record({ days, from: quarter, to: quarter }).filter(({ from, to }) => from !== to),
      { minLength: 1, maxLength: 3 },
    )
    const start = fc.constantFrom('2025-03-27 08:00', '2025-10-23 17:15', '2025-01-01 00:00')
    const holidays = fc.subarray(['2025-03-30', '2025-04-01', '2025-10-26', '2025-01-02', '2025-01-03'])
    const zone = fc.constantFrom('Europe/Berlin', 'UTC', 'America/St_Johns')
    const from = fc.integer({ min: 0, max: 5 * 96 })
    const length = fc.integer({ min: 1, max: 60 })
    fc.assert(
      fc.property(start, zone, shifts, holidays, from, length, (start, zone, plain, holidays, from, length) => {
        const list = plain.map((one) => ({ days: one.days, from: clock(one.from), to: clock(one.to) }))
        const calendar = calendarAt(start, zone, list, holidays)
        const works = quartersOf(start, zone, list, holidays)
        const expected = works.findIndex((_, at) => at >= from && works.slice(at, at + length).every(Boolean))
        const fits = expected >= 0 && expected + length <= works.length
        const found = calendar.earliest(from / 4, length / 4)
        if (fits) expect(found).toBe(expected / 4)
        else expect(found ?? Infinity).toBeGreaterThan((works.length - length) / 4)
      }),
      { numRuns: 100 },
    )
  })
})

const clock = (quarter: number): string =>
  `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`

interface LocalTime {
  readonly weekday: number
  readonly day: string
  readonly time: string
}

const localTimes = new Map<string, LocalTime[]>()

/** What the clocks show in each quarter of an hour of ten days; every border lies on one, so that its first minute tells. */
function localTimesOf(start: string, zone: string): LocalTime[] {
  const known = localTimes.get(start + zone)
  if (known !== undefined) return known
  const first = DateTime.fromFormat(start, 'yyyy-MM-dd HH:mm', { zone })
  const times = Array.from({ length: 10 * 96 }, (_, at) => {
    const now = first.plus({ minutes: at * 15 })
    return { weekday: now.weekday - 1, day: now.toFormat('yyyy-MM-dd'), time: now.toFormat('HH:mm') }
  })
  localTimes.set(start + zone, times)
  return times
}

/** For each quarter of an hour of ten days whether somebody works. */
function quartersOf(start: string, zone: string, shifts: Shift[], holidays: string[]): boolean[] {
  return localTimesOf(start, zone).map(({ weekday, day, time }) => {
    if (holidays.includes(day)) return false
    return shifts.some(({ days, from, to }) => {
      const begun = days.includes(WEEK[weekday]!) && from <= time && (time < to || to <= from)
      return begun || (days.includes(WEEK[(weekday + 6) % 7]!) && to <= from && time < to)
    })
  })
}

it('settings make rules', () => {
  const settings = settingsSchema.parse({ minLotSpacingHours: 1, changeover: { matrix: { A: { B: 2 } } }, lines: 2 })
  expect(rulesOf(settings)).toEqual({
    cleanHours: 24,
    windowHours: 120,
    changeover: { sameTypeHours: 4, differentTypeHours: 8, matrix: { A: { B: 2 } }, spacingHours: 1 },
    lines: 2,
    latePenaltyPerHour: 1,
  })
})
