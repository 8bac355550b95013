import type { Clock } from '../../clock.js'
import type { Rate } from '../../engine/engine.js'
import { isCountable, networkOf } from '../../network-address.js'
import { RateTable } from './rate-table.js'

/** A rate over all nodes, as far as it is needed here. */
export interface WiderRate {
  /** 0, or after how many milliseconds to try again. Does not reject. */
  take(name: string): number | Promise<number>
}

/** One rate for each address (of IPv6: each /64): on this node at once, and on all nodes together. Peers on a Unix socket have no address, and no rate. */
export class AddressRate {
  readonly #name: string
  readonly #here: RateTable
  readonly #everywhere: WiderRate

  constructor(name: string, rate: Rate, clock: Pick<Clock, 'now'>, everywhere: WiderRate) {
    this.#name = name
    this.#here = new RateTable(clock, rate)
    this.#everywhere = everywhere
  }

  /** Takes one on this node and answers 0, or after how many milliseconds to try again. */
  takeHere(address: string): number {
    return isCountable(address) ? this.#here.take(networkOf(address)) : 0
  }

  /** Takes one of what all nodes have together. */
  takeEverywhere(address: string): number | Promise<number> {
    return isCountable(address) ? this.#everywhere.take(`${this.#name}:${networkOf(address)}`) : 0
  }
}
