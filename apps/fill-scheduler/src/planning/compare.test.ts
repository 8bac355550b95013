import { describe, expect, it } from 'vitest'
import { EXAMPLE_LOTS, taskOf } from '../testing/reference-lots.js'
import { bestOf, compareRuns, type ComparedRun } from './compare.js'
import { planLots } from './planner.js'
import type { StrategyName } from './strategy-name.js'

async function run(strategy: StrategyName | 'given'): Promise<ComparedRun> {
  return { strategy, result: await planLots(taskOf(EXAMPLE_LOTS), strategy) }
}

function scored(
  strategy: StrategyName,
  makespanHours: number,
  utilisationPercent: number,
  changeovers: number,
): Parameters<typeof bestOf>[0][number] {
  return { strategy, result: { statistics: { makespanHours, utilisationPercent, changeovers } } }
}

async function example(): Promise<readonly ComparedRun[]> {
  return Promise.all([run('smart-pack'), run('given'), run('lpt-pack')])
}

describe('a comparison of the example', () => {
  it('has the order given first, and what each strategy differs from it by in hours', async () => {
    const { rows } = compareRuns(await example())
    expect(rows.map(({ strategy, deltas }) => [strategy, deltas])).toEqual([
      ['given', undefined],
      [
        'smart-pack',
        {
          'Makespan (h)': '-32.00',
          'Total Clean (h)': '-24.00',
          'Total Changeover (h)': '-8.00',
          'Total Fill (h)': '0.00',
        },
      ],
      [
        'lpt-pack',
        {
          'Makespan (h)': '-48.00',
          'Total Clean (h)': '-24.00',
          'Total Changeover (h)': '-24.00',
          'Total Fill (h)': '0.00',
        },
      ],
    ])
  })

  it('counts what there is', async () => {
    const { rows } = compareRuns(await example())
    expect(
      rows.map(({ statistics }) => [statistics?.lots, statistics?.changeovers, statistics?.windowViolations]),
    ).toEqual([
      [15, 10, 0],
      [15, 11, 0],
      [15, 11, 0],
    ])
  })

  it('names the best, and how the makespans lie', async () => {
    const { best, summary } = compareRuns(await example())
    expect(best).toBe('lpt-pack')
    expect(summary).toMatchObject({ strategies: 2, completed: 2 })
    expect(summary?.bestHours).toBeCloseTo(497.16, 2)
    expect(summary?.worstHours).toBeCloseTo(513.16, 2)
    expect(summary?.averageHours).toBeCloseTo(505.16, 2)
    expect(summary?.rangeHours).toBeCloseTo(16, 9)
    expect(summary?.improvementPercent).toBeCloseTo((16 / 513.16) * 100, 3)
    expect(summary?.improvementOnGivenPercent).toBeCloseTo((48 / 545.16) * 100, 3)
  })
})

describe('runs that came to no plan', () => {
  it('have a row, and count for nothing', async () => {
    const { rows, best, summary } = compareRuns([{ strategy: 'given' }, { strategy: 'exact' }, await run('cfs-pack')])
    expect(rows.map(({ kpis, deltas }) => [kpis?.['Makespan (h)'], deltas])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      ['497.16', undefined],
    ])
    expect(best).toBe('cfs-pack')
    expect(summary).toMatchObject({ strategies: 2, completed: 1, improvementOnGivenPercent: undefined })
  })

  it('leave nothing to compare', () => {
    expect(compareRuns([{ strategy: 'given' }])).toMatchObject({ best: undefined, summary: undefined })
  })
})

describe('the best', () => {
  it('is never the order given, and the first of equal ones', async () => {
    expect(bestOf([await run('given')])).toBeUndefined()
    expect(bestOf([await run('spt-pack'), await run('spt-pack'), await run('lpt-pack')])).toBe('spt-pack')
  })

  it('is not decided by the last digits of sums', () => {
    const [one, other] = [scored('cfs-pack', 497.1626506024097, 71, 12), scored('lpt-pack', 497.1626506024096, 71, 12)]
    expect([bestOf([one, other]), bestOf([other, one])]).toEqual(['cfs-pack', 'lpt-pack'])
  })

  it('weighs makespan, utilisation and changeovers', () => {
    const plain = scored('spt-pack', 100, 50, 10)
    expect(bestOf([plain, scored('lpt-pack', 100.1, 50, 8)])).toBe('lpt-pack')
    expect(bestOf([plain, scored('lpt-pack', 100.1, 50, 10)])).toBe('spt-pack')
    expect(bestOf([plain, scored('lpt-pack', 100.1, 50.3, 10)])).toBe('lpt-pack')
    expect(bestOf([plain, scored('lpt-pack', 100.1, 50.1, 10)])).toBe('spt-pack')
  })
})
