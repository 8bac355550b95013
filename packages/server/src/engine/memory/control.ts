import type { Control } from '../engine.js'

type Receive = (text: string) => void

/** Texts between nodes that share one process. They arrive in a later turn, as from another machine. */
export class MemoryControl implements Control {
  readonly #receivers = new Map<string, readonly Receive[]>()

  async send(to: string | undefined, text: string): Promise<boolean> {
    await Promise.resolve()
    const reached = to === undefined ? [...this.#receivers.values()].flat() : (this.#receivers.get(to) ?? [])
    for (const receive of reached) receive(text)
    return reached.length > 0
  }

  async receive(node: string, receive: Receive): Promise<() => Promise<void>> {
    this.#receivers.set(node, [...(this.#receivers.get(node) ?? []), receive])
    return async () => {
      const rest = (this.#receivers.get(node) ?? []).filter((other) => other !== receive)
      if (rest.length === 0) this.#receivers.delete(node)
      else this.#receivers.set(node, rest)
    }
  }
}
