/** The bounds of what may wait to be sent. */
export interface OfflineQueueOptions {
  /** Commands. 0 means that nothing waits. */
  readonly countMax: number
  /** Bytes of their frames. */
  readonly bytesMax: number
  /** Milliseconds that a publish may be old; under the five minutes for which the server knows its key. */
  readonly ageMaxMs: number
}

/** What waits has a size. */
export interface Queued {
  readonly bytes: number
}

/** What waits to be sent, in order, bounded by count and bytes. Age is watched by whoever puts things in. */
export class OfflineQueue<T extends Queued> {
  readonly #options: OfflineQueueOptions
  readonly #items: T[] = []
  #bytes = 0

  constructor(options: OfflineQueueOptions) {
    this.#options = options
  }

  /** How many wait. */
  get count(): number {
    return this.#items.length
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds at the end; false when a bound is reached, and nothing was added. */
  push(item: T): boolean {
    const { countMax, bytesMax } = this.#options
    if (this.#items.length >= countMax || this.#bytes + item.bytes > bytesMax) return false
    this.#items.push(item)
    this.#bytes += item.bytes
    return true
  }

  /** Puts what had left back in front, in its order. Not refused: it was counted when it came. */
  putBack(items: readonly T[]): void {
    this.#items.unshift(...items)
    for (const item of items) this.#bytes += item.bytes
  }

  /** Takes the first. */
  shift(): T | undefined {
    const item = this.#items.shift()
    if (item) this.#bytes -= item.bytes
    return item
  }

  /** Takes one out of the middle; false when it is not there. */
  remove(item: T): boolean {
    const index = this.#items.indexOf(item)
    if (index < 0) return false
    this.#items.splice(index, 1)
    this.#bytes -= item.bytes
    return true
  }

  /** Takes all. */
  clear(): T[] {
    this.#bytes = 0
    return this.#items.splice(0)
  }
}
