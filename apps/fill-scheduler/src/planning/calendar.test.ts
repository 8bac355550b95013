import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOf, longestStretchHours, type Rest } from './calendar.js'

const rest = (fromHours: number, toHours: number): Rest => ({ fromHours, toHours })
const within =
  (...rests: Rest[]) =>
  (from: number, to: number): Rest[] =>
    rests.filter(({ fromHours, toHours }) => toHours > from && fromHours < to)

describe('the next rest', () => {
  it('begins where the working time ends that an hour lies in', () => {
    const calendar = calendarOf(within(rest(8, 16), rest(20, 21), rest(24, 30), rest(30, 31)))
    expect([-1, 0, 7, 16, 19.5, 21, 31].map((hours) => calendar.restAfter(hours))).toEqual([
      8,
      8,
      8,
      20,
      20,
      24,
      Infinity,
    ])
    expect(calendarOf(() => []).restAfter(5)).toBe(Infinity)
    const daily = (from: number, to: number): Rest[] =>
      range(Math.floor(from / 24) - 1, Math.ceil(to / 24) + 1).map((day) => rest(24 * day + 16, 24 * day + 24))
    expect(calendarOf(daily).restAfter(24 * 1_000 + 3), 'of which nobody has asked before').toBe(24 * 1_000 + 16)
  })

  it('is where what is any longer would have to wait', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 }),
        fc.nat({ max: 300 }),
        (spans, hours) => {
          const calendar = calendarOf(within(...spans.map(([from, length]) => rest(from, from + length))))
          const start = calendar.earliest(hours, 0.5)
          const end = calendar.restAfter(start ?? 0)
          if (start === undefined || end === Infinity) return
          expect(calendar.earliest(start, end - start)).toBe(start)
          expect(calendar.earliest(start, end - start + 0.001) ?? Infinity).toBeGreaterThan(start)
        },
      ),
    )
  })
})

describe('the earliest hour', () => {
  const calendar = calendarOf(within(rest(8, 16), rest(20, 21), rest(24, 30)))

  it.each([
    [0, 8, 0],
    [0, 8.5, 30],
    [1, 7, 1],
    [1, 7.1, 30],
    [7.5, 1, 16],
    [8, 1, 16],
    [12, 4, 16],
    [16, 4, 16],
    [17, 3, 17],
    [17, 3.01, 30],
    [19.5, 2, 21],
    [24, 1, 30],
    [40, 10_000, 40],
    [-5, 1, 0],
  ])('from %s for %s h is %s', (from, length, expected) => {
    expect(calendar.earliest(from, length)).toBe(expected)
  })

  it('for nothing is at once, also in a rest', () => {
    expect(calendar.earliest(12, 0)).toBe(12)
  })

  it('forgives what sums of hours are off by', () => {
    expect(calendar.earliest(7.1 + 0.1 + 0.1 + 0.1, 0.6)).toBeCloseTo(7.4, 12)
  })

  it('does not exist for what is no number', () => {
    expect([
      calendar.earliest(Number.NaN, 1),
      calendar.earliest(0, Number.NaN),
      calendar.earliest(0, Infinity),
    ]).toEqual([undefined, undefined, undefined])
  })

  it('is the same whatever was asked before', () => {
    const rests = (from: number, to: number): Rest[] => within(rest(700, 710), rest(5_000, 5_001))(from, to)
    const asked = calendarOf(rests)
    expect([asked.earliest(9_000, 5), asked.earliest(690, 100), asked.earliest(0, 700)]).toEqual([9_000, 710, 0])
  })

  it('does not exist behind a year, whatever was asked before', () => {
    const daily = (from: number, to: number): Rest[] =>
      Array.from({ length: Math.ceil((to - from) / 24) + 2 }, (_, day) => (Math.floor(from / 24) + day - 1) * 24)
        .filter((midnight) => midnight !== 20_016)
        .map((midnight) => rest(midnight, midnight + 8))
    const asked = calendarOf(daily)
    expect(calendarOf(daily).earliest(0, 30)).toBeUndefined()
    expect(asked.earliest(19_900, 30)).toBe(20_000)
    expect(asked.earliest(0, 30)).toBeUndefined()
  })

  it('does not exist where nothing is long enough', () => {
    const daily = (from: number, to: number): Rest[] =>
      Array.from({ length: Math.ceil((to - from) / 24) + 2 }, (_, day) => {
        const midnight = (Math.floor(from / 24) + day - 1) * 24
        return rest(midnight + 16, midnight + 32)
      })
    expect(calendarOf(daily).earliest(0, 8)).toBe(8)
    expect(calendarOf(daily).earliest(100, 8.001)).toBeUndefined()
    expect(calendarOf((from, to) => [rest(from, to)]).earliest(0, 1)).toBeUndefined()
    expect(longestStretchHours(calendarOf(daily))).toBe(8)
    expect(longestStretchHours(calendarOf(() => []))).toBe(Infinity)
  })

  it('agrees with a look at every hour, wherever rests overlap, touch or come in pieces', () => {
    const hour = fc.integer({ min: 0, max: 1_600 })
    const rests = fc.array(fc.tuple(hour, fc.integer({ min: 0, max: 60 })), { maxLength: 40 })
    fc.assert(
      fc.property(rests, hour, fc.integer({ min: 1, max: 80 }), (pairs, from, length) => {
        const list = pairs
          .map(([begin, hours]) => rest(begin, begin + hours))
          .toSorted((a, b) => a.fromHours - b.fromHours)
        const closed = new Set(list.flatMap(({ fromHours, toHours }) => range(fromHours, toHours)))
        let expected = from
        while (range(expected, expected + length).some((at) => closed.has(at))) expected += 1
        expect(calendarOf(within(...list)).earliest(from, length)).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })
})

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
