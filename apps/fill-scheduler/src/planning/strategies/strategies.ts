import { exact } from '../exact/exact.js'
import { improver } from '../improver/improver.js'
import type { Strategy } from '../strategy.js'
import { HEURISTICS } from './heuristics.js'

/** Every strategy, in the order in which they are offered. */
export const STRATEGIES: readonly Strategy[] = [...HEURISTICS, exact, improver]

/** The strategy of this name or alias: in any case, `_` standing for `-`. Undefined: there is none. */
export function findStrategy(nameOrAlias: string): Strategy | undefined {
  const wanted = nameOrAlias.trim().toLowerCase().replaceAll('_', '-')
  return STRATEGIES.find(({ name, aliases }) => name === wanted || aliases.includes(wanted))
}
