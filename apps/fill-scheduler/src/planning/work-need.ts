import { fewestBins } from './bin-count.js'
import type { Lot } from './lot.js'
import { changeoverHours, type Rules } from './rules.js'

/** What lots need, as the numbers of the proof of `lowerBoundHours`. */
export interface Need {
  /** Σ (fill + in) + Σ d(k)·T(k), the blocks' part aside. */
  readonly workHours: number
  /** B and Σ T(k) at least, and B at most. */
  readonly blocks: number
  readonly presence: number
  readonly blocksMax: number
  /** M, and the least d(k). */
  readonly mostOther: number
  readonly cheapest: number
  readonly groups: readonly Group[]
  /** T(k) at least. */
  readonly presences: readonly number[]
}

/** The least, over the numbers of blocks that there may be, of so many hours for each and what further types come to. */
export function leastOver({ blocks, presence, blocksMax, cheapest }: Need, hoursOfBlock: number): number {
  const cost = (count: number): number => hoursOfBlock * count + cheapest * Math.max(0, count - presence)
  return Math.min(...[blocks, Math.max(blocks, Math.min(presence, blocksMax)), blocksMax].map(cost))
}

/** The same for windows that hold no more than this. At least one lot. */
export function needOf(lots: readonly Lot[], rules: Rules, windowHours: number): Need {
  const groups = groupsOf(lots, rules)
  const mostOther = Math.max(...groups.map(({ fromOther }) => fromOther))
  const mostAny = Math.max(...groups.map(({ fromAny }) => fromAny))
  const sizes = groups.flatMap(({ fills, fromAny }) => fills.map((hours) => hours + fromAny))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const presences = groups.map(({ fills, fromAny }) =>
    fewestBins(
      fills.map((hours) => hours + fromAny),
      windowHours + fromAny,
    ),
  )
  const setups = groups.reduce((sum, { fromAny, fromOther }, k) => sum + (fromOther - fromAny) * (presences[k] ?? 0), 0)
  const byVolume = Math.ceil((total + setups) / (windowHours + mostOther) - 1e-7)
  return {
    workHours: total + setups,
    blocks: Math.min(lots.length, Math.max(byVolume, fewestBins(sizes, windowHours + mostAny))),
    presence: presences.reduce((sum, bins) => sum + bins, 0),
    blocksMax: lots.length,
    mostOther,
    cheapest: Math.min(...groups.map(({ fromAny, fromOther }) => fromOther - fromAny)),
    groups,
    presences,
  }
}

/** The lots of one type, and the shortest changeovers into it. */
interface Group {
  readonly fills: readonly number[]
  readonly fromAny: number
  readonly fromOther: number
}

function groupsOf(lots: readonly Lot[], rules: Rules): Group[] {
  const types = new Map<string, Lot[]>()
  for (const lot of lots) {
    const those = types.get(lot.type)
    if (those === undefined) types.set(lot.type, [lot])
    else those.push(lot)
  }
  return [...types].map(([type, those]) => {
    const own = changeoverHours(rules.changeover, type, type)
    const others = [...types.keys()].filter((other) => other !== type)
    const fromOther = Math.min(...others.map((other) => changeoverHours(rules.changeover, other, type)))
    const fromAny = Math.min(own, fromOther)
    return {
      fills: those.map(({ fillHours }) => fillHours),
      fromAny,
      fromOther: others.length === 0 ? fromAny : fromOther,
    }
  })
}
