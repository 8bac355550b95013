import { type ComparisonFormat, type ComparisonReport, comparisonFile } from '../io/reports/comparison-report.js'
import { type Report, type ReportFile, type ReportFormat, reportFile } from '../io/reports/report.js'

/** A report that is to be written. */
export type ReportJob =
  | { readonly kind: 'schedule'; readonly format: ReportFormat; readonly report: Report }
  | { readonly kind: 'comparison'; readonly format: ComparisonFormat; readonly report: ComparisonReport }

/** Writes it. */
export function writeJob(job: ReportJob): Promise<ReportFile> {
  return job.kind === 'schedule' ? reportFile(job.format, job.report) : comparisonFile(job.format, job.report)
}

/** How much there is to write: lots, in all plans together. */
export function sizeOf(job: ReportJob): number {
  return job.report.lots.length * (job.kind === 'schedule' ? 1 : job.report.runs.length)
}
