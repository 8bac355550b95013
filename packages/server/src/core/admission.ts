import { type Identity, userKey } from '../access/identity.js'
import type { Engine } from '../engine/engine.js'

/** Who may connect now: the node's own bound, the bound of each user across nodes, and none while the node drains. */
export class Admission {
  readonly #engine: Engine
  readonly #connectionsMax: number
  readonly #perUserMax: number
  #connections = 0
  #open = true

  constructor(engine: Engine, connectionsMax: number, perUserMax: number) {
    this.#engine = engine
    this.#connectionsMax = connectionsMax
    this.#perUserMax = perUserMax
  }

  /** Whether the node takes new connections at all. */
  get isOpen(): boolean {
    return this.#open
  }

  /** Whether one more connection fits on this node. */
  get hasRoom(): boolean {
    return this.#connections < this.#connectionsMax
  }

  /** From now on nobody is admitted. */
  stop(): void {
    this.#open = false
  }

  arrived(): void {
    this.#connections += 1
  }

  departed(): void {
    this.#connections -= 1
  }

  /** Takes one of the user's places; false when there is none. */
  async takePlace(identity: Identity): Promise<boolean> {
    return (await this.#engine.counters.add(placeName(identity), 1, this.#perUserMax)) !== undefined
  }

  /** Gives the user's place back. */
  async leavePlace(identity: Identity): Promise<void> {
    await this.#engine.counters.add(placeName(identity), -1)
  }
}

function placeName(identity: Identity): string {
  return `connections:${userKey(identity)}`
}
