import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../random.js'
import { anyDueLots, anyLots, anyRules, plainRules, shiftCalendar } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../testing/reference-lots.js'
import { bestHeuristic } from './best-heuristic.js'
import { leastMakespanHours } from './exact/testing/brute-force.js'
import { randomLots, randomMatrixRules, rulesWith } from './exact/testing/tasks.js'
import { givenOrder } from './given-order.js'
import type { Lot } from './lot.js'
import { leastLateHours, lowerBoundHours } from './lower-bound.js'
import { StretchFilling } from './improver/stretch-filling.js'
import { objectiveHours } from './objective.js'
import type { Arrangement, Plan } from './plan.js'
import { remainingLots, startsAfter } from './replan.js'
import type { Rules } from './rules.js'
import { timetable } from './timetable.js'
import { validateLots } from './validate-lots.js'
import { validatePlan } from './validate-plan.js'

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

  it('is what a single lot takes where it has to wait for working time, and how late it is then', () => {
    const lot = lotOf('A', 'E', 10 * 19_920, { dueHours: 30 })
    const rules = { ...DEFAULT_RULES, lines: 3, cleanHours: 8, calendar: shiftCalendar(16, 8) }
    expect(lowerBoundHours([lot], rules)).toBeCloseTo(34, 9)
    expect(leastLateHours([lot], rules)).toBeCloseTo(4, 9)
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

  it('never exceeds the shortest plan of a few lots, in shifts, on several lines and behind other work', () => {
    fc.assert(
      fc.property(anyShiftProblem(3), fc.nat({ max: 60 }), ({ lots, rules: given }, hours) => {
        fc.pre(validateLots(lots, given).length === 0)
        const starts = startsAfter(timetable(givenOrder(lots, given), given).activities, hours, given)
        const left = remainingLots(lots, starts)
        for (const rules of [given, { ...given, lines: 2 }, { ...given, starts }]) {
          const wanted = rules.starts === undefined ? lots : left
          const least = Math.min(...plansOf(wanted, rules).map(({ makespanHours }) => makespanHours))
          expect(lowerBoundHours(wanted, rules)).toBeLessThanOrEqual(least + TOLERANCE_HOURS)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('never exceeds plans that fill shifts to the brim', () => {
    fc.assert(
      fc.property(
        anyShiftProblem(30),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        ({ lots, rules: one }, lines, seed) => {
          const rules = { ...one, lines }
          fc.pre(validateLots(lots, rules).length === 0)
          const horizonHours = 2 * timetable(givenOrder(lots, rules), rules).makespanHours
          const arrangement = new StretchFilling(lots, rules, horizonHours).filled(seededRandom(seed)) ?? []
          const plan = timetable(arrangement, rules)
          expect(validatePlan(plan, lots, rules)).toEqual([])
          const bound = lowerBoundHours(lots, rules)
          expect(bound).toBeLessThanOrEqual(plan.makespanHours + TOLERANCE_HOURS)
          // Who knows a plan gets as much, in less time.
          expect(lowerBoundHours(lots, rules, plan.makespanHours)).toBeGreaterThanOrEqual(bound - TOLERANCE_HOURS)
          expect(lowerBoundHours(lots, rules, plan.makespanHours)).toBeLessThanOrEqual(
            plan.makespanHours + TOLERANCE_HOURS,
          )
        },
      ),
      { numRuns: 30 },
    )
  })

  it('knows what a window holds where a week is shorter than a window and its cleaning', () => {
    const lots = Array.from({ length: 10 }, (_, index) => lotOf(`L${index}`, 'E', 53 * 19_920))
    const rules = { ...DEFAULT_RULES, calendar: shiftCalendar(134, 34) }
    expect(timetable(givenOrder(lots, rules), rules).makespanHours).toBeCloseTo(4 * 168 + 134, 9)
    expect(lowerBoundHours(lots, rules)).toBeGreaterThan(4 * 168 + 133)
  })

  it.each([
    ['window', 10.000005, 15],
    ['shift', 20, 14.0000005],
  ])('knows that a %s which is a little longer than so many minutes holds what fills it', (_, windowHours, work) => {
    const fillHours = (Math.min(windowHours + 4, work) - 4) / 2
    const lots = ['A', 'B'].map((id) => ({ ...lotOf(id, 'E', 1), fillHours }))
    const changeover = { sameTypeHours: 0, differentTypeHours: 0, matrix: {}, spacingHours: 0 }
    const rules = { ...DEFAULT_RULES, cleanHours: 4, windowHours, changeover, calendar: shiftCalendar(work, 20) }
    const plan = timetable(givenOrder(lots, rules), rules)
    expect(plan.makespanHours).toBeCloseTo(14, 4)
    expect(lowerBoundHours(lots, rules)).toBeLessThanOrEqual(plan.makespanHours + TOLERANCE_HOURS)
  })

  it('counts an open block only where it has room for a lot', () => {
    const lots = [lotOf('A', 'E', 30 * 19_920)]
    const start = { activities: [], freeHours: 10 }
    const bound = (usedHours: number): number =>
      lowerBoundHours(lots, { ...DEFAULT_RULES, starts: [{ ...start, open: { usedHours } }] })
    expect(bound(90)).toBeCloseTo(40, 9)
    expect(bound(91)).toBeCloseTo(64, 9)
  })

  it('knows that rests make windows hold less', () => {
    const lots = Array.from({ length: 12 }, (_, index) => lotOf(`L${index}`, 'E', 30 * 19_920))
    const calendar = { earliest: dayTime, restAfter: (from: number) => Math.floor(from / 48) * 48 + 36 }
    const bound = lowerBoundHours(lots, { ...DEFAULT_RULES, calendar, cleanHours: 8 })
    expect(bound).toBeGreaterThan(lowerBoundHours(lots, { ...DEFAULT_RULES, cleanHours: 8 }) * 1.3)
  })
})

/** Short lots with rules of one line that works in shifts; some of them fit into no working time. */
function anyShiftProblem(lotsMax: number): fc.Arbitrary<{ readonly lots: readonly Lot[]; readonly rules: Rules }> {
  return fc
    .record({
      lots: anyLots(lotsMax, 9),
      plain: plainRules,
      cleanHours: fc.constantFrom(0.05, 1, 2.5, 8),
      windowHours: fc.constantFrom(10, 24, 40, 120),
      workHours: fc.constantFrom(10, 12.5, 16),
      restHours: fc.constantFrom(4, 7.7, 12),
      firstHours: fc.constantFrom(0, 3, 5.3),
    })
    .map(({ lots, plain, workHours, restHours, firstHours, ...more }) => {
      return { lots, rules: { ...plain, ...more, calendar: shiftCalendar(workHours, restHours, firstHours) } }
    })
}

/** Every plan of these lots that is right: each order, each way to share it among lines and blocks. */
function plansOf(lots: readonly Lot[], rules: Rules): Plan[] {
  const ways = 2 * rules.lines
  const shares = Array.from({ length: ways ** lots.length }, (_, share) =>
    lots.map((_lot, at) => Math.floor(share / ways ** at) % ways),
  )
  return ordersOf(lots).flatMap((order) =>
    shares.flatMap((share) => planOf(lots, arranged(order, share, rules), rules)),
  )
}

/** None where a block fits into no window, or an activity into no working time. */
function planOf(lots: readonly Lot[], arrangement: Arrangement, rules: Rules): Plan[] {
  try {
    const plan = timetable(arrangement, rules)
    return validatePlan(plan, lots, rules).every(({ severity }) => severity === 'warning') ? [plan] : []
  } catch (error) {
    if (error instanceof RangeError) return []
    throw error
  }
}

/** Of each lot, twice its line, and one more where it begins a block. */
function arranged(lots: readonly Lot[], share: readonly number[], rules: Rules): Arrangement {
  const lines = Array.from({ length: rules.lines }, (_, line): Lot[][] =>
    rules.starts?.[line]?.open === undefined ? [] : [[]],
  )
  for (const [at, lot] of lots.entries()) {
    const blocks = lines[(share[at] ?? 0) >> 1]
    const open = blocks?.at(-1)
    if (open === undefined || (share[at] ?? 0) % 2 === 1) blocks?.push([lot])
    else open.push(lot)
  }
  return lines
}

function ordersOf(lots: readonly Lot[]): (readonly Lot[])[] {
  if (lots.length === 0) return [[]]
  return lots.flatMap((lot, at) => ordersOf(lots.toSpliced(at, 1)).map((order) => [lot, ...order]))
}

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
