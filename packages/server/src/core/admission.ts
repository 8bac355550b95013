import { type Identity, userKey } from '../access/identity.js'
import type { Engine } from '../engine/engine.js'
import { networkOf } from './network.js'
import type { Retries } from './retries.js'

/** Who takes a place. */
export interface Visitor {
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  /** Of the other end of the socket. */
  readonly address: string
}

/** How many connections there may be. */
export interface AdmissionLimits {
  /** Of this node. */
  readonly connectionsMax: number
  /** Of one user, on all nodes. */
  readonly connectionsPerUserMax: number
  /** Of one tenant, on all nodes; undefined: as many as come. */
  readonly connectionsPerTenantMax: number | undefined
  /** From one address (of IPv6: from one /64), on all nodes; undefined: as many as come. */
  readonly connectionsPerAddressMax: number | undefined
}

/** More than any share: a share never falls below 0, so taking this off empties it. */
const EVERYTHING = 1_000_000_000

/** Shares entered anew at a time. */
const BATCH = 100

interface Count {
  readonly name: string
  readonly max: number
}

type Answer = 'taken' | 'refused' | 'unknown'

/**
 * Who may connect now: the node's own bound, the bounds of each user, tenant and address across nodes, and none while the node drains. Places are
 * counted here too: while the engine is away each bound holds for this node alone, and when it is back this node's share is set to what is counted here.
 */
export class Admission {
  readonly #engine: Pick<Engine, 'counters' | 'problem'>
  readonly #node: string
  readonly #limits: AdmissionLimits
  readonly #retries: Retries
  /** Places taken on this node, by the name of their counter. */
  readonly #here = new Map<string, number>()
  /** Counters whose share may not be what is counted here. */
  readonly #unsettled = new Set<string>()
  #settling = false
  #settled = 0
  #connections = 0
  #open = true

  constructor(engine: Pick<Engine, 'counters' | 'problem'>, node: string, limits: AdmissionLimits, retries: Retries) {
    this.#engine = engine
    this.#node = node
    this.#limits = limits
    this.#retries = retries
  }

  /** Whether the node takes new connections at all. */
  get isOpen(): boolean {
    return this.#open
  }

  /** Whether one more connection fits on this node. */
  get hasRoom(): boolean {
    return this.#connections < this.#limits.connectionsMax
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

  /** Takes a place; false when there is none. One that `moves` here from another node is there already: it is counted, and not refused. */
  async takePlace(visitor: Visitor, moves: boolean = false): Promise<boolean> {
    const counts = this.#countsOf(visitor)
    if (!moves && counts.some(({ name, max }) => this.#countedHere(name) >= max)) return false
    const settled = this.#settled
    for (const { name } of counts) this.#count(name, 1)
    const answers = await Promise.all(counts.map((count) => this.#ask(count, moves)))
    if (!answers.includes('refused')) return true
    counts.forEach(({ name }, at) => {
      this.#count(name, -1)
      if (answers[at] === 'taken') this.#giveBack(name)
      // The share was set while the question was under way, and this place with it.
      else if (settled !== this.#settled) this.#unsettle(name)
    })
    return false
  }

  /** Gives a place back. */
  leavePlace(visitor: Visitor): void {
    for (const { name } of this.#countsOf(visitor)) {
      this.#count(name, -1)
      this.#giveBack(name)
    }
  }

  /** Enters again what this node holds, whatever is left of it. Rejects when the engine refuses; what is not settled then is some time. */
  async restore(): Promise<void> {
    for (const name of this.#here.keys()) this.#unsettled.add(name)
    await this.#settle()
  }

  #countsOf({ identity, address }: Visitor): Count[] {
    const { connectionsPerUserMax, connectionsPerTenantMax, connectionsPerAddressMax } = this.#limits
    const counts = [{ name: `connections:${userKey(identity)}`, max: connectionsPerUserMax }]
    if (connectionsPerTenantMax !== undefined)
      counts.push({ name: `tenant-connections:${identity.tenant}`, max: connectionsPerTenantMax })
    if (connectionsPerAddressMax !== undefined)
      counts.push({ name: `network-connections:${networkOf(address)}`, max: connectionsPerAddressMax })
    return counts
  }

  #countedHere(name: string): number {
    return this.#here.get(name) ?? 0
  }

  #count(name: string, by: number): void {
    const count = this.#countedHere(name) + by
    if (count > 0) this.#here.set(name, count)
    else this.#here.delete(name)
  }

  // With the engine

  async #ask({ name, max }: Count, moves: boolean): Promise<Answer> {
    if (this.#engine.problem() !== undefined) return this.#unsettle(name)
    try {
      const options = moves ? { node: this.#node } : { node: this.#node, max }
      return (await this.#engine.counters.add(name, 1, options)) === undefined ? 'refused' : 'taken'
    } catch {
      return this.#unsettle(name)
    }
  }

  #giveBack(name: string): void {
    if (this.#unsettled.has(name)) return
    this.#engine.counters.add(name, -1, { node: this.#node }).catch(() => this.#unsettle(name))
  }

  /** Nobody knows what the share is: it will be set. */
  #unsettle(name: string): 'unknown' {
    this.#unsettled.add(name)
    if (!this.#settling) {
      this.#settling = true
      void this.#retries.insist(() => this.#settle())
    }
    return 'unknown'
  }

  async #settle(): Promise<void> {
    while (this.#unsettled.size > 0) {
      const batch: Promise<void>[] = []
      for (const name of this.#unsettled) {
        batch.push(this.#settleOne(name))
        if (batch.length === BATCH) break
      }
      await Promise.all(batch)
    }
    this.#settling = false
  }

  /** One after the other on their way, so that what is asked for later counts on top. */
  async #settleOne(name: string): Promise<void> {
    const { counters } = this.#engine
    const count = this.#countedHere(name)
    this.#unsettled.delete(name)
    this.#settled += 1
    const emptied = counters.add(name, -EVERYTHING, { node: this.#node })
    const filled = count > 0 ? counters.add(name, count, { node: this.#node }) : undefined
    try {
      await Promise.all([emptied, filled])
    } catch (error) {
      this.#unsettled.add(name)
      throw error
    }
  }
}
