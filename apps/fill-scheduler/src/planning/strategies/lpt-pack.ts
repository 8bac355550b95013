import { heuristicStrategy } from './heuristic.js'
import { leastChangeoverFirst } from './least-changeover-first.js'
import { longestFirst } from './lot-order.js'
import { sameTypeFirst } from './same-type-first.js'

/** Long lots first, staying with a type while one of it fits. */
export const lptPack = heuristicStrategy({
  name: 'lpt-pack',
  aliases: ['lpt', 'lptpack'],
  description: 'Long lots first, short ones into the gaps, staying with a type while a lot of it fits.',
  ordered: ({ lots }) => longestFirst(lots),
  picksInOrder: true,
  classicPicker: (_lots, { rules }) => sameTypeFirst(rules),
  improvedPickers: [(_lots, { rules }) => leastChangeoverFirst(rules)],
})
