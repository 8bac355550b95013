import type { Cancel, Clock } from '../../clock.js'
import { isCountable, networkOf } from '../../network-address.js'
import type { NewcomerLimits } from './rate-limits.js'

/** A connection that has not been welcomed. */
export interface Newcomer {
  readonly address: string
  readonly openedAt: number
  /** Whether it has not said who it is. */
  readonly isSilent: boolean
  /** It took too long, or others need its room. */
  giveUp(): void
}

/** How often it is looked who has taken too long: a socket that is only held open must not be so for long. */
const LOOK_MS = 250

/** Whoever says nothing for so long makes room where there is none: who means well says hello at once. */
const SILENT_MS = 1_000

/** Connections between their upgrade and their welcome: nobody knows yet who they are, so there must not be many, least of all from one address, and not for long. */
export class Newcomers {
  readonly #clock: Clock
  readonly #limits: NewcomerLimits
  readonly #byNetwork = new Map<string, number>()
  /** The oldest stand first. */
  readonly #members = new Set<Newcomer>()
  #cancel: Cancel | undefined

  constructor(clock: Clock, limits: NewcomerLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** How many there are. */
  get size(): number {
    return this.#members.size
  }

  /** Whether the node can take one more. */
  get hasRoom(): boolean {
    return this.#members.size < this.#limits.nodeMax
  }

  /** Whether one more may come from an address. */
  hasRoomFor(address: string): boolean {
    return !isCountable(address) || (this.#byNetwork.get(networkOf(address)) ?? 0) < this.#limits.addressMax
  }

  /**
   * Where the node is full of newcomers, the oldest silent one from the address with most of them has to go, so that a few addresses that only hold sockets open keep nobody out, be it behind the
   * same proxy. Where each address has one there is none with most of them.
   */
  makeRoomFor(address: string): void {
    if (this.hasRoom) return
    const own = networkOf(address)
    const owned = this.#byNetwork.get(own) ?? 0
    let most = owned + 1
    let crowd = owned > 1 ? own : undefined
    for (const [network, count] of this.#byNetwork) if (count > most) [crowd, most] = [network, count]
    if (crowd !== undefined) this.#oldestSilent(crowd)?.giveUp()
  }

  /** One has come. */
  arrived(newcomer: Newcomer): void {
    const network = networkOf(newcomer.address)
    this.#members.add(newcomer)
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1)
    this.#cancel ??= this.#clock.every(LOOK_MS, () => this.#look())
  }

  /** It was welcomed, or it is gone. */
  departed(newcomer: Newcomer): void {
    if (!this.#members.delete(newcomer)) return
    const network = networkOf(newcomer.address)
    const left = (this.#byNetwork.get(network) ?? 0) - 1
    if (left > 0) this.#byNetwork.set(network, left)
    else this.#byNetwork.delete(network)
  }

  /** Looks at nobody any more. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #oldestSilent(network: string): Newcomer | undefined {
    const now = this.#clock.now()
    for (const newcomer of this.#members) {
      if (now - newcomer.openedAt < SILENT_MS) return undefined
      if (newcomer.isSilent && networkOf(newcomer.address) === network) return newcomer
    }
    return undefined
  }

  #look(): void {
    if (this.#members.size === 0) return this.stop()
    const now = this.#clock.now()
    for (const newcomer of this.#members) {
      if (now - newcomer.openedAt < this.#limits.timeoutMs) return
      newcomer.giveUp()
    }
  }
}
