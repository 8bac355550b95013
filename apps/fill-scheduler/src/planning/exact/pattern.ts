import { EPSILON_HOURS } from '../rules.js'
import type { BlockOrder } from './block-order.js'
import type { Instance } from './instance.js'

/** What a block may hold: how many lots of each class. */
export interface Pattern {
  readonly counts: readonly number[]
  /** Its cleaning and its changeovers, in the best order. */
  readonly hours: number
  /** What it leaves of the window. */
  readonly slackHours: number
}

/** The pattern of these counts; undefined where no order of such lots fits into a window. No solver's tolerance comes into this: hours are compared as plans are checked. */
export function patternOf(instance: Instance, order: BlockOrder, counts: readonly number[]): Pattern | undefined {
  const changeovers = order.hours(typeCounts(instance, counts))
  const fill = instance.classes.reduce((sum, { fillHours }, index) => sum + fillHours * (counts[index] ?? 0), 0)
  const slackHours = instance.windowHours - fill - changeovers
  if (slackHours < -EPSILON_HOURS) return undefined
  return { counts: [...counts], hours: instance.cleanHours + changeovers, slackHours }
}

/** How many lots of each type these counts of classes are. */
export function typeCounts(instance: Instance, counts: readonly number[]): number[] {
  const byType = instance.types.map(() => 0)
  for (const [index, { type }] of instance.classes.entries()) byType[type] = (byType[type] ?? 0) + (counts[index] ?? 0)
  return byType
}
