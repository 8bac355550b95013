import { compareRuns, type ComparisonRow } from '../../planning/compare.js'
import { comparisonNotes } from './comparison-notes.js'
import type { ComparisonReport } from './comparison-report.js'
import { KPI_NAMES, runTitle } from './figures.js'
import { headingCell, numberOf, textOf, workbook, type Worksheet } from './workbook.js'
import { activitiesSheet, configurationSheet } from './xlsx.js'

/** The comparison as a workbook: figures of all runs, differences, one sheet for each plan, the configuration. */
export function comparisonXlsx(report: ComparisonReport): Promise<Uint8Array> {
  const { runs, settings } = report
  const { rows } = compareRuns(runs)
  const plans = runs.flatMap(({ strategy, result }) =>
    result === undefined ? [] : [activitiesSheet(runTitle(strategy), result.plan.activities, settings)],
  )
  return workbook([figuresSheet(report), deltasSheet(rows), ...plans, configurationSheet(settings)])
}

function figuresSheet({ runs, leftOut = [] }: ComparisonReport): Worksheet {
  const notes = comparisonNotes({ runs, leftOut })
  return {
    name: 'Summary',
    widths: [22, ...KPI_NAMES.map(() => 20), 16, 60],
    rows: [
      [
        headingCell('Run'),
        ...[...KPI_NAMES, 'Utilisation (%)'].map((name) => headingCell(name, 'right')),
        headingCell('Note'),
      ],
      ...compareRuns(runs).rows.map(({ strategy, kpis, statistics }) => [
        textOf(runTitle(strategy)),
        ...KPI_NAMES.map((name) => figure(name, kpis?.[name])),
        statistics === undefined ? undefined : numberOf(statistics.utilisationPercent, 1),
        textOf(notes.get(strategy)),
      ]),
      ...leftOut.map(({ strategy }) => [
        textOf(strategy),
        ...KPI_NAMES.map(() => undefined),
        undefined,
        textOf(notes.get(strategy)),
      ]),
    ],
  }
}

function deltasSheet(rows: readonly ComparisonRow[]): Worksheet {
  const names = KPI_NAMES.filter((name) => name.endsWith('(h)'))
  const strategies = rows.filter(({ strategy }) => strategy !== 'given')
  return {
    name: 'Differences',
    widths: [22, ...names.map(() => 20)],
    rows: [
      [headingCell('Run'), ...names.map((name) => headingCell(name, 'right'))],
      ...strategies.map(({ strategy, deltas }) => [
        textOf(runTitle(strategy)),
        ...names.map((name) => figure(name, deltas?.[name])),
      ]),
    ],
  }
}

function figure(name: string, value: string | undefined): ReturnType<typeof numberOf> | undefined {
  return value === undefined ? undefined : numberOf(Number(value), name.endsWith('(h)') ? 2 : 0)
}
