import type { Problem } from '../problem.js'

/** More problems than this help nobody. */
const PROBLEMS_MAX = 100

/** The first 100 problems by their rows, errors before warnings where there are more, and how many were left out. */
export function boundedProblems(found: readonly Problem[]): Problem[] {
  const problems = found.toSorted((a, b) => (a.row ?? 0) - (b.row ?? 0))
  if (problems.length <= PROBLEMS_MAX) return problems
  const errors = problems.filter(({ severity }) => severity === 'error')
  const warnings = problems.filter(({ severity }) => severity === 'warning')
  const kept = new Set([...errors, ...warnings].slice(0, PROBLEMS_MAX))
  const more = problems.length - PROBLEMS_MAX
  return [
    ...problems.filter((problem) => kept.has(problem)),
    {
      severity: errors.length > PROBLEMS_MAX ? 'error' : 'warning',
      code: 'more_problems',
      message: `There are ${more} more problems.`,
    },
  ]
}
