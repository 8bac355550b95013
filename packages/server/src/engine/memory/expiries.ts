interface Expiry {
  readonly until: number
  readonly key: string
}

/** Which key ends next: a binary heap, the earliest first. A key may stand in it several times; whoever takes one looks whether that is still when it ends. */
export class Expiries {
  #heap: Expiry[] = []

  /** Ends noted, those that no longer hold among them. */
  get size(): number {
    return this.#heap.length
  }

  /** When the earliest ends. */
  get next(): number | undefined {
    return this.#heap[0]?.until
  }

  add(key: string, until: number): void {
    const heap = this.#heap
    let at = heap.length
    for (let above = (at - 1) >> 1; at > 0 && until < untilAt(heap, above); above = (at - 1) >> 1) {
      heap[at] = heap[above] as Expiry
      at = above
    }
    heap[at] = { key, until }
  }

  /** Takes the earliest, if its time has come. */
  takeDue(now: number): string | undefined {
    const [first] = this.#heap
    if (first === undefined || first.until > now) return undefined
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last)
    return first.key
  }

  /** Forgets all that was noted, and notes these. */
  reset(ends: Iterable<readonly [key: string, until: number]>): void {
    this.#heap = Array.from(ends, ([key, until]) => ({ key, until })).toSorted((one, other) => one.until - other.until)
  }

  /** Puts `expiry` where it belongs, from the top down. */
  #sink(expiry: Expiry): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      const left = at * 2 + 1
      const below = untilAt(heap, left + 1) < untilAt(heap, left) ? left + 1 : left
      if (untilAt(heap, below) >= expiry.until) break
      heap[at] = heap[below] as Expiry
      at = below
    }
    heap[at] = expiry
  }
}

function untilAt(heap: readonly Expiry[], at: number): number {
  return heap[at]?.until ?? Infinity
}
