import type { PlanningResult } from '../../planning/strategy.js'
import type { Problem } from '../../problem.js'
import type { Report } from './report.js'
import { visible } from './visible-text.js'

/** The figures of the plan as plain text, and what is wrong with it. */
export function summaryText({ result, problems }: Pick<Report, 'result' | 'problems'>): string {
  const lines = [
    '=== Schedule Summary ===',
    ...Object.entries(result.kpis).map(([name, value]) => `${name}: ${value}`),
    ...section('Errors', problems, 'error'),
    ...section('Warnings', problems, 'warning'),
    ...['', '=== Plan ===', `Strategy: ${result.strategy} (${result.mode})`, `Proof: ${proofText(result)}`],
  ]
  return `${lines.join('\n')}\n`
}

/** What is known about how good the plan is, in words. */
export function proofText({ proof }: Pick<PlanningResult, 'proof'>): string {
  if (proof === undefined) return 'none'
  if (proof.status === 'optimal') return 'optimal'
  return `within ${(proof.gap * 100).toFixed(2)} % of ${proof.boundHours.toFixed(2)} h, below which no makespan can be`
}

/** A problem in one line, with the place where it was found. */
export function problemText({ row, column, lotId, message }: Problem): string {
  const place = [
    ...(row === undefined ? [] : [`row ${row}`]),
    ...(column === undefined ? [] : [column]),
    ...(lotId === undefined ? [] : [`lot ${lotId}`]),
  ]
  return visible(place.length === 0 ? message : `${place.join(', ')}: ${message}`)
}

function section(title: string, problems: readonly Problem[], severity: Problem['severity']): string[] {
  const those = problems.filter((problem) => problem.severity === severity)
  return those.length === 0 ? [] : ['', `=== ${title} ===`, ...those.map((problem) => `- ${problemText(problem)}`)]
}
