import type { IndexEntry, IndexRange } from '../engine.js'
import { compareEntries } from '../index-order.js'

/** Entries in one block at most: few enough that putting one in between costs little, many enough that there are few blocks. */
const BLOCK_MAX = 256

/** Entries in order, in a list of short blocks: whatever is done to it looks at one block, found by halving. An entry may stand in it once. */
export class SortedEntries {
  /** None of them is empty. */
  readonly #blocks: IndexEntry[][] = []

  add(entry: IndexEntry): void {
    const at = Math.max(0, this.#blockOf(entry))
    const block = this.#blocks[at]
    if (block === undefined) {
      this.#blocks.push([entry])
      return
    }
    block.splice(placeIn(block, entry), 0, entry)
    if (block.length > BLOCK_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_MAX / 2))
  }

  remove(entry: IndexEntry): void {
    const at = this.#blockOf(entry)
    const block = this.#blocks[at]
    if (block === undefined) return
    const place = placeIn(block, entry)
    const found = block[place]
    if (found === undefined || compareEntries(found, entry) !== 0) return
    block.splice(place, 1)
    if (block.length === 0) this.#blocks.splice(at, 1)
  }

  range({ from = -Infinity, to = Infinity, after, order = 'ascending', limit }: IndexRange): IndexEntry[] {
    const found: IndexEntry[] = []
    const isUp = order === 'ascending'
    for (const entry of isUp ? this.#up(from, after) : this.#down(to, after)) {
      if (found.length >= limit || (isUp ? entry.score > to : entry.score < from)) break
      found.push({ key: entry.key, score: entry.score })
    }
    return found
  }

  /** From the first that is at `from` or above, and behind `after`. */
  *#up(from: number, after: IndexEntry | undefined): Generator<IndexEntry> {
    // Nothing stands before the empty key.
    const first = after === undefined || after.score < from ? { key: '', score: from } : after
    let at = Math.max(0, this.#blockOf(first))
    let place = placeIn(this.#blocks[at] ?? [], first)
    for (let block = this.#blocks[at]; block !== undefined; block = this.#blocks[(at += 1)]) {
      for (; place < block.length; place += 1) {
        const entry = block[place] as IndexEntry
        if (after === undefined || compareEntries(entry, after) > 0) yield entry
      }
      place = 0
    }
  }

  /** Downwards from the last that is at `to` or below, and before `after`. */
  *#down(to: number, after: IndexEntry | undefined): Generator<IndexEntry> {
    const isAfter = after !== undefined && after.score <= to
    const goesBeyond = (entry: IndexEntry): boolean => (isAfter ? compareEntries(entry, after) >= 0 : entry.score > to)
    let at = firstIndex(this.#blocks, (block) => goesBeyond(block[0] as IndexEntry)) - 1
    for (let block = this.#blocks[at]; block !== undefined; block = this.#blocks[(at -= 1)]) {
      for (let place = firstIndex(block, goesBeyond) - 1; place >= 0; place -= 1) yield block[place] as IndexEntry
    }
  }

  /** The block in which an entry stands or would; -1 when it stands before all. */
  #blockOf(entry: IndexEntry): number {
    return firstIndex(this.#blocks, ([first]) => first !== undefined && compareEntries(first, entry) > 0) - 1
  }
}

function placeIn(block: readonly IndexEntry[], entry: IndexEntry): number {
  return firstIndex(block, (other) => compareEntries(other, entry) >= 0)
}

/** The first place for which it holds, in a list where it holds for all from some place on. */
function firstIndex<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(list[middle] as T)) high = middle
    else low = middle + 1
  }
  return low
}
