import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generateLots } from '../../io/generate.js'
import { seededRandom } from '../../random.js'
import { anyDueLots, anyRules, shiftCalendar } from '../../testing/plan-arbitraries.js'
import { DEFAULT_RULES, lotOf, taskOf } from '../../testing/reference-lots.js'
import { bestHeuristic } from '../best-heuristic.js'
import { givenOrder } from '../given-order.js'
import type { Lot } from '../lot.js'
import { remainingLots, startsAfter } from '../replan.js'
import type { Rules } from '../rules.js'
import { timetable } from '../timetable.js'
import { validateLots } from '../validate-lots.js'
import { validatePlan } from '../validate-plan.js'
import { StretchFilling } from './stretch-filling.js'

const HORIZON_HOURS = 5_000
/** Works 16 h of each day. */
const DAYS: Rules = { ...DEFAULT_RULES, cleanHours: 8, calendar: shiftCalendar(16, 8) }

function lot(id: string, type: string, hours: number): Lot {
  return lotOf(id, type, hours * 19_920)
}

describe('filling stretches of working time', () => {
  it('chooses the lots that leave nothing before a rest', () => {
    // Behind the cleaning 8 h are left of the first day, which 4 h and the changeover fill; the second day then holds 12 h and the next one.
    const lots = [lot('A', 'E', 7), lot('B', 'E', 4), lot('C', 'E', 12)]
    const arrangement = new StretchFilling(lots, DAYS, HORIZON_HOURS).filled() ?? []
    expect(arrangement.map((line) => line.map((block) => block.map(({ id }) => id).join(' ')))).toEqual([['B C A']])
    expect(timetable(arrangement, DAYS).makespanHours).toBe(48 + 7)
  })

  it('is better than the best heuristic in short shifts', async () => {
    const lots = generateLots({ count: 60, vialsMax: 250_000 }).map(({ id, type, vials }) => lotOf(id, type, vials))
    const heuristic = await bestHeuristic(taskOf(lots, { rules: DAYS, mode: 'improved' }))
    const filled = new StretchFilling(lots, DAYS, HORIZON_HOURS).filled() ?? []
    const [before, after] = [timetable(heuristic, DAYS).makespanHours, timetable(filled, DAYS).makespanHours]
    expect(after).toBeLessThan(before)
  })

  it('keeps every rule, on several lines and behind begun work, and gives another plan by chance', () => {
    fc.assert(
      fc.property(anyDueLots(14, 45), anyRules, fc.nat({ max: 300 }), (lots, { calendar, ...plain }, hours) => {
        const given = { ...plain, calendar: calendar ?? shiftCalendar(130, 38) }
        fc.pre(validateLots(lots, given).length === 0)
        const rules = {
          ...given,
          starts: startsAfter(timetable(givenOrder(lots, given), given).activities, hours, given),
        }
        const filling = new StretchFilling(remainingLots(lots, rules.starts), rules, HORIZON_HOURS)
        for (const random of [undefined, seededRandom(hours)]) {
          const plan = timetable(filling.filled(random) ?? [], rules)
          expect(validatePlan(plan, lots, rules).filter(({ severity }) => severity === 'error')).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('does not need to know all stretches', () => {
    const lots = Array.from({ length: 12 }, (_, index) => lot(`L${index}`, 'E', 12))
    const plan = timetable(new StretchFilling(lots, DAYS, 50).filled() ?? [], DAYS)
    expect(validatePlan(plan, lots, DAYS)).toEqual([])
  })

  it('gives up where it is late', () => {
    const lots = Array.from({ length: 90 }, (_, index) => lot(`L${index}`, 'E', 12))
    const filling = new StretchFilling(lots, DAYS, HORIZON_HOURS)
    expect(filling.filled(undefined, () => true)).toBeUndefined()
    expect(filling.filled(undefined, () => false)).toEqual(filling.filled())
  })
})
