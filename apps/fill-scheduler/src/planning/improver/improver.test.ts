import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { generateLots, type LotRecipe } from '../../io/generate.js'
import { seededRandom } from '../../random.js'
import { anyDueLots, anyLots, anyRules, plainRules, shiftCalendar } from '../../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../../testing/reference-lots.js'
import { bestHeuristic } from '../best-heuristic.js'
import { leastMakespanHours } from '../exact/testing/brute-force.js'
import { randomLots, randomMatrixRules } from '../exact/testing/tasks.js'
import { givenOrder } from '../given-order.js'
import type { Lot } from '../lot.js'
import { objectiveHours } from '../objective.js'
import type { Arrangement } from '../plan.js'
import { remainingLots, startsAfter } from '../replan.js'
import type { Rules } from '../rules.js'
import { settingsSchema, type Settings } from '../settings.js'
import type { PlanningProgress, PlanningTask } from '../strategy.js'
import { timetable } from '../timetable.js'
import { validateLots } from '../validate-lots.js'
import { validatePlan } from '../validate-plan.js'
import { improver } from './improver.js'

const TOLERANCE_HOURS = 1e-6

type Options = Partial<Settings['strategies']['improver']>

/** A task whose time passes by being asked for: the same number of iterations on every machine. */
function steadyTask(lots: readonly Lot[], rules: Rules, options: Options = {}): PlanningTask {
  let milliseconds = 0
  const now = (): number => (milliseconds += 5)
  return { ...task(lots, rules, { timeLimitSeconds: 1, ...options }), now }
}

function task(lots: readonly Lot[], rules: Rules, options: Options): PlanningTask {
  const settings = settingsSchema.parse({ strategies: { improver: options } })
  return taskOf(lots, { rules, settings, mode: 'improved' })
}

/** 500 lots of four types from 20,000 to 2,300,000 vials, seed 42. */
const manyLots = (recipe?: LotRecipe): Lot[] =>
  generateLots(recipe).map(({ id, type, vials }) => lotOf(id, type, vials))

describe('the improver with 500 lots', () => {
  it('comes within half a per cent of the lower bound, and says so', async () => {
    const lots = manyLots()
    const steps: PlanningProgress[] = []
    const wanted = task(lots, DEFAULT_RULES, { timeLimitSeconds: 20, targetGapPercent: 0.02 })
    const { arrangement, proof } = await improver.plan({ ...wanted, onProgress: (step) => steps.push(step) })
    const plan = timetable(arrangement, DEFAULT_RULES)
    expect(validatePlan(plan, lots, DEFAULT_RULES)).toEqual([])
    expect(proof?.gap).toBeLessThanOrEqual(0.005)
    expect(proof?.gap).toBeCloseTo((plan.makespanHours - (proof?.boundHours ?? 0)) / plan.makespanHours, 9)
    expect(steps.at(-1)).toMatchObject({ done: 100, total: 100, unit: 'percent' })
    expect(steps.at(-1)?.bestHours).toBeCloseTo(plan.makespanHours, 6)
  }, 90_000)

  it('stops as soon as it is aborted', async () => {
    const stop = new AbortController()
    let abortedAt = Infinity
    const onProgress = (): void => {
      if (stop.signal.aborted) return
      systemClock.after(50, () => {
        abortedAt = systemClock.monotonic()
        stop.abort(new Error('enough'))
      })
    }
    const endless = task(manyLots(), DEFAULT_RULES, { timeLimitSeconds: 60 })
    await expect(improver.plan({ ...endless, signal: stop.signal, onProgress })).rejects.toThrow('enough')
    expect(systemClock.monotonic() - abortedAt).toBeLessThan(1_000)
  }, 30_000)
})

describe('the improver with thousands of lots', () => {
  // Of work: how busy the machine is with other things says nothing.
  const now = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  }

  it('keeps to a time limit of a second, in shifts, too, and has a plan by then', async () => {
    const lots = manyLots({ count: 2_500, vialsMax: 250_000 })
    const rules = { ...DEFAULT_RULES, cleanHours: 8, calendar: shiftCalendar(16, 8) }
    const began = now()
    const { arrangement, proof } = await improver.plan({ ...task(lots, rules, { timeLimitSeconds: 1 }), now })
    expect(now() - began).toBeLessThan(1_700)
    const plan = timetable(arrangement, rules)
    expect(validatePlan(plan, lots, rules)).toEqual([])
    expect(proof?.boundHours).toBeLessThanOrEqual(plan.makespanHours)
  })
})

