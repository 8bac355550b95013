import type { Lot } from '../lot.js'
import type { Arrangement } from '../plan.js'
import type { BlockOrder } from './block-order.js'
import type { Instance } from './instance.js'
import { patternOf, typeCounts, type Pattern } from './pattern.js'

/** The blocks of an arrangement of one line as patterns, each with its changeovers in the best order. */
export function patternsOf(instance: Instance, order: BlockOrder, arrangement: Arrangement): Pattern[] {
  const classOf = new Map(instance.classes.flatMap(({ lots }, index) => lots.map((lot) => [lot, index] as const)))
  return arrangement.flat().flatMap((block) => {
    const counts = instance.classes.map(() => 0)
    for (const lot of block) {
      const index = classOf.get(lot) ?? -1
      counts[index] = (counts[index] ?? 0) + 1
    }
    const pattern = block.length === 0 ? undefined : patternOf(instance, order, counts)
    return pattern === undefined ? [] : [pattern]
  })
}

/** An arrangement with these blocks: lots that are alike in the order of `lots`, blocks by their first lot in it. */
export function arrangementOf(
  instance: Instance,
  order: BlockOrder,
  lots: readonly Lot[],
  blocks: readonly Pattern[],
): Arrangement {
  const stock = instance.classes.map((each) => [...each.lots])
  const place = new Map(lots.map((lot, index) => [lot, index]))
  const filled = blocks.map((block) => lotsOf(instance, order, block, stock))
  const first = (block: readonly Lot[]): number => Math.min(...block.map((lot) => place.get(lot) ?? 0))
  return [filled.toSorted((a, b) => first(a) - first(b))]
}

/** Takes the lots of a block from the stock and puts them in the best order of types. */
function lotsOf(instance: Instance, order: BlockOrder, block: Pattern, stock: readonly Lot[][]): Lot[] {
  const byType: Lot[][] = instance.types.map(() => [])
  for (const [index, count] of block.counts.entries()) {
    byType[instance.classes[index]?.type ?? 0]?.push(...(stock[index]?.splice(0, count) ?? []))
  }
  return order.order(typeCounts(instance, block.counts)).flatMap((type) => byType[type]?.splice(0, 1) ?? [])
}
