import { heuristicStrategy } from './heuristic.js'
import { leastChangeoverFirst, longestAtLast } from './least-changeover-first.js'
import { frequentTypesThenShortest } from './lot-order.js'
import { sameTypeFirst } from './same-type-first.js'

/** Frequent types first, short lots first, staying with a type while one of it fits. */
export const sptPack = heuristicStrategy({
  name: 'spt-pack',
  aliases: ['spt', 'sptpack'],
  description: 'Short lots of frequent types first, staying with a type while a lot of it fits.',
  ordered: ({ lots }) => frequentTypesThenShortest(lots),
  picksInOrder: true,
  classicPicker: (_lots, { rules }) => sameTypeFirst(rules),
  improvedPickers: [(_lots, { rules }) => longestAtLast(rules), (_lots, { rules }) => leastChangeoverFirst(rules)],
})
