import type { IndexEntry } from './engine.js'

/** Entries of an index at most: beyond it the one that ends next is forgotten. */
export const INDEX_ENTRIES_MAX = 1_000_000

/** Below 0: `one` stands before `other`; 0: they are the same. Texts are compared by code unit, as everywhere in the language. */
export function compareEntries(one: IndexEntry, other: IndexEntry): number {
  if (one.score !== other.score) return one.score - other.score
  if (one.key === other.key) return 0
  return one.key < other.key ? -1 : 1
}

/** The score as it is stored: -0 is 0. @throws RangeError when it is no number by which anything could be sorted. */
export function soundScore(score: number): number {
  if (!Number.isFinite(score))
    throw new RangeError(`the score of an index entry must be a finite number, received ${score}`)
  return score + 0
}
