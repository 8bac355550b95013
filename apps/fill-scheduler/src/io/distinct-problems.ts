import type { Problem } from '../problem.js'

/** Each problem once: what was found by two checks is told as the first found it, which knows the row. */
export function distinctProblems(problems: readonly Problem[]): Problem[] {
  const told = new Set<string>()
  return problems.filter(({ code, lotId, field, message }) => {
    const key = JSON.stringify([code, lotId, field, message])
    if (told.has(key)) return false
    told.add(key)
    return true
  })
}
