import { describe, expect, it } from 'vitest'
import { InputError } from '../problem.js'
import { shiftCalendar } from '../testing/plan-arbitraries.js'
import { DEFAULT_RULES, EXAMPLE_LOTS, lotOf, taskOf } from '../testing/reference-lots.js'
import { bestHeuristic } from './best-heuristic.js'
import { givenOrder } from './given-order.js'
import type { Lot } from './lot.js'
import { objectiveHours } from './objective.js'
import { planLots, refusals } from './planner.js'
import { startsAfter } from './replan.js'
import { DEFAULT_SETTINGS } from './settings.js'
import { statisticsOf } from './statistics.js'
import { HEURISTICS } from './strategies/heuristics.js'
import { findStrategy, STRATEGIES } from './strategies/strategies.js'
import { STRATEGY_NAMES } from './strategy-name.js'
import { timetable } from './timetable.js'
import { validatePlan } from './validate-plan.js'

describe('names of strategies', () => {
  it.each([
    ['smart-pack', 'smart-pack'],
    ['SMART_PACK', 'smart-pack'],
    ['smart', 'smart-pack'],
    ['SmartPack', 'smart-pack'],
    ['spt', 'spt-pack'],
    ['sptpack', 'spt-pack'],
    ['lpt', 'lpt-pack'],
    ['LPT_PACK', 'lpt-pack'],
    ['cfs', 'cfs-pack'],
    ['cfspack', 'cfs-pack'],
    ['hybrid', 'hybrid-pack'],
    ['hybridpack', 'hybrid-pack'],
    ['milp', 'exact'],
    ['MILP_OPT', 'exact'],
    ['milpopt', 'exact'],
    ['optimal', 'exact'],
    ['improve', 'improver'],
  ])('%s is %s', (given, name) => {
    expect(findStrategy(given)?.name).toBe(name)
  })

  it('that nobody knows find nothing', () => {
    expect(findStrategy('smrt')).toBeUndefined()
    expect(findStrategy('')).toBeUndefined()
  })

  it('are not given twice', () => {
    const names = STRATEGIES.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    expect(STRATEGIES.map(({ name }) => name)).toEqual(STRATEGY_NAMES)
  })
})

describe('a result', () => {
  it('has figures as text and as numbers', async () => {
    const { kpis, statistics, plan, strategy, mode, elapsedMs } = await planLots(taskOf(EXAMPLE_LOTS), 'smart-pack')
    expect({ strategy, mode }).toEqual({ strategy: 'smart-pack', mode: 'classic' })
    expect(kpis).toEqual({
      'Makespan (h)': '513.16',
      'Total Clean (h)': '96.00',
      'Total Changeover (h)': '64.00',
      'Total Fill (h)': '353.16',
      'Lots Scheduled': '15',
      'Clean Blocks': '4',
    })
    expect(statistics).toMatchObject({
      cleanHours: 96,
      lots: 15,
      blocks: 4,
      changeovers: 11,
      changeoverHoursMax: 8,
      changeoverHoursMin: 4,
      closedHours: 0,
      lateLots: 0,
      lateHours: 0,
      windowViolations: 0,
    })
    expect(statistics.changeoverHours).toBeCloseTo(64, 9)
    expect(statistics.changeoverHoursAverage).toBeCloseTo(64 / 11, 9)
    expect(statistics.utilisationPercent).toBeCloseTo((353.163 / 513.163) * 100, 3)
    expect(statistics.cleanPercent).toBeCloseTo((96 / 513.163) * 100, 3)
    expect(statistics.makespanHours).toBe(plan.makespanHours)
    expect(elapsedMs).toBeGreaterThanOrEqual(0)
  })

  it('counts lots that are late, and by how much', async () => {
    const lots = [lotOf('A', 'E', 19_920, { dueHours: 20 }), lotOf('B', 'E', 19_920, { dueHours: 500 })]
    const { statistics } = await planLots(taskOf(lots), 'given')
    expect(statistics).toMatchObject({ lateLots: 1, lateHours: 5 })
  })

  it('does not take the last digits of a sum for being late', async () => {
    const lots = [lotOf('A', 'E', 1_992), lotOf('B', 'E', 1_992, { dueHours: 28.2 })]
    const { plan, statistics } = await planLots(taskOf(lots), 'given')
    expect(plan.makespanHours).toBeGreaterThan(28.2)
    expect(statistics).toMatchObject({ lateLots: 0, lateHours: 0 })
  })

  it('says how many windows were overrun', () => {
    const lots = ['A', 'B', 'C'].map((id) => lotOf(id, 'E', 1_992_000))
    const plan = timetable([[lots, [lotOf('D', 'E', 1)]]], DEFAULT_RULES)
    expect(statisticsOf(plan, lots, DEFAULT_RULES)).toMatchObject({ windowViolations: 1, blocks: 2 })
  })
})

