import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOf } from './calendar.js'
import { givenOrder } from './given-order.js'
import type { Lot } from './lot.js'
import type { Activity } from './plan.js'
import { remainingLots, startsAfter } from './replan.js'
import type { Rules } from './rules.js'
import { timetable } from './timetable.js'
import { validatePlan } from './validate-plan.js'

const RULES: Rules = {
  cleanHours: 24,
  windowHours: 120,
  changeover: { sameTypeHours: 4, differentTypeHours: 8, matrix: {}, spacingHours: 0 },
  lines: 1,
  latePenaltyPerHour: 1,
}
const lot = (id: string, fillHours: number, type = 'E'): Lot => ({ id, type, vials: 1, fillHours })
/** Clean 0 to 24, A 24 to 34, changeover to 38, B 38 to 48, changeover to 56, C 56 to 66. */
const LOTS = [lot('A', 10), lot('B', 10), lot('C', 10, 'H')]
const PLAN = timetable([[LOTS]], RULES)
/** Works from Monday to Saturday, 144 hours of 168. */
const WEEKS = calendarOf((from, to) =>
  Array.from({ length: Math.ceil((to - from) / 168) + 1 }, (_, index) => {
    const monday = (Math.floor(from / 168) + index) * 168
    return { fromHours: monday + 144, toHours: monday + 168 }
  }),
)
const ids = (lots: readonly Lot[]): string => lots.map(({ id }) => id).join('')
const kinds = (activities: readonly Activity[]): string => activities.map(({ kind }) => kind.slice(0, 2)).join(' ')

describe('planning anew', () => {
  it.each([
    ['before anything has begun', 0, '', 0, undefined, 'ABC'],
    ['during the cleaning', 1, 'CL', 24, { usedHours: 0 }, 'ABC'],
    ['when a fill is to begin', 24, 'CL', 24, { usedHours: 0 }, 'ABC'],
    ['during a fill', 25, 'CL FI', 34, { usedHours: 10, previousType: 'E' }, 'BC'],
    ['when a changeover is to begin', 34, 'CL FI', 34, { usedHours: 10, previousType: 'E' }, 'BC'],
    ['during a changeover, whose fill is kept', 35, 'CL FI CH FI', 48, { usedHours: 24, previousType: 'E' }, 'C'],
    ['during the last fill', 60, 'CL FI CH FI CH FI', 66, { usedHours: 42, previousType: 'H' }, ''],
    ['after everything', 100, 'CL FI CH FI CH FI', 100, { usedHours: 76, previousType: 'H' }, ''],
    ['after the window', 144, 'CL FI CH FI CH FI', 144, undefined, ''],
  ])('%s', (_, fromHours, kept, freeHours, open, remain) => {
    const starts = startsAfter(PLAN.activities, fromHours, RULES)
    expect(starts).toHaveLength(1)
    expect(kinds(starts[0]?.activities ?? [])).toBe(kept)
    expect(starts[0]?.activities.every(({ frozen }) => frozen)).toBe(true)
    expect(starts[0]?.freeHours).toBe(freeHours)
    expect(starts[0]?.open).toEqual(open)
    expect(ids(remainingLots(LOTS, starts))).toBe(remain)
  })

  it('waits where a line had waited only as long as what is planned needs', () => {
    const closed: Activity = { kind: 'CLOSED', line: 1, startHours: 34, endHours: 60, note: 'Closed' }
    const activities = [...PLAN.activities.slice(0, 2), closed]
    expect(startsAfter(activities, 40, RULES)[0]).toMatchObject({ freeHours: 40, open: { usedHours: 16 } })
    const change: Activity = { kind: 'CHANGEOVER', line: 1, startHours: 34, endHours: 38, lotType: 'E->E' }
    const fill: Activity = { kind: 'FILL', line: 1, startHours: 60, endHours: 70, lotId: 'B', lotType: 'E' }
    const waiting = [...PLAN.activities.slice(0, 2), change, { ...closed, startHours: 38 }, fill]
    expect(kinds(startsAfter(waiting, 36, RULES)[0]?.activities ?? [])).toBe('CL FI CH CL FI')
  })

  it('does not plan into the past of lines that stood idle', () => {
    const starts = startsAfter(PLAN.activities, 50, { ...RULES, lines: 3 })
    expect(starts.map(({ freeHours }) => freeHours)).toEqual([66, 50, 50])
    expect(starts[1]).toEqual({ activities: [], freeHours: 50 })
  })

  it('keeps lines that are no more while they have begun something', () => {
    const plan = timetable([[[lot('A', 10)]], [[lot('B', 10)]]], { ...RULES, lines: 2 })
    expect(startsAfter(plan.activities, 1, RULES)).toHaveLength(2)
    expect(startsAfter(plan.activities, 0, RULES)).toHaveLength(1)
  })

  it('gives plans that keep every rule and what had begun, whenever it is done', () => {
    const lots = fc
      .array(fc.record({ hours: fc.integer({ min: 1, max: 100 }), type: fc.constantFrom('E', 'H') }), {
        minLength: 1,
        maxLength: 12,
      })
      .map((list) => list.map(({ hours, type }, at) => lot(`L${at}`, hours, type)))
    fc.assert(
      fc.property(
        lots,
        lots,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 900 }),
        fc.boolean(),
        (first, later, lines, fromHours, rests) => {
          const rules: Rules = { ...RULES, lines, ...(rests ? { calendar: WEEKS } : {}) }
          const before = timetable(givenOrder(first, rules), rules)
          const starts = startsAfter(before.activities, fromHours, rules)
          const again = startsAfter(
            starts.flatMap(({ activities }) => activities),
            fromHours,
            rules,
          )
          expect(again).toEqual(starts)
          const all = [...first, ...later.map((lot) => ({ ...lot, id: `N${lot.id}` }))]
          const anew: Rules = { ...rules, starts }
          const plan = timetable(givenOrder(remainingLots(all, starts), anew), anew)
          expect(validatePlan(plan, all, anew).filter(({ severity }) => severity === 'error')).toEqual([])
          for (const { startHours, frozen, kind } of plan.activities) {
            if (frozen !== true && kind !== 'CLOSED') expect(startHours).toBeGreaterThanOrEqual(fromHours)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})
