import type { Clock } from '../../clock.js'
import type { IndexEntry, IndexRange, Indexes } from '../engine.js'
import { INDEX_ENTRIES_MAX, soundScore } from '../index-order.js'
import { Expiries } from './expiries.js'
import { SortedEntries } from './sorted-entries.js'

/** An entry as it is kept. */
export interface KeptPlace {
  readonly score: number
  /** When it ends, in milliseconds since 1970. */
  readonly until: number
}

/** Ends noted beyond twice as many as there are entries, before they are noted anew: each renewal leaves one that no longer holds. */
const STALE_ENDS_MAX = 64

interface Index {
  /** Those written last stand last. */
  readonly places: Map<string, KeptPlace>
  readonly sorted: SortedEntries
  readonly ends: Expiries
}

/** Indexes in tables. */
export class MemoryIndexes implements Indexes {
  readonly #clock: Pick<Clock, 'now'>
  readonly #entriesMax: number
  readonly #indexes = new Map<string, Index>()

  /** `entriesMax`: of each index. */
  constructor(clock: Pick<Clock, 'now'>, entriesMax: number = INDEX_ENTRIES_MAX) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  /** Entries held, in all indexes. */
  get size(): number {
    let size = 0
    for (const { places } of this.#indexes.values()) size += places.size
    return size
  }

  /** Indexes that hold something. */
  get count(): number {
    return this.#indexes.size
  }

  async put(name: string, { key, score, ttlMs }: IndexEntry & { readonly ttlMs: number }): Promise<void> {
    this.#live(name)
    this.hold(name, key, { score: soundScore(score), until: this.#clock.now() + ttlMs })
  }

  async remove(name: string, key: string): Promise<boolean> {
    const removed = this.peek(name, key) !== undefined
    this.drop(name, key)
    return removed
  }

  async range(name: string, range: IndexRange): Promise<readonly IndexEntry[]> {
    return this.#live(name)?.sorted.range(range) ?? []
  }

  /** All indexes with their entries, the oldest first. */
  tables(): { readonly size: number; entries(): Iterable<[name: string, places: ReadonlyMap<string, KeptPlace>]> } {
    const indexes = this.#indexes
    return {
      size: indexes.size,
      *entries() {
        for (const [name, { places }] of indexes) yield [name, places]
      },
    }
  }

  /** An entry now, without waiting. */
  peek(name: string, key: string): KeptPlace | undefined {
    return this.#live(name)?.places.get(key)
  }

  /** Puts an entry in place, whatever is there. */
  hold(name: string, key: string, place: KeptPlace): void {
    const index = this.#indexes.get(name) ?? {
      places: new Map<string, KeptPlace>(),
      sorted: new SortedEntries(),
      ends: new Expiries(),
    }
    this.#indexes.set(name, index)
    const held = index.places.get(key)
    if (held !== undefined) index.sorted.remove({ key, score: held.score })
    // Removed first, so that the table stays in order of age.
    index.places.delete(key)
    index.places.set(key, place)
    index.sorted.add({ key, score: place.score })
    index.ends.add(key, place.until)
    if (index.ends.size > index.places.size * 2 + STALE_ENDS_MAX) index.ends.reset(endsOf(index))
    while (index.places.size > this.#entriesMax) this.#takeDue(name, index, Infinity)
  }

  /** Removes an entry, if there is one. */
  drop(name: string, key: string): void {
    const index = this.#indexes.get(name)
    const place = index?.places.get(key)
    if (index === undefined || place === undefined) return
    index.places.delete(key)
    index.sorted.remove({ key, score: place.score })
    if (index.places.size === 0) this.#indexes.delete(name)
  }

  sweep(): void {
    for (const name of [...this.#indexes.keys()]) this.#live(name)
  }

  /** An index without what has ended. */
  #live(name: string): Index | undefined {
    const index = this.#indexes.get(name)
    if (index === undefined) return undefined
    const now = this.#clock.now()
    while (this.#takeDue(name, index, now)) continue
    return this.#indexes.get(name)
  }

  /** Drops what ends next, if that is up to `now`; false when nothing does. */
  #takeDue(name: string, index: Index, now: number): boolean {
    const { next } = index.ends
    const key = index.ends.takeDue(now)
    if (key === undefined) return false
    // An entry that was renewed has left its earlier end behind.
    if (index.places.get(key)?.until === next) this.drop(name, key)
    return true
  }
}

function* endsOf({ places }: Index): IterableIterator<[key: string, until: number]> {
  for (const [key, { until }] of places) yield [key, until]
}