describe('the objective', () => {
  it('is the makespan, and what being late costs', () => {
    const lots = [lotOf('A', 'E', 19_920, { dueHours: 20, priority: 3 }), lotOf('B', 'E', 19_920, { dueHours: 500 })]
    const plan = timetable(givenOrder(lots, DEFAULT_RULES), DEFAULT_RULES)
    expect(objectiveHours(plan, lots, DEFAULT_RULES)).toBe(30 + 3 * 5)
    expect(objectiveHours(plan, lots, { ...DEFAULT_RULES, latePenaltyPerHour: 0 })).toBe(30)
  })

  it('makes improved strategies fill first what is due first', async () => {
    const lots = Array.from({ length: 12 }, (_, index) => lotOf(`L${index}`, 'E', 19_920 * (20 + index)))
    const urgent = lots.map((lot, index) => (index === 3 || index === 7 ? { ...lot, dueHours: 75, priority: 5 } : lot))
    for (const { name } of HEURISTICS) {
      const { statistics } = await planLots(taskOf(urgent, { mode: 'improved' }), name)
      expect(statistics.lateLots, name).toBeLessThanOrEqual(1)
    }
  })
})

describe('the order given', () => {
  it('goes to the line that is free first, block by block', () => {
    const lots = [60, 59, 100, 20, 10].map((hours, index) => lotOf(`L${index}`, 'E', 19_920 * hours))
    const ids = givenOrder(lots, { ...DEFAULT_RULES, lines: 2 }).map((line) =>
      line.map((block) => block.map(({ id }) => id)),
    )
    expect(ids).toEqual([[['L0', 'L3', 'L4']], [['L1'], ['L2']]])
  })

  it('stays in a block while the next lot fits, also when another line is free', () => {
    const lots = [20, 20, 100].map((hours, index) => lotOf(`L${index}`, 'E', 19_920 * hours))
    const arrangement = givenOrder(lots, { ...DEFAULT_RULES, lines: 2 })
    expect(arrangement).toEqual([[[lots[0], lots[1]]], [[lots[2]]]])
  })
})

describe('several lines', () => {
  it('share the work', async () => {
    for (const { name } of HEURISTICS) {
      const one = await planLots(taskOf(EXAMPLE_LOTS, { mode: 'improved' }), name)
      const three = await planLots(
        taskOf(EXAMPLE_LOTS, { mode: 'improved', rules: { ...DEFAULT_RULES, lines: 3 } }),
        name,
      )
      expect(three.plan.makespanHours, name).toBeLessThan(one.plan.makespanHours * 0.5)
    }
  })
})

