import { compareRuns } from '../../planning/compare.js'
import { comparisonNotes } from './comparison-notes.js'
import type { ComparisonReport } from './comparison-report.js'
import { csvText, textCell } from './csv-text.js'
import { KPI_NAMES, runTitle } from './figures.js'

/** The figures of all runs, one a row. What has no plan has none, but a note that says why; strategies that were left out come last. */
export function comparisonCsv({ runs, leftOut = [] }: Pick<ComparisonReport, 'runs' | 'leftOut'>): string {
  const notes = comparisonNotes({ runs, leftOut })
  const rows = [...compareRuns(runs).rows, ...leftOut.map(({ strategy }) => ({ strategy, kpis: undefined }))]
  const cells = rows.map(({ strategy, kpis }) => [
    textCell(runTitle(strategy)),
    ...KPI_NAMES.map((name) => kpis?.[name] ?? ''),
    textCell(notes.get(strategy) ?? ''),
  ])
  return csvText([['Run', ...KPI_NAMES, 'Note'], ...cells])
}
