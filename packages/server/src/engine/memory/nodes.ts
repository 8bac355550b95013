import type { Clock } from '../../clock.js'
import type { LiveNode, Nodes } from '../engine.js'

interface Lease {
  about: string
  until: number
}

/** Node leases in a table. */
export class MemoryNodes implements Nodes {
  readonly #clock: Clock
  readonly #letGo: (node: string) => void
  readonly #table = new Map<string, Lease>()

  /** `letGo` removes whatever a node holds. */
  constructor(clock: Clock, letGo: (node: string) => void) {
    this.#clock = clock
    this.#letGo = letGo
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async renew(node: string, about: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.now()
    const held = (this.#table.get(node)?.until ?? 0) > now
    // What a lapsed lease left behind goes first: it is entered anew, and nobody may reap it then.
    if (!held && this.#table.has(node)) this.#letGo(node)
    this.#table.set(node, { about, until: now + ttlMs })
    return held
  }

  async leave(node: string): Promise<void> {
    const lease = this.#table.get(node)
    if (lease !== undefined) lease.until = 0
  }

  async list(): Promise<readonly LiveNode[]> {
    const now = this.#clock.now()
    return [...this.#table].filter(([, { until }]) => until > now).map(([node, { about }]) => ({ node, about }))
  }

  async reap(): Promise<readonly string[]> {
    const now = this.#clock.now()
    const gone = [...this.#table].filter(([, { until }]) => until <= now).map(([node]) => node)
    for (const node of gone) {
      this.#table.delete(node)
      this.#letGo(node)
    }
    return gone
  }
}
