import type { IndexEntry } from '../engine.js'
import { soundScore } from '../index-order.js'
import type { KeptPlace, MemoryIndexes } from '../memory/indexes.js'
import type { Decision } from './draft.js'
import { entryKey } from './tables.js'

/** The indexes as they will be when everything decided since the last write is on the disk. */
export class IndexDraft {
  readonly #indexes: MemoryIndexes
  readonly #now: number
  /** What was placed, or displaced (undefined), since the last write. */
  readonly #changed = new Map<string, KeptPlace | undefined>()

  /** Everything in it happens at `now`. */
  constructor(indexes: MemoryIndexes, now: number) {
    this.#indexes = indexes
    this.#now = now
  }

  put(index: string, { key, score, ttlMs }: IndexEntry & { readonly ttlMs: number }): Decision<undefined> {
    const place = { score: soundScore(score), until: this.#now + ttlMs }
    this.#changed.set(entryKey(index, key), place)
    return { entries: [{ kind: 'place', index, key, ...place }], answer: undefined }
  }

  remove(index: string, key: string): Decision<boolean> {
    const name = entryKey(index, key)
    const place = this.#changed.has(name) ? this.#changed.get(name) : this.#indexes.peek(index, key)
    if (place === undefined) return { entries: [], answer: false }
    this.#changed.set(name, undefined)
    return { entries: [{ kind: 'displace', index, key }], answer: true }
  }
}
