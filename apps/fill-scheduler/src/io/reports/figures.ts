import type { PlanningResult } from '../../planning/strategy.js'
import type { StrategyName } from '../../planning/strategy-name.js'

/** The six figures, in the order of all reports. */
export const KPI_NAMES = [
  'Makespan (h)',
  'Total Clean (h)',
  'Total Changeover (h)',
  'Total Fill (h)',
  'Lots Scheduled',
  'Clean Blocks',
] as const

/** What people look at first: the six figures, utilisation, and lots that are late where there are any. */
export function figuresOf({ kpis, statistics }: PlanningResult): [name: string, value: string][] {
  const { utilisationPercent, lateLots, lateHours } = statistics
  return [
    ...Object.entries(kpis),
    ['Utilisation', `${utilisationPercent.toFixed(1)} %`],
    ...(lateLots === 0 ? [] : [['Late lots', `${lateLots} (${lateHours.toFixed(1)} h)`] satisfies [string, string]]),
  ]
}

/** What a run is called in reports. */
export function runTitle(strategy: StrategyName | 'given'): string {
  return strategy === 'given' ? 'Given (CSV Order)' : strategy
}
