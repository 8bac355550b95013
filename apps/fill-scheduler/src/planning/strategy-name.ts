/** Every way to plan. The first five are heuristics, `exact` proves its plan, `improver` is for hundreds of lots. */
export const STRATEGY_NAMES = [
  'smart-pack',
  'spt-pack',
  'lpt-pack',
  'cfs-pack',
  'hybrid-pack',
  'exact',
  'improver',
] as const

/** One of `STRATEGY_NAMES`. */
export type StrategyName = (typeof STRATEGY_NAMES)[number]

/** `classic` keeps the decisions of the reference formulas to the letter; `improved` is never worse. */
export type Mode = 'classic' | 'improved'
