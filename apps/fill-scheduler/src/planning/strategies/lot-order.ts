import type { Lot } from '../lot.js'

/** Types with many lots first; those with equally many interleave by fill time, the shortest first. */
export function frequentTypesThenShortest(lots: readonly Lot[]): readonly Lot[] {
  const counts = countsByType(lots)
  const count = (lot: Lot): number => counts.get(lot.type) ?? 0
  return lots.toSorted((one, other) => count(other) - count(one) || one.fillHours - other.fillHours)
}

/** The longest first, then by type, then by id. */
export function longestFirst(lots: readonly Lot[]): readonly Lot[] {
  return lots.toSorted(
    (one, other) => other.fillHours - one.fillHours || byText(one.type, other.type) || byText(one.id, other.id),
  )
}

/** Type by type: those with most lots or most hours first, then by name; inside longest or shortest first, then by id. */
export function typeByType(
  lots: readonly Lot[],
  settings: { readonly clusterOrder: 'by_count' | 'by_total_hours'; readonly within: 'LPT' | 'SPT' },
): readonly Lot[] {
  const weights = settings.clusterOrder === 'by_count' ? countsByType(lots) : hoursByType(lots)
  const weight = (lot: Lot): number => weights.get(lot.type) ?? 0
  const sign = settings.within === 'LPT' ? -1 : 1
  return lots.toSorted(
    (one, other) =>
      weight(other) - weight(one) ||
      byText(one.type, other.type) ||
      sign * (one.fillHours - other.fillHours) ||
      byText(one.id, other.id),
  )
}

/** What is due first stands first; what is alike keeps its order, and what is never due stands last. */
export function earliestDueFirst(lots: readonly Lot[]): readonly Lot[] {
  const due = ({ dueHours = Number.MAX_VALUE }: Lot): number => dueHours
  return lots.toSorted((one, other) => due(one) - due(other))
}

function countsByType(lots: readonly Lot[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type } of lots) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

function hoursByType(lots: readonly Lot[]): Map<string, number> {
  const hours = new Map<string, number>()
  for (const { type, fillHours } of lots) hours.set(type, (hours.get(type) ?? 0) + fillHours)
  return hours
}

/** By code units, so that the order is the same everywhere. */
function byText(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
