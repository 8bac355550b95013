import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../random.js'
import { InputError } from '../../problem.js'
import type { PlanningProgress, PlanningTask } from '../strategy.js'
import { HEURISTICS } from '../strategies/heuristics.js'
import { timetable } from '../timetable.js'
import { validatePlan } from '../validate-plan.js'
import { exact } from './exact.js'
import { exactRefusals } from './refusals.js'
import { EXAMPLE_LOTS, lotOf, randomLots, rulesWith, taskOf } from './testing/tasks.js'

/** Thirty lots whose best plan, of 704.4 h, is longer than simple bounds say, so that the solver has work to do. */
const THIRTY = randomLots(seededRandom(5), 30, 4, 30)

async function planned(
  task: PlanningTask,
): Promise<{ hours: number; problems: unknown[]; proof: unknown; blocks: number }> {
  const { arrangement, proof } = await exact.plan(task)
  const plan = timetable(arrangement, task.rules)
  const problems = validatePlan(plan, task.lots, task.rules)
  return { hours: plan.makespanHours, problems, proof, blocks: arrangement[0]?.length ?? 0 }
}

describe('exact', () => {
  it('plans the fifteen lots of the example in 497.16 h and proves it in under 10 s', async () => {
    const task = taskOf(EXAMPLE_LOTS, rulesWith())
    const began = task.now()
    const { hours, proof, problems } = await planned(task)
    expect(hours).toBeCloseTo(497.16, 2)
    expect(proof).toEqual({ status: 'optimal', boundHours: hours, gap: 0 })
    expect(problems).toEqual([])
    expect(task.now() - began).toBeLessThan(10_000)
  })

  it.each([20, 30])('plans %i lots at least as well as every heuristic, with a bound that holds', async (count) => {
    const lots = randomLots(seededRandom(count), count, 4, 60)
    const task = taskOf(lots, rulesWith(), { timeLimitSeconds: 4 })
    const { hours, proof, problems } = await planned(task)
    expect(problems).toEqual([])
    for (const heuristic of HEURISTICS) {
      const { arrangement } = await heuristic.plan(task)
      expect(hours).toBeLessThanOrEqual(timetable(arrangement, task.rules).makespanHours + 1e-6)
    }
    const { boundHours, gap } = proof as { boundHours: number; gap: number }
    expect(boundHours).toBeLessThanOrEqual(hours + 1e-6)
    expect(gap).toBeCloseTo((hours - boundHours) / hours, 9)
  })

  it('answers the best known plan with its gap when the time is over', async () => {
    let calls = 0
    const hurried = taskOf(THIRTY, rulesWith(), { timeLimitSeconds: 1 }, { now: () => (calls++ === 0 ? 0 : 1_000) })
    const { proof, problems, hours } = await planned(hurried)
    expect(proof).toMatchObject({ status: 'feasible' })
    expect((proof as { gap: number }).gap).toBeGreaterThan(0)
    expect(hours).toBeGreaterThan((proof as { boundHours: number }).boundHours)
    expect(problems).toEqual([])
  })

  it('tells progress in percent that never falls, with the best plan and the bound', async () => {
    const told: PlanningProgress[] = []
    await exact.plan(
      taskOf(THIRTY, rulesWith(), { timeLimitSeconds: 5 }, { onProgress: (progress) => told.push(progress) }),
    )
    expect(told.length).toBeGreaterThanOrEqual(2)
    for (const [index, { unit, total, done, bestHours = 0, boundHours = 0 }] of told.entries()) {
      const before = told[index - 1]
      expect({ unit, total }).toEqual({ unit: 'percent', total: 100 })
      expect(done).toBeGreaterThanOrEqual(before?.done ?? 0)
      expect(bestHours).toBeLessThanOrEqual(before?.bestHours ?? Infinity)
      expect(boundHours).toBeGreaterThanOrEqual(before?.boundHours ?? 0)
      expect(boundHours).toBeLessThanOrEqual(bestHours)
    }
  })

  it('rejects with the reason when it was aborted before it began', async () => {
    const signal = AbortSignal.abort(new Error('not any more'))
    await expect(exact.plan(taskOf(THIRTY, rulesWith(), {}, { signal }))).rejects.toThrow('not any more')
  })

  it('rejects within a second when it is aborted while the solver works', async () => {
    const abort = new AbortController()
    const task = taskOf(THIRTY, rulesWith(), {}, { signal: abort.signal })
    let abortedAt = 0
    const onProgress = (): void => {
      if (abortedAt === 0) abortedAt = task.now()
      abort.abort(new Error('not any more'))
    }
    await expect(exact.plan({ ...task, onProgress })).rejects.toThrow('not any more')
    expect(task.now() - abortedAt).toBeLessThan(1_000)
  })

  it('fills a window to the last vial, and not one vial more', async () => {
    const halves = [lotOf('A', 'E', 19_920 * 58), lotOf('B', 'E', 19_920 * 58)]
    expect(await planned(taskOf(halves, rulesWith()))).toMatchObject({ blocks: 1, hours: 144, problems: [] })
    const more = [lotOf('A', 'E', 19_920 * 58), lotOf('B', 'E', 19_920 * 58 + 1)]
    expect(await planned(taskOf(more, rulesWith()))).toMatchObject({ blocks: 2, problems: [] })
  })

  it('orders a block by types only where that is shorter', async () => {
    const changeover = { sameTypeHours: 9, differentTypeHours: 1, matrix: {}, spacingHours: 0 }
    const lots = ['E', 'E', 'H', 'H'].map((type, index) => lotOf(`L${index}`, type, 19_920))
    const { hours, proof } = await planned(taskOf(lots, rulesWith({ changeover })))
    expect(hours).toBeCloseTo(24 + 4 + 3)
    expect(proof).toMatchObject({ status: 'optimal' })
  })

  it('plans nothing in one cleaning', async () => {
    expect(await planned(taskOf([], rulesWith()))).toMatchObject({
      proof: { status: 'optimal', boundHours: 24, gap: 0 },
    })
  })
})

