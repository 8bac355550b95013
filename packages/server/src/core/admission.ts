import { type Identity, userKey } from '../access/identity.js'
import type { Engine } from '../engine/engine.js'
import type { Retries } from './retries.js'

/** Who may connect now: the node's own bound, the bound of each user across nodes, and none while the node drains. */
export class Admission {
  readonly #engine: Engine
  readonly #node: string
  readonly #connectionsMax: number
  readonly #perUserMax: number
  readonly #retries: Retries
  #connections = 0
  #open = true

  constructor(engine: Engine, node: string, connectionsMax: number, perUserMax: number, retries: Retries) {
    this.#engine = engine
    this.#node = node
    this.#connectionsMax = connectionsMax
    this.#perUserMax = perUserMax
    this.#retries = retries
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
    return (
      (await this.#engine.counters.add(placeName(identity), 1, { node: this.#node, max: this.#perUserMax })) !==
      undefined
    )
  }

  /** Gives the user's place back; where the engine refuses, as soon as it does no more. */
  leavePlace(identity: Identity): Promise<void> {
    return this.#retries.insist(() => this.#engine.counters.add(placeName(identity), -1, { node: this.#node }))
  }
}

function placeName(identity: Identity): string {
  return `connections:${userKey(identity)}`
}
