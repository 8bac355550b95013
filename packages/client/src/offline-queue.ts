/** The bounds of what may wait to be sent. */
export interface OfflineQueueOptions {
  /** Commands. 0 means that nothing waits. */
  readonly countMax: number
  /** Bytes of their frames. */
  readonly bytesMax: number
  /** Milliseconds that a publish may be old; under the five minutes for which the server knows its key. */
  readonly ageMaxMs: number
}

/** What waits has a size and a place. */
export interface Queued {
  readonly bytes: number
  /** Rises with every command. */
  readonly id: number
  /** Goes before what is not, and is never refused. */
  readonly urgent: boolean
}

/** What waits to be sent, in order, bounded by count and bytes. Age is watched by whoever puts things in. */
export class OfflineQueue<T extends Queued> {
  readonly #options: OfflineQueueOptions
  readonly #items: T[] = []
  /** Bytes that wait. */
  bytes = 0

  constructor(options: OfflineQueueOptions) {
    this.#options = options
  }

  /** How many wait. */
  get count(): number {
    return this.#items.length
  }

  /** Adds what is new; false when a bound is reached, and nothing was added. */
  push(item: T): boolean {
    const { countMax, bytesMax } = this.#options
    const isFull = this.#items.length >= countMax || this.bytes + item.bytes > bytesMax
    if (isFull && !item.urgent) return false
    this.putBack(item)
    return true
  }

  /** Puts it where it belongs. Not refused: what had left was counted when it came. */
  putBack(item: T): void {
    const next = this.#items.findLastIndex(({ id, urgent }) => (urgent === item.urgent ? id < item.id : urgent))
    this.#items.splice(next + 1, 0, item)
    this.bytes += item.bytes
  }

  /** Takes the first of which `mayGo` is true. */
  take(mayGo: (item: T) => boolean): T | undefined {
    const item = this.#items.find(mayGo)
    if (item) this.remove(item)
    return item
  }

  /** Takes one out of the middle, if it is there. */
  remove(item: T): void {
    const index = this.#items.indexOf(item)
    if (index < 0) return
    this.#items.splice(index, 1)
    this.bytes -= item.bytes
  }

  /** Takes all. */
  clear(): T[] {
    this.bytes = 0
    return this.#items.splice(0)
  }
}
