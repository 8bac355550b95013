import type { Activity } from '../../planning/plan.js'

/** A cleaning and what was done in its window. */
export interface Block {
  /** From 1, in each line anew. */
  readonly number: number
  readonly line: number
  /** In order: the cleaning, before which a line may have waited for working time, then what was done in its window. */
  readonly activities: readonly Activity[]
  readonly lots: number
  /** From the end of the cleaning to the end of the last fill. */
  readonly usedHours: number
}

/** The blocks of a plan, by line, then by time. */
export function blocksOf(activities: readonly Activity[]): Block[] {
  const groups: Activity[][] = []
  for (const activity of activities) {
    const current = groups.at(-1)
    const isOther = current?.[0]?.line !== activity.line
    const isNext = activity.kind === 'CLEAN' && current?.some(({ kind }) => kind !== 'CLOSED')
    if (current === undefined || isOther || isNext) groups.push([activity])
    else current.push(activity)
  }
  let before = 0
  return groups.map((group, at) => {
    before = groups[at - 1]?.[0]?.line === group[0]?.line ? before + 1 : 1
    return blockOf(group, before)
  })
}

function blockOf(activities: readonly Activity[], number: number): Block {
  const fills = activities.filter(({ kind }) => kind === 'FILL')
  const cleaned = activities.find(({ kind }) => kind === 'CLEAN')?.endHours ?? 0
  const usedHours = Math.max(0, (fills.at(-1)?.endHours ?? cleaned) - cleaned)
  return { number, line: activities[0]?.line ?? 1, activities, lots: fills.length, usedHours }
}
