/** First in, first out, in constant time on average: a `Set` or an array walks over what has left its front. */
export class Fifo<T> {
  #incoming: T[] = []
  /** The next one stands last. */
  #outgoing: T[] = []

  /** How many there are. */
  get size(): number {
    return this.#incoming.length + this.#outgoing.length
  }

  add(item: T): void {
    this.#incoming.push(item)
  }

  /** Takes out whatever came first; undefined when there is nothing. */
  take(): T | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.toReversed()
      this.#incoming = []
    }
    return this.#outgoing.pop()
  }
}