describe('what exact refuses', () => {
  const { settings } = taskOf([], rulesWith())

  it('names each setting that it does not support, all at once', () => {
    const due = [{ ...lotOf('A', 'E', 1), dueHours: 10 }]
    const calendar = { earliest: () => 0, restAfter: () => Infinity }
    const starts = [{ activities: [], freeHours: 3 }]
    const problems = exactRefusals(due, rulesWith({ lines: 2, calendar, starts }), settings)
    expect(problems.map(({ code }) => code)).toEqual(Array<string>(4).fill('unsupported_by_exact'))
    expect(problems.map(({ field }) => field)).toEqual(['lines', 'calendar', 'strategy', 'dueDates.latePenaltyPerHour'])
    expect(problems.every(({ severity }) => severity === 'error')).toBe(true)
  })

  it('lets pass due dates that cost nothing, and a penalty where nothing is due', () => {
    expect(
      exactRefusals([{ ...lotOf('A', 'E', 1), dueHours: 10 }], rulesWith({ latePenaltyPerHour: 0 }), settings),
    ).toEqual([])
    expect(exactRefusals([lotOf('A', 'E', 1)], rulesWith(), settings)).toEqual([])
  })

  it('refuses more lots than allowed, with the setting, the bound and the number', async () => {
    const task = taskOf(THIRTY, rulesWith(), { maxLots: 29 })
    const [problem] = exactRefusals(task.lots, task.rules, task.settings)
    expect(problem).toMatchObject({ code: 'too_many_lots', field: 'strategies.exact.maxLots' })
    expect(problem?.message).toBe('strategies.exact.maxLots allows exact plans of at most 29 lots, there are 30')
    await expect(exact.plan(task)).rejects.toThrow(InputError)
  })

  it('refuses lots that need more blocks than allowed', async () => {
    const task = taskOf(EXAMPLE_LOTS, rulesWith(), { maxBlocks: 3 })
    const [problem] = exactRefusals(task.lots, task.rules, task.settings)
    expect(problem).toMatchObject({ code: 'too_many_blocks', field: 'strategies.exact.maxBlocks' })
    expect(problem?.message).toBe(
      'strategies.exact.maxBlocks allows exact plans of at most 3 blocks, these lots need 4',
    )
    await expect(exact.plan(task)).rejects.toThrow(InputError)
  })
})
