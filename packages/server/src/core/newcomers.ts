import { networkOf } from './network.js'
import type { NewcomerLimits } from './rate-limits.js'

/** Connections between their upgrade and their welcome: nobody knows yet who they are, so there must not be many, least of all from one address. */
export class Newcomers {
  readonly #limits: NewcomerLimits
  readonly #byNetwork = new Map<string, number>()
  #size = 0

  constructor(limits: NewcomerLimits) {
    this.#limits = limits
  }

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** Whether the node can take one more. */
  get hasRoom(): boolean {
    return this.#size < this.#limits.nodeMax
  }

  /** Whether one more may come from an address. */
  hasRoomFor(address: string): boolean {
    return (this.#byNetwork.get(networkOf(address)) ?? 0) < this.#limits.addressMax
  }

  /** One has come. */
  arrived(address: string): void {
    const network = networkOf(address)
    this.#size += 1
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1)
  }

  /** It was welcomed, or it is gone. */
  departed(address: string): void {
    const network = networkOf(address)
    const left = (this.#byNetwork.get(network) ?? 0) - 1
    this.#size -= 1
    if (left > 0) this.#byNetwork.set(network, left)
    else this.#byNetwork.delete(network)
  }
}
