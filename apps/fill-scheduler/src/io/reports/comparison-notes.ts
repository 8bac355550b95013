import type { ComparisonReport } from './comparison-report.js'

/** Why there is no plan, by strategy: first of runs that failed, then of strategies that were left out, which have no run. */
export function comparisonNotes({
  runs,
  leftOut = [],
}: Pick<ComparisonReport, 'runs' | 'leftOut'>): ReadonlyMap<string, string> {
  return new Map([
    ...runs.flatMap(({ strategy, error }) => (error === undefined ? [] : [[strategy, error.message] as const])),
    ...leftOut.map(({ strategy, message }) => [strategy, `Left out: ${message}`] as const),
  ])
}
