import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyDueLots, anyRules } from '../../testing/plan-arbitraries.js'
import { givenOrder } from '../given-order.js'
import { lateLots } from '../objective.js'
import { remainingLots, startsAfter } from '../replan.js'
import { timetable } from '../timetable.js'
import { validateLots } from '../validate-lots.js'
import { LinePlanner, type LinePlan } from './line-plan.js'
import { indicesOf } from './lines.js'

describe('the plan of a line', () => {
  it('ends, and is late, as its timetable says, also when only its end was planned anew', () => {
    fc.assert(
      fc.property(anyDueLots(14, 45), anyRules, fc.nat({ max: 300 }), (all, idle, hours) => {
        fc.pre(validateLots(all, idle).length === 0)
        const starts = startsAfter(timetable(givenOrder(all, idle), idle).activities, hours, idle)
        const [lots, rules] = [remainingLots(all, starts), { ...idle, starts }]
        fc.pre(lots.length > 0)
        const arrangement = givenOrder(lots, rules)
        const planner = new LinePlanner(lots, rules, 2_000)
        const plan = timetable(arrangement, rules)
        let late = 0
        for (const [line, blocks] of indicesOf(arrangement, lots).entries()) {
          const half = planner.plan(line, blocks.slice(0, Math.ceil(blocks.length / 2)))
          const whole = planner.plan(line, blocks, half) as LinePlan
          late += whole.lateHours.at(-1) ?? 0
          if (blocks.flat().length === 0) continue
          const last = plan.activities.findLast((activity) => activity.line === line + 1)
          expect(whole.states.at(-1)?.freeHours).toBeCloseTo(last?.endHours ?? 0, 9)
        }
        const priced = lateLots(plan, lots).map(({ lot, hours: lateBy }) => (lot.priority ?? 1) * lateBy)
        expect(late).toBeCloseTo(rules.latePenaltyPerHour * priced.reduce((sum, cost) => sum + cost, 0), 6)
      }),
      { numRuns: 100 },
    )
  })
})
