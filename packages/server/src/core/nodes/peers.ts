import type { Clock } from '../../clock.js'
import type { Nodes } from '../../engine/engine.js'

/** How long the list of nodes is believed. */
const BELIEVED_MS = 1_000

/** How long their number is believed. */
const COUNTED_MS = 5_000

/** The nodes that hold their lease, as of a moment ago. */
export class Peers {
  readonly #nodes: Nodes
  readonly #clock: Clock
  #asked: Promise<ReadonlySet<string>> | undefined
  #askedAt = 0
  #known = 1

  constructor(nodes: Nodes, clock: Clock) {
    this.#nodes = nodes
    this.#clock = clock
  }

  /** Their names, at most a second old. Rejects when the engine cannot be reached. */
  live(): Promise<ReadonlySet<string>> {
    const isBelieved = this.#sinceAsked() <= BELIEVED_MS
    return this.#asked !== undefined && isBelieved ? this.#asked : this.liveNow()
  }

  /** As `live`, asked anew: for what must reach a node that began a moment ago. */
  liveNow(): Promise<ReadonlySet<string>> {
    this.#askedAt = this.#clock.now()
    const asked = this.#list()
    this.#asked = asked
    // The next to ask does not get this error.
    asked.catch(() => {
      if (this.#asked === asked) this.#asked = undefined
    })
    return asked
  }

  /** How many they were when that was last known, at least 1. Asks anew behind the scenes when that is long ago. */
  count(): number {
    if (this.#sinceAsked() > COUNTED_MS) this.live().catch(() => undefined)
    return this.#known
  }

  /** A clock that was set back makes a list no younger. */
  #sinceAsked(): number {
    return Math.abs(this.#clock.now() - this.#askedAt)
  }

  async #list(): Promise<ReadonlySet<string>> {
    const live = new Set((await this.#nodes.list()).map(({ node }) => node))
    this.#known = Math.max(live.size, 1)
    return live
  }
}
