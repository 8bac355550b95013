import { compareRuns } from '../../planning/compare.js'
import type { ComparisonReport } from './comparison-report.js'
import { csvText, textCell } from './csv-text.js'
import { KPI_NAMES, runTitle } from './figures.js'

/** The figures of all runs, one a row; a run without a plan has none. */
export function comparisonCsv({ runs }: Pick<ComparisonReport, 'runs'>): string {
  const rows = compareRuns(runs).rows.map(({ strategy, kpis }) => [
    textCell(runTitle(strategy)),
    ...KPI_NAMES.map((name) => kpis?.[name] ?? ''),
  ])
  return csvText([['Run', ...KPI_NAMES], ...rows])
}
