import { heuristicStrategy } from './heuristic.js'
import { leastChangeoverFirst, longestAtLast } from './least-changeover-first.js'
import { typeByType } from './lot-order.js'
import { sameTypeFirst } from './same-type-first.js'

/** Type by type, the order of types and of lots inside them being settings. */
export const cfsPack = heuristicStrategy({
  name: 'cfs-pack',
  aliases: ['cfs', 'cfspack'],
  description: 'Type by type: the largest group first, inside it long (or short) lots first.',
  ordered: ({ lots, settings }) => typeByType(lots, settings.strategies.cfsPack),
  picksInOrder: true,
  classicPicker: (_lots, { rules }) => sameTypeFirst(rules),
  improvedPickers: [(_lots, { rules }) => leastChangeoverFirst(rules), (_lots, { rules }) => longestAtLast(rules)],
})
