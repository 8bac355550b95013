import type { Lot } from '../../planning/lot.js'
import type { Settings } from '../../planning/settings.js'
import type { PlanningResult } from '../../planning/strategy.js'
import type { StrategyName } from '../../planning/strategy-name.js'
import type { Problem } from '../../problem.js'
import { comparisonCsv } from './comparison-csv.js'
import { comparisonHtml } from './comparison-html.js'
import { comparisonJson } from './comparison-json.js'
import { activitiesCsv } from './csv.js'
import { fileName } from './file-name.js'
import { fileOf, type ReportFile } from './report.js'

/** Everything that reports say of several plans of the same lots. */
export interface ComparisonReport {
  readonly name: string
  readonly settings: Settings
  readonly lots: readonly Lot[]
  readonly runs: readonly ComparisonRun[]
  /** Strategies that took no part (default: none). */
  readonly leftOut?: readonly LeftOut[]
  readonly generatedAt: Date
}

/** One of the plans, or why there is none. */
export interface ComparisonRun {
  readonly strategy: StrategyName | 'given'
  readonly result?: PlanningResult & { readonly problems: readonly Problem[] }
  readonly error?: { readonly code: string; readonly message: string }
}

/** A strategy that was not asked to plan because it cannot plan this input, and why. */
export interface LeftOut {
  readonly strategy: StrategyName
  readonly code: string
  readonly message: string
}

/** The kinds of report of a comparison. */
export const COMPARISON_FORMATS = ['html', 'csv', 'json', 'xlsx'] as const

/** One of `COMPARISON_FORMATS`. */
export type ComparisonFormat = (typeof COMPARISON_FORMATS)[number]

const WRITERS: Readonly<Record<ComparisonFormat, (report: ComparisonReport) => string | Promise<Uint8Array>>> = {
  html: comparisonHtml,
  csv: comparisonCsv,
  json: comparisonJson,
  xlsx: async (report) => (await import('./comparison-xlsx.js')).comparisonXlsx(report),
}

/** Writes a comparison as `format`; `csv` has the figures of all runs. */
export async function comparisonFile(format: ComparisonFormat, report: ComparisonReport): Promise<ReportFile> {
  return fileOf(format, await WRITERS[format](report))
}

/** The files of a comparison by name: figures of all runs, one page with everything, and the plan of each strategy. */
export function comparisonFolder(report: ComparisonReport): Map<string, string> {
  const plans = report.runs.flatMap(({ strategy, result }): [string, string][] =>
    strategy === 'given' || result === undefined
      ? []
      : [[fileName(`optimized_schedule_${strategy}`, 'csv'), activitiesCsv(result.plan.activities, report.settings)]],
  )
  return new Map([
    ['kpis_all_runs.csv', comparisonCsv(report)],
    ['comparison_all_in_one.html', comparisonHtml(report)],
    ...plans,
  ])
}
