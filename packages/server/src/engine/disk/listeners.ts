import { type Receiver, type Stream, streamKey } from '../engine.js'

/** Who listens to which stream, in this process. */
export class Listeners {
  readonly #receivers = new Map<string, readonly Receiver[]>()

  has(stream: string): boolean {
    return this.#receivers.has(stream)
  }

  /** Those who listen to a stream now, by its key. */
  of(stream: string): readonly Receiver[] {
    return this.#receivers.get(stream) ?? []
  }

  /** Answers its undo. */
  add(stream: Stream, receiver: Receiver): () => void {
    const key = streamKey(stream)
    this.#receivers.set(key, [...this.of(key), receiver])
    return () => {
      const rest = this.of(key).filter((other) => other !== receiver)
      if (rest.length === 0) this.#receivers.delete(key)
      else this.#receivers.set(key, rest)
    }
  }
}
