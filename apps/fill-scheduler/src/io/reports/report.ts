import type { Lot } from '../../planning/lot.js'
import type { Settings } from '../../planning/settings.js'
import type { PlanningResult } from '../../planning/strategy.js'
import type { Problem } from '../../problem.js'
import { scheduleCsv } from './csv.js'
import { scheduleHtml } from './html.js'
import { scheduleJson } from './json.js'
import { summaryText } from './txt.js'

/** Everything that reports say of one plan. */
export interface Report {
  /** What the plan is called, for people. */
  readonly name: string
  readonly settings: Settings
  readonly lots: readonly Lot[]
  readonly result: PlanningResult
  /** Of the lots and of the plan. */
  readonly problems: readonly Problem[]
  readonly generatedAt: Date
}

/** The kinds of report of one plan. */
export const REPORT_FORMATS = ['csv', 'txt', 'html', 'json', 'xlsx', 'pdf'] as const

/** One of `REPORT_FORMATS`. */
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** A report, ready to be written or sent. */
export interface ReportFile {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** Without a dot. */
  readonly extension: string
}

const CONTENT_TYPES: Readonly<Record<ReportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pdf: 'application/pdf',
}

const WRITERS: Readonly<Record<ReportFormat, (report: Report) => string | Promise<Uint8Array>>> = {
  csv: scheduleCsv,
  txt: summaryText,
  html: scheduleHtml,
  json: scheduleJson,
  // Their libraries are loaded when somebody asks for such a file.
  xlsx: async (report) => (await import('./xlsx.js')).scheduleXlsx(report),
  pdf: async (report) => (await import('./pdf.js')).schedulePdf(report),
}

/** Writes a plan as `format`. Texts of users come out as text: no cell is a formula, nothing is markup. */
export async function reportFile(format: ReportFormat, report: Report): Promise<ReportFile> {
  return fileOf(format, await WRITERS[format](report))
}

/** Content as a file of its format; texts in UTF-8. */
export function fileOf(format: ReportFormat, content: string | Uint8Array): ReportFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return { bytes, contentType: CONTENT_TYPES[format], extension: format }
}
