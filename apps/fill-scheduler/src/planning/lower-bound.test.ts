import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../random.js'
import { anyDueLots, anyLots, anyRules } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../testing/reference-lots.js'
import { bestHeuristic } from './best-heuristic.js'
import { leastMakespanHours } from './exact/testing/brute-force.js'
import { randomLots, randomMatrixRules, rulesWith } from './exact/testing/tasks.js'
import { givenOrder } from './given-order.js'
import type { Lot } from './lot.js'
import { leastLateHours, lowerBoundHours } from './lower-bound.js'
import { objectiveHours } from './objective.js'
import { remainingLots, startsAfter } from './replan.js'
import type { Rules } from './rules.js'
import { timetable } from './timetable.js'
import { validateLots } from './validate-lots.js'

const TOLERANCE_HOURS = 1e-6

describe('the lower bound', () => {
  it('is the least makespan of the example', () => {
    expect(lowerBoundHours(EXAMPLE_LOTS, DEFAULT_RULES)).toBeCloseTo(497.16, 2)
  })

  it('is what a single lot takes, on one line or on many', () => {
    const lot = lotOf('A', 'E', 199_200)
    expect(lowerBoundHours([lot], DEFAULT_RULES)).toBeCloseTo(34, 9)
    expect(lowerBoundHours([lot], { ...DEFAULT_RULES, lines: 4 })).toBeCloseTo(34, 9)
  })

  it('is 0 without lots', () => {
    expect(lowerBoundHours([], DEFAULT_RULES)).toBe(0)
  })

  it('never exceeds the least makespan of random instances, and is mostly near it', () => {
    let sum = 0
    const count = 300
    for (let seed = 1; seed <= count; seed++) {
      const { lots, rules } = smallInstance(seed)
      const least = leastMakespanHours(lots, rules)
      const bound = lowerBoundHours(lots, rules)
      expect(bound, `seed ${seed}`).toBeLessThanOrEqual(least + TOLERANCE_HOURS)
      sum += bound / least
    }
    expect(sum / count).toBeGreaterThan(0.95)
  })

  it('never exceeds a plan, whatever the lines, the calendar and the due dates', async () => {
    await fc.assert(
      fc.asyncProperty(anyDueLots(14, 45), anyRules, async (lots, rules) => {
        fc.pre(validateLots(lots, rules).length === 0)
        for (const arrangement of [
          await bestHeuristic(taskOf(lots, { rules, mode: 'improved' })),
          givenOrder(lots, rules),
        ]) {
          const plan = timetable(arrangement, rules)
          const bound = lowerBoundHours(lots, rules)
          expect(bound).toBeLessThanOrEqual(plan.makespanHours + TOLERANCE_HOURS)
          const objective = bound + leastLateHours(lots, rules)
          expect(objective).toBeLessThanOrEqual(objectiveHours(plan, lots, rules) + TOLERANCE_HOURS)
        }
      }),
      { numRuns: 80 },
    )
  })

  it('never exceeds a plan that goes on from work that had begun', () => {
    fc.assert(
      fc.property(anyLots(14, 45), anyRules, fc.nat({ max: 400 }), (lots, rules, hours) => {
        fc.pre(validateLots(lots, rules).length === 0)
        const starts = startsAfter(timetable(givenOrder(lots, rules), rules).activities, hours, rules)
        const left = remainingLots(lots, starts)
        const plan = timetable(givenOrder(left, { ...rules, starts }), { ...rules, starts })
        const bound = lowerBoundHours(left, { ...rules, starts })
        expect(bound).toBeLessThanOrEqual(plan.makespanHours + TOLERANCE_HOURS)
      }),
      { numRuns: 200 },
    )
  })

  it('knows that rests make windows hold less', () => {
    const lots = Array.from({ length: 12 }, (_, index) => lotOf(`L${index}`, 'E', 30 * 19_920))
    const calendar = { earliest: (from: number, length: number) => dayTime(from, length) }
    const bound = lowerBoundHours(lots, { ...DEFAULT_RULES, calendar, cleanHours: 8 })
    expect(bound).toBeGreaterThan(lowerBoundHours(lots, { ...DEFAULT_RULES, cleanHours: 8 }) * 1.3)
  })
})

/** 36 hours of work, then 12 of rest. */
function dayTime(from: number, length: number): number | undefined {
  if (length > 36) return undefined
  const cycle = Math.floor(from / 48) * 48
  return from + length <= cycle + 36 ? from : cycle + 48
}

/** Up to eight lots, with a matrix that keeps nothing in order or with two changeovers. */
function smallInstance(seed: number): { lots: Lot[]; rules: Rules } {
  const random = seededRandom(seed)
  const types = 1 + Math.floor(random() * 4)
  const lots = randomLots(random, 1 + Math.floor(random() * 8), types, 40)
  if (seed % 2 === 0) return { lots, rules: randomMatrixRules(random, types, 40) }
  const [one, other] = [Math.floor(random() * 8), Math.floor(random() * 12)]
  const changeover = { sameTypeHours: one, differentTypeHours: other, matrix: {}, spacingHours: 0 }
  return {
    lots,
    rules: rulesWith({ cleanHours: 1 + Math.floor(random() * 24), windowHours: 42 + random() * 80, changeover }),
  }
}
