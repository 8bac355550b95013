import { isTerminal } from '@holdfast/protocol'
import type { Cancel, Clock } from '../clock.js'
import { type OperationStore, operationKey, parseOperationKey } from './store.js'

/** How often operations are looked at that others may have ended. */
const LOOK_MS = 60_000

/** Operations looked at together. */
const BATCH = 50

/** The places that operations have which began on this node, until they end, wherever that is. */
export class OperationPlaces {
  readonly #clock: Clock
  readonly #store: OperationStore
  readonly #places = new Map<string, () => void>()
  #stop: Cancel | undefined

  constructor(clock: Clock, store: OperationStore) {
    this.#clock = clock
    this.#store = store
  }

  /** Places held. */
  get size(): number {
    return this.#places.size
  }

  start(): void {
    this.#stop ??= this.#clock.every(LOOK_MS, () => void this.#look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** An operation has taken a place; `leave` gives it back. One before it that had its id is gone, whether its end was heard of or not. */
  take(tenant: string, id: string, leave: () => void): void {
    this.leave(tenant, id)
    this.#places.set(operationKey(tenant, id), leave)
  }

  /** An operation has ended. False when it has its place on another node, or none. */
  leave(tenant: string, id: string): boolean {
    const key = operationKey(tenant, id)
    const leave = this.#places.get(key)
    this.#places.delete(key)
    leave?.()
    return leave !== undefined
  }

  /** Gives back the places of those whose end was not heard of here. */
  async #look(): Promise<void> {
    const keys = [...this.#places.keys()]
    for (let at = 0; at < keys.length; at += BATCH)
      await Promise.all(keys.slice(at, at + BATCH).map((key) => this.#lookAt(key)))
  }

  async #lookAt(key: string): Promise<void> {
    const { tenant = '', id = '' } = parseOperationKey(key) ?? {}
    try {
      const stored = await this.#store.read(tenant, id)
      if (stored === undefined || isTerminal(stored.snapshot.state)) this.leave(tenant, id)
    } catch {
      // The engine is away: at the next look.
    }
  }
}
