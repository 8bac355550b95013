import { describe, expect, it } from 'vitest'
import {
  DEFAULT_RULES,
  EXAMPLE_LOTS,
  REFERENCE_DATASETS,
  taskOf,
  type ReferenceRun,
} from '../../testing/reference-lots.js'
import type { Plan } from '../plan.js'
import { planLots } from '../planner.js'
import type { PlanningResult } from '../strategy.js'
import type { StrategyName } from '../strategy-name.js'
import { validatePlan } from '../validate-plan.js'

const NAMES = ['given', 'smart-pack', 'spt-pack', 'lpt-pack', 'cfs-pack', 'hybrid-pack'] as const satisfies readonly (
  | StrategyName
  | 'given'
)[]

describe.each(REFERENCE_DATASETS)('classic mode on $name', ({ lots, runs }) => {
  it.each(NAMES)('%s comes to what the reference came to', async (name) => {
    const expected = runs[name]
    expect(figures(await planLots(taskOf(lots), name), expected)).toEqual(expected)
  })
})

describe('the example of 15 lots', () => {
  it('keeps its order where no strategy decides', async () => {
    const { plan } = await planLots(taskOf(EXAMPLE_LOTS), 'given')
    expect(sequenceOf(plan).replaceAll('| ', '')).toBe(EXAMPLE_LOTS.map(({ id }) => id).join(' '))
  })
})

describe('improved mode on the example of 15 lots', () => {
  it.each(NAMES.filter((name) => name !== 'given'))('%s finds a plan that no plan is better than', async (name) => {
    const { plan, kpis } = await planLots(taskOf(EXAMPLE_LOTS, { mode: 'improved' }), name)
    expect(kpis['Makespan (h)']).toBe('497.16')
    expect(validatePlan(plan, EXAMPLE_LOTS, DEFAULT_RULES)).toEqual([])
  })
})

describe.each(REFERENCE_DATASETS)('improved mode on $name', ({ lots, runs }) => {
  it.each(NAMES)('%s is never worse than classic', async (name) => {
    const { statistics } = await planLots(taskOf(lots, { mode: 'improved' }), name)
    expect(Number(statistics.makespanHours.toFixed(2))).toBeLessThanOrEqual(Number(runs[name].makespan))
  })
})

describe('no lots', () => {
  it.each(NAMES)('are one cleaning with %s', async (name) => {
    const result = await planLots(taskOf([]), name)
    expect(result.kpis).toEqual({
      'Makespan (h)': '24.00',
      'Total Clean (h)': '24.00',
      'Total Changeover (h)': '0.00',
      'Total Fill (h)': '0.00',
      'Lots Scheduled': '0',
      'Clean Blocks': '1',
    })
  })
})

/** Of a result, what the reference says. */
function figures({ kpis, plan }: PlanningResult, expected: ReferenceRun): ReferenceRun {
  return {
    makespan: kpis['Makespan (h)'],
    ...(expected.clean === undefined ? {} : { clean: kpis['Total Clean (h)'] }),
    ...(expected.changeover === undefined ? {} : { changeover: kpis['Total Changeover (h)'] }),
    ...(expected.blocks === undefined ? {} : { blocks: kpis['Clean Blocks'] }),
    ...(expected.sequence === undefined ? {} : { sequence: sequenceOf(plan) }),
  }
}

function sequenceOf({ activities }: Plan): string {
  return activities.flatMap(({ kind, lotId }) => (kind === 'CLEAN' ? '|' : kind === 'FILL' ? lotId : [])).join(' ')
}
