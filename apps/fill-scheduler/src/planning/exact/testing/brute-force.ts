import type { Lot } from '../../lot.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../../rules.js'

/** The least makespan of all plans, by trying them all: the shortest order of each set of lots, then each partition into sets that fit. For up to a dozen lots on one line. */
export function leastMakespanHours(lots: readonly Lot[], rules: Rules): number {
  const all = 2 ** lots.length
  const blocks = blockHours(lots, rules)
  const least = new Float64Array(all).fill(Infinity)
  least[0] = 0
  for (let set = 1; set < all; set++) {
    for (let block = set; block > 0; block = (block - 1) & set) {
      const rest = least[set ^ block] ?? Infinity
      least[set] = Math.min(least[set] ?? Infinity, rest + rules.cleanHours + (blocks[block] ?? Infinity))
    }
  }
  return least[all - 1] ?? Infinity
}

/** For each set of lots its fills and changeovers in the shortest order; `Infinity`: longer than the window. */
function blockHours(lots: readonly Lot[], rules: Rules): Float64Array {
  const all = 2 ** lots.length
  const endings = Array.from({ length: all }, () => new Float64Array(lots.length).fill(Infinity))
  const hours = new Float64Array(all).fill(Infinity)
  for (let set = 1; set < all; set++) {
    for (const [last, lot] of lots.entries()) {
      if ((set & (1 << last)) === 0) continue
      const before = set ^ (1 << last)
      const least = before === 0 ? 0 : leastBefore(endings[before] ?? new Float64Array(), lots, lot, rules)
      const ending = endings[set]
      if (ending !== undefined) ending[last] = least + lot.fillHours
      hours[set] = Math.min(hours[set] ?? Infinity, least + lot.fillHours)
    }
    if ((hours[set] ?? 0) > rules.windowHours + EPSILON_HOURS) hours[set] = Infinity
  }
  return hours
}

function leastBefore(endings: Float64Array, lots: readonly Lot[], to: Lot, rules: Rules): number {
  return lots.reduce(
    (least, from, index) =>
      Math.min(least, (endings[index] ?? Infinity) + changeoverHours(rules.changeover, from.type, to.type)),
    Infinity,
  )
}
