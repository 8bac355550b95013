import type { OperationReport } from './desk.js'

/** Which numbered reports that say how much more is done were counted: plain data. */
export interface Counted {
  /** Up to this number nothing is counted any more. */
  readonly floor: number
  /** Those above it that were. */
  readonly seen: readonly number[]
}

/** Numbers that are remembered; what is older than all of them is taken for a repeat. */
const SEEN_MAX = 64

/** Where an attempt begins. */
export const NOTHING_COUNTED: Counted = { floor: -1, seen: [] }

/** Whether a report that is not the newest says more than was counted: others overtook it on their way through another node. */
export function isOvertaken({ floor, seen }: Counted, { sequence, advance, entry }: OperationReport): boolean {
  return (
    sequence !== undefined &&
    advance !== undefined &&
    entry === undefined &&
    sequence > floor &&
    !seen.includes(sequence)
  )
}

/** What is counted with a report. `isAnew`: what was said before it does not count any more. */
export function count(counted: Counted, { sequence, advance }: OperationReport, isAnew: boolean): Counted {
  if (sequence === undefined) return counted
  if (isAnew) return { floor: Math.max(counted.floor, sequence), seen: [] }
  if (advance === undefined) return counted
  const seen = [...counted.seen, sequence]
  if (seen.length <= SEEN_MAX) return { ...counted, seen }
  const lowest = Math.min(...seen)
  return { floor: lowest, seen: seen.filter((other) => other !== lowest) }
}
