import { describe, expect, it } from 'vitest'
import { DEFAULT_RULES, lotOf } from '../testing/reference-lots.js'
import { calendarOf } from './calendar.js'
import { statisticsOf } from './statistics.js'
import { timetable } from './timetable.js'

const VIALS_PER_HOUR = 19_920

/** A lot that is filled in so many hours. */
const lot = (id: string, type: string, hours: number) => lotOf(id, type, hours * VIALS_PER_HOUR)

describe('figures of several lines', () => {
  const lots = [lot('A', 'E', 76), lot('B', 'H', 20), lot('C', 'E', 10)]
  const [first, ...others] = lots

  it('are shares of the hours of all lines, of those that do nothing too', () => {
    const rules = { ...DEFAULT_RULES, lines: 4 }
    const plan = timetable([first === undefined ? [] : [[first]], [others], [], []], rules)
    expect(statisticsOf(plan, lots, rules)).toMatchObject({
      makespanHours: 100,
      fillHours: 106,
      cleanHours: 48,
      changeoverHours: 8,
      utilisationPercent: 26.5,
      cleanPercent: 12,
    })
  })

  it('count lines that were given up with what they had begun', () => {
    const rules = { ...DEFAULT_RULES, lines: 2 }
    const plan = timetable([first === undefined ? [] : [[first]], [others]], rules)
    const starts = [1, 2].map((line) => ({
      activities: plan.activities.filter((activity) => activity.line === line),
      freeHours: 100,
    }))
    const given = statisticsOf(plan, lots, { ...DEFAULT_RULES, starts })
    expect(given.utilisationPercent).toBe(53)
  })
})

describe('figures of lines that rest', () => {
  it('count closed hours apart, which are hours of the makespan all the same', () => {
    const calendar = calendarOf(() => [{ fromHours: 30, toHours: 54 }])
    const lots = [lot('A', 'E', 10), lot('B', 'E', 2)]
    const rules = { ...DEFAULT_RULES, calendar }
    expect(statisticsOf(timetable([[lots]], rules), lots, rules)).toMatchObject({
      makespanHours: 70,
      closedHours: 30,
      fillHours: 12,
      utilisationPercent: (12 / 70) * 100,
      cleanPercent: (24 / 70) * 100,
    })
  })
})
