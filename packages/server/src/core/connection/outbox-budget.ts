/** A queue that can be given up to make room for the others. */
export interface Sheddable {
  /** Bytes that wait in the queue. */
  readonly queuedBytes: number
  /** Gives the queue, and its connection, up. */
  shed(): void
}

/** Above this share of the budget nobody new is admitted: those who are here come first. */
const ADMITTING = 0.9

/** What the queues of a node may hold together. Only slow readers have queues; over the budget the largest goes first. */
export class OutboxBudget {
  readonly #bytesMax: number
  readonly #queues = new Set<Sheddable>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that wait for slow readers, all together. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether the node has memory for more connections. */
  get admits(): boolean {
    return this.#bytes <= this.#bytesMax * ADMITTING
  }

  /** A queue has grown by `bytes`. */
  grow(queue: Sheddable, bytes: number): void {
    this.#queues.add(queue)
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax && this.#queues.size > 0) this.#shedLargest()
  }

  /** A queue has shrunk by `bytes`; an empty one is forgotten. */
  shrink(queue: Sheddable, bytes: number): void {
    this.#bytes -= bytes
    if (queue.queuedBytes === 0) this.#queues.delete(queue)
  }

  #shedLargest(): void {
    let largest: Sheddable | undefined
    for (const queue of this.#queues) if (queue.queuedBytes > (largest?.queuedBytes ?? -1)) largest = queue
    if (largest === undefined) return
    largest.shed()
    this.#queues.delete(largest)
  }
}