describe('planning anew', () => {
  it('leaves a line that was given up with what it had begun', async () => {
    const rules = { ...DEFAULT_RULES, lines: 2 }
    const before = await planLots(taskOf(EXAMPLE_LOTS, { mode: 'improved', rules }), 'lpt-pack')
    const starts = startsAfter(before.plan.activities, 100, DEFAULT_RULES)
    const now = { ...DEFAULT_RULES, starts }
    for (const name of ['given', 'lpt-pack'] as const) {
      const { plan, statistics } = await planLots(taskOf(EXAMPLE_LOTS, { mode: 'improved', rules: now }), name)
      expect(validatePlan(plan, EXAMPLE_LOTS, now)).toEqual([])
      expect(statistics.lots).toBe(15)
      expect(statistics.utilisationPercent).toBeLessThan(100)
    }
  })

  it('ends at once where nothing remains', async () => {
    const before = await planLots(taskOf(EXAMPLE_LOTS), 'lpt-pack')
    const rules = { ...DEFAULT_RULES, starts: startsAfter(before.plan.activities, 490, DEFAULT_RULES) }
    const { plan } = await planLots(taskOf(EXAMPLE_LOTS, { rules }), 'smart-pack')
    expect(plan.activities.map(({ frozen: _frozen, ...activity }) => activity)).toEqual(before.plan.activities)
    expect(validatePlan(plan, EXAMPLE_LOTS, rules)).toEqual([])
  })
})

describe('what is refused before anything is planned', () => {
  const calendar = shiftCalendar(130, 38)

  it.each([
    ['lines', { ...DEFAULT_RULES, lines: 2 }],
    ['calendar', { ...DEFAULT_RULES, calendar }],
  ])('classic mode with %s', async (field, rules) => {
    const task = taskOf(EXAMPLE_LOTS, { rules })
    expect(refusals(task, 'lpt-pack')).toMatchObject([{ severity: 'error', code: 'unsupported_by_classic', field }])
    expect(refusals({ ...task, mode: 'improved' }, 'lpt-pack')).toEqual([])
    expect(refusals(task, 'given')).toEqual([])
    await expect(planLots(task, 'lpt-pack')).rejects.toBeInstanceOf(InputError)
  })

  it('a strategy that the settings do not allow', () => {
    const settings = { ...DEFAULT_SETTINGS, allowedStrategies: ['cfs-pack' as const] }
    expect(refusals(taskOf(EXAMPLE_LOTS, { settings }), 'lpt-pack')).toMatchObject([
      { code: 'strategy_not_allowed', field: 'allowedStrategies' },
    ])
  })
})

describe('what would never end in the reference', () => {
  const HEURISTIC_NAMES = HEURISTICS.map(({ name }) => name)

  it.each([58, 59, 74, 89, 90])('hybrid-pack on one lot of %d h ends', async (hours) => {
    const lots = [lotOf('A', 'E', 19_920 * hours)]
    for (const mode of ['classic', 'improved'] as const) {
      expect((await planLots(taskOf(lots, { mode }), 'hybrid-pack')).plan.makespanHours).toBe(24 + hours)
    }
  })

  it.each(HEURISTIC_NAMES)('%s throws for a lot that fits into no window', async (name) => {
    const lots: Lot[] = [...EXAMPLE_LOTS, lotOf('Z', 'E', 2_400_000)]
    for (const mode of ['classic', 'improved'] as const) {
      await expect(planLots(taskOf(lots, { mode }), name)).rejects.toThrow('lot Z')
    }
    expect(() => givenOrder(lots, DEFAULT_RULES)).toThrow(RangeError)
  })

  it('a padding of the window that leaves no room ends', async () => {
    const smartPack = { ...DEFAULT_SETTINGS.strategies.smartPack, utilPadHours: 119 }
    const settings = { ...DEFAULT_SETTINGS, strategies: { ...DEFAULT_SETTINGS.strategies, smartPack } }
    for (const name of ['smart-pack', 'hybrid-pack'] as const) {
      for (const mode of ['classic', 'improved'] as const) {
        const { plan } = await planLots(taskOf(EXAMPLE_LOTS, { mode, settings }), name)
        expect(validatePlan(plan, EXAMPLE_LOTS, DEFAULT_RULES)).toEqual([])
      }
    }
  })
})

describe('the best heuristic', () => {
  it('is as good as the best of the five', async () => {
    const task = taskOf(EXAMPLE_LOTS)
    expect(timetable(await bestHeuristic(task), DEFAULT_RULES).makespanHours).toBeCloseTo(497.163, 3)
  })
})