describe('the improver', () => {
  it('proves the example without searching', async () => {
    const { arrangement, proof } = await improver.plan(steadyTask(EXAMPLE_LOTS, DEFAULT_RULES))
    expect(timetable(arrangement, DEFAULT_RULES).makespanHours).toBeCloseTo(497.16, 2)
    expect(proof).toMatchObject({ status: 'optimal', gap: 0 })
  })

  it('finds what heuristics leave', async () => {
    const lots = manyLots({ count: 200, seed: 1 })
    const wanted = steadyTask(lots, DEFAULT_RULES, { timeLimitSeconds: 10 })
    const { arrangement, proof } = await improver.plan(wanted)
    const before = timetable(await bestHeuristic(wanted), DEFAULT_RULES).makespanHours
    const plan = timetable(arrangement, DEFAULT_RULES)
    expect(validatePlan(plan, lots, DEFAULT_RULES)).toEqual([])
    expect(plan.makespanHours).toBeLessThanOrEqual(before)
    expect(proof?.gap).toBeLessThan(0.0005)
  })

  it('calls a plan optimal only when none is better', async () => {
    let proven = 0
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed)
      const lots = randomLots(random, 2 + Math.floor(random() * 6), 3, 40)
      const rules = seed % 2 === 0 ? randomMatrixRules(random, 3, 40) : DEFAULT_RULES
      const { arrangement, proof } = await improver.plan(steadyTask(lots, rules))
      const least = leastMakespanHours(lots, rules)
      expect(timetable(arrangement, rules).makespanHours, `seed ${seed}`).toBeCloseTo(least, 6)
      expect(proof?.boundHours, `seed ${seed}`).toBeLessThanOrEqual(least + TOLERANCE_HOURS)
      if (proof?.status === 'optimal') proven++
    }
    expect(proven).toBeGreaterThan(20)
  })

  it('stops at once when the plan to start from is near enough', async () => {
    let asked = 0
    const near = task(manyLots().slice(0, 60), DEFAULT_RULES, { targetGapPercent: 20 })
    const { arrangement, proof } = await improver.plan({ ...near, now: () => (asked += 1) })
    expect(arrangement).toEqual(await bestHeuristic(near))
    expect(proof?.status).toBe('feasible')
    expect(asked).toBeLessThan(50)
  })

  it('goes the same way with the same seed', async () => {
    const lots = manyLots().slice(0, 80)
    const planned = async (seed: number): Promise<Arrangement> =>
      (await improver.plan(steadyTask(lots, DEFAULT_RULES, { seed }))).arrangement
    expect(await planned(7)).toEqual(await planned(7))
    expect(await planned(7)).not.toEqual(await planned(8))
  })

  it('tells progress that never falls, a plan that never gets worse and a bound that never gets lower', async () => {
    const steps: PlanningProgress[] = []
    const some = steadyTask(manyLots().slice(0, 80), { ...DEFAULT_RULES, lines: 2 })
    await improver.plan({ ...some, onProgress: (step) => steps.push(step) })
    expect(steps.length).toBeGreaterThan(5)
    const rising = (values: number[]): void => expect(values).toEqual(values.toSorted((a, b) => a - b))
    rising(steps.map(({ done }) => done))
    rising(steps.map(({ bestHours = 0 }) => -bestHours))
    rising(steps.map(({ boundHours = 0 }) => boundHours))
  })
})

describe('the improver on random lots', () => {
  async function expectNoWorse(lots: readonly Lot[], rules: Rules): Promise<void> {
    const wanted = steadyTask(lots, rules)
    const { arrangement, proof } = await improver.plan(wanted)
    const plan = timetable(arrangement, rules)
    const hours = objectiveHours(plan, lots, rules)
    const before = objectiveHours(timetable(await bestHeuristic(wanted), rules), lots, rules)
    expect(validatePlan(plan, lots, rules).filter(({ severity }) => severity === 'error')).toEqual([])
    expect(hours).toBeLessThanOrEqual(before + TOLERANCE_HOURS)
    expect(proof?.boundHours).toBeLessThanOrEqual(plan.makespanHours + TOLERANCE_HOURS)
  }

  it('is never worse than the best heuristic, with two changeovers or a matrix', async () => {
    await fc.assert(fc.asyncProperty(anyLots(16), plainRules, expectNoWorse), { numRuns: 20 })
  })

  it('is never worse with due dates, lines and a calendar', async () => {
    const property = fc.asyncProperty(anyDueLots(14, 45), anyRules, async (lots, rules) => {
      fc.pre(validateLots(lots, rules).length === 0)
      await expectNoWorse(lots, rules)
    })
    await fc.assert(property, { numRuns: 20 })
  })

  it('is never worse when it goes on from work that had begun', async () => {
    const property = fc.asyncProperty(
      anyDueLots(14, 45),
      anyRules,
      fc.nat({ max: 300 }),
      async (lots, rules, hours) => {
        fc.pre(validateLots(lots, rules).length === 0)
        const starts = startsAfter(timetable(givenOrder(lots, rules), rules).activities, hours, rules)
        const left = remainingLots(lots, starts)
        fc.pre(left.length > 0)
        await expectNoWorse(left, { ...rules, starts })
      },
    )
    await fc.assert(property, { numRuns: 20 })
  })
})
