import type { Clock } from '../../clock.js'
import type { Leases } from '../engine.js'

/** Leases in a table. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock
  readonly #table = new Map<string, { holder: string; until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Entries held. */
  get size(): number {
    return this.#table.size
  }

  async hold(name: string, holder: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.now()
    const lease = this.#table.get(name)
    if (lease !== undefined && lease.holder !== holder && lease.until > now) return false
    this.#table.set(name, { holder, until: now + ttlMs })
    return true
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#table.get(name)?.holder === holder) this.#table.delete(name)
  }

  sweep(): void {
    const now = this.#clock.now()
    for (const [name, { until }] of this.#table) if (until <= now) this.#table.delete(name)
  }
}
