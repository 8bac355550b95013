import type { FewestBlocks } from './fewest-blocks.js'
import type { Instance } from './instance.js'

/** What every set of blocks has to keep: so many at most, and at least so many, with each type. */
export interface BlockLimits {
  readonly fewest: FewestBlocks
  readonly blocksMax: number
}

/** How many blocks a plan that takes no more hours than this has at most: each costs more than its first lot can save. */
export function blocksAt({ types, cleanHours, creditHours }: Instance, limits: BlockLimits, hours: number): number {
  if (cleanHours <= creditHours) return limits.blocksMax
  const lots = types.reduce((sum, { count, lotHours }) => sum + count * lotHours, 0)
  const setups = types.reduce((sum, { setupHours }, type) => sum + setupHours * (limits.fewest.ofType[type] ?? 0), 0)
  return Math.min(limits.blocksMax, Math.floor((hours - lots - setups) / (cleanHours - creditHours) + 1e-6))
}
