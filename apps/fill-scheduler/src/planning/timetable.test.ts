import { describe, expect, it } from 'vitest'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, lotOf } from '../testing/reference-lots.js'
import type { Lot } from './lot.js'
import type { Activity, Arrangement } from './plan.js'
import { startsAfter } from './replan.js'
import type { Rules } from './rules.js'
import { timetable } from './timetable.js'

function lot(id: string, type: string, hours: number): Lot {
  return lotOf(id, type, hours * 19_920)
}

/** `CLEAN 0-24`, `FILL A 24-34`; lines from the second on begin with their number. */
function barsOf(arrangement: Arrangement, rules: Rules = DEFAULT_RULES): readonly string[] {
  return timetable(arrangement, rules).activities.map(textOf)
}

function textOf({ kind, line, lotId, lotType, startHours, endHours }: Activity): string {
  const what = kind === 'CHANGEOVER' ? [lotType] : lotId === undefined ? [] : [lotId]
  return [...(line === 1 ? [] : [`${line}:`]), kind, ...what, `${startHours}-${endHours}`].join(' ')
}

describe('a line that never rests', () => {
  it('cleans before each block and makes ready between lots', () => {
    expect(barsOf([[[lot('A', 'E', 10), lot('B', 'E', 5), lot('C', 'H', 1)], [lot('D', 'H', 2)]]])).toEqual([
      'CLEAN 0-24',
      'FILL A 24-34',
      'CHANGEOVER E->E 34-38',
      'FILL B 38-43',
      'CHANGEOVER E->H 43-51',
      'FILL C 51-52',
      'CLEAN 52-76',
      'FILL D 76-78',
    ])
  })

  it('says what it does', () => {
    const { activities } = timetable([[[lotOf('A', 'E', 19_920), lotOf('B', 'H', 39_840)]]], DEFAULT_RULES)
    expect(activities.map(({ note }) => note)).toEqual(['Block reset', '19920 vials', '8h', '39840 vials'])
    expect(activities[2]?.lotType).toBe('E->H')
  })

  it('leaves out changeovers that take no time', () => {
    const rules = { ...DEFAULT_RULES, changeover: { ...DEFAULT_RULES.changeover, matrix: { E: { H: 0 } } } }
    expect(barsOf([[[lot('A', 'E', 10), lot('B', 'H', 5)]]], rules)).toEqual([
      'CLEAN 0-24',
      'FILL A 24-34',
      'FILL B 34-39',
    ])
  })

  it('shows a block that overruns its window, for the check to find', () => {
    expect(timetable([[[lot('A', 'E', 100), lot('B', 'E', 100)]]], DEFAULT_RULES).makespanHours).toBe(228)
  })
})

describe('several lines', () => {
  it('work side by side; the makespan is that of the longest', () => {
    const arrangement = [[[lot('A', 'E', 10)]], [[lot('B', 'E', 30)]], []]
    const rules = { ...DEFAULT_RULES, lines: 3 }
    expect(barsOf(arrangement, rules)).toEqual(['CLEAN 0-24', 'FILL A 24-34', '2: CLEAN 0-24', '2: FILL B 24-54'])
    expect(timetable(arrangement, rules).makespanHours).toBe(54)
  })
})

describe('a calendar', () => {
  it('makes wait what would not end before the next rest', () => {
    const rules = { ...DEFAULT_RULES, calendar: shiftCalendar(60, 10) }
    expect(barsOf([[[lot('A', 'E', 30), lot('B', 'E', 20)]]], rules)).toEqual([
      'CLEAN 0-24',
      'FILL A 24-54',
      'CHANGEOVER E->E 54-58',
      'CLOSED 58-70',
      'FILL B 70-90',
    ])
  })

  it('cleans late enough for the window to reach behind the rest', () => {
    const starts = [{ activities: [], freeHours: 40 }]
    const rules = { ...DEFAULT_RULES, windowHours: 60, calendar: shiftCalendar(100, 10), starts }
    expect(barsOf([[[lot('A', 'E', 30), lot('B', 'E', 15)]]], rules)).toEqual([
      'CLOSED 0-41',
      'CLEAN 41-65',
      'FILL A 65-95',
      'CHANGEOVER E->E 95-99',
      'CLOSED 99-110',
      'FILL B 110-125',
    ])
  })

  it('refuses what working time can never hold', () => {
    const rules = { ...DEFAULT_RULES, calendar: shiftCalendar(40, 10) }
    expect(() => timetable([[[lot('A', 'E', 50)]]], rules)).toThrow(RangeError)
  })
})

describe('work that had begun', () => {
  const before = timetable([[[lot('A', 'E', 10), lot('B', 'E', 5)], [lot('C', 'E', 100)]]], DEFAULT_RULES)

  it('stays, and its block goes on', () => {
    const rules = { ...DEFAULT_RULES, starts: startsAfter(before.activities, 30, DEFAULT_RULES) }
    expect(barsOf([[[lot('D', 'H', 6)], [lot('C', 'E', 100)]]], rules)).toEqual([
      'CLEAN 0-24',
      'FILL A 24-34',
      'CHANGEOVER E->H 34-42',
      'FILL D 42-48',
      'CLEAN 48-72',
      'FILL C 72-172',
    ])
  })

  it('may be followed by a new block at once', () => {
    const rules = { ...DEFAULT_RULES, starts: startsAfter(before.activities, 30, DEFAULT_RULES) }
    expect(barsOf([[[], [lot('C', 'E', 100)]]], rules).slice(2)).toEqual(['CLEAN 34-58', 'FILL C 58-158'])
  })

  it('leaves a line waiting until it is free', () => {
    const rules = { ...DEFAULT_RULES, starts: [{ activities: [], freeHours: 7 }] }
    expect(barsOf([[[lot('A', 'E', 10)]]], rules)).toEqual(['CLOSED 0-7', 'CLEAN 7-31', 'FILL A 31-41'])
  })
})
