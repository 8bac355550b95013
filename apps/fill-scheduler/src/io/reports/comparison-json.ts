import { compareRuns } from '../../planning/compare.js'
import type { ComparisonReport } from './comparison-report.js'
import { jsonText, metadataMember, resultMembers } from './json.js'

/** The comparison as a JSON document: each run with its figures, deltas and activities, the best strategy, the summary. Names as in the REST API. */
export function comparisonJson({ name, settings, lots, runs, leftOut = [], generatedAt }: ComparisonReport): string {
  const { rows, best, summary } = compareRuns(runs)
  const results = rows.map(({ strategy, deltas }) => {
    const run = runs.find((other) => other.strategy === strategy)
    const { result } = run ?? {}
    return {
      strategy,
      error: run?.error ?? null,
      deltas: deltas ?? null,
      ...(result === undefined ? {} : resultMembers({ settings, result, problems: result.problems })),
    }
  })
  return jsonText({
    comparison: { name, lots_count: lots.length, config: settings },
    best_strategy: best ?? null,
    summary: summary === undefined ? null : summaryMember(summary),
    results,
    left_out: leftOut,
    metadata: metadataMember(generatedAt),
  })
}

function summaryMember(summary: NonNullable<ReturnType<typeof compareRuns>['summary']>): object {
  return {
    strategies: summary.strategies,
    completed: summary.completed,
    best_makespan: summary.bestHours,
    worst_makespan: summary.worstHours,
    average_makespan: summary.averageHours,
    makespan_range: summary.rangeHours,
    improvement_percent: summary.improvementPercent,
    improvement_on_given_percent: summary.improvementOnGivenPercent ?? null,
  }
}
