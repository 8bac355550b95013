import { type Identity, userKey } from '../../access/identity.js'
import type { Engine } from '../../engine/engine.js'
import { isCountable, networkOf } from '../../network-address.js'
import type { Retries } from '../retries.js'
import { type Count, SharedCounts } from './shared-counts.js'

/** Who takes a place. */
export interface Visitor {
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  /** Of the other end of the socket. */
  readonly address: string
}

/** A place on another node that moves with its session. */
export interface MovedPlace {
  /** The network by which it is counted; undefined: nobody knows. */
  readonly network?: string | undefined
}

/** How many connections there may be. */
export interface AdmissionLimits {
  /** Of this node. */
  readonly connectionsMax: number
  /** Of one user, on all nodes. */
  readonly connectionsPerUserMax: number
  /** Of one tenant, on all nodes; undefined: as many as come. */
  readonly connectionsPerTenantMax: number | undefined
  /** From one address (of IPv6: from one /64; not for peers on a Unix socket), on all nodes; undefined: as many as come. */
  readonly connectionsPerAddressMax: number | undefined
}

/** What a tenant has of its own. */
export interface ConnectionQuota {
  /** Connections that a tenant may have on all nodes; undefined: nothing is said of it. */
  of(tenant: string): number | undefined
  /** A connection was refused because of it. */
  reached(visitor: Visitor): void
}

/**
 * Who may connect now: the node's own bound, the bounds of each user, tenant and address across nodes, and none while the node drains. Places are
 * counted here too: while the engine is away each bound holds for this node alone, and when it is back this node's share is set to what is counted here.
 */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #counts: SharedCounts
  readonly #quota: ConnectionQuota
  #connections = 0
  #open = true

  constructor(
    engine: Pick<Engine, 'counters' | 'problem'>,
    node: string,
    limits: AdmissionLimits,
    retries: Retries,
    quota: ConnectionQuota = NO_QUOTA,
  ) {
    this.#limits = limits
    this.#counts = new SharedCounts(engine, node, retries)
    this.#quota = quota
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

  /** Takes a place; false when there is none. One that `moved` here from another node is there already: it is counted, and not refused, unless its address is full and was another. */
  async takePlace(visitor: Visitor, moved?: MovedPlace): Promise<boolean> {
    const full = await this.#counts.take(this.#countsOf(visitor, moved))
    const { tenant } = visitor.identity
    if (full?.name === tenantCount(tenant) && this.#quota.of(tenant) !== undefined) this.#quota.reached(visitor)
    return full === undefined
  }

  /** Whether this node alone holds as many as there may be: then none of them can be that of a node that has died. */
  isFullHere(visitor: Visitor): boolean {
    return this.#countsOf(visitor).some(({ name, max }) => this.#counts.here(name) >= max)
  }

  /** Gives a place back. */
  leavePlace(visitor: Visitor): void {
    this.#counts.leave(this.#countsOf(visitor).map(({ name }) => name))
  }

  /** Connections of a tenant on all nodes; undefined where nothing bounds them, so that nobody counts. Rejects when the engine cannot be reached. */
  async connectionsOf(tenant: string): Promise<number | undefined> {
    return this.#tenantMax(tenant) === undefined ? undefined : this.#counts.total(tenantCount(tenant))
  }

  /** Enters again what this node holds, whatever is left of it. Rejects when the engine refuses; what is not settled then is some time. */
  restore(): Promise<void> {
    return this.#counts.restore()
  }

  #tenantMax(tenant: string): number | undefined {
    return this.#quota.of(tenant) ?? this.#limits.connectionsPerTenantMax
  }

  #countsOf({ identity, address }: Visitor, moved?: MovedPlace): Count[] {
    const { connectionsPerUserMax, connectionsPerAddressMax } = this.#limits
    const isThere = moved !== undefined
    const counts: Count[] = [{ name: `connections:${userKey(identity)}`, max: connectionsPerUserMax, isThere }]
    const tenantMax = this.#tenantMax(identity.tenant)
    if (tenantMax !== undefined) counts.push({ name: tenantCount(identity.tenant), max: tenantMax, isThere })
    if (connectionsPerAddressMax === undefined || !isCountable(address)) return counts
    const network = networkOf(address)
    const isThereToo = isThere && (moved.network ?? network) === network
    counts.push({ name: `network-connections:${network}`, max: connectionsPerAddressMax, isThere: isThereToo })
    return counts
  }
}

const NO_QUOTA: ConnectionQuota = { of: () => undefined, reached: () => undefined }

function tenantCount(tenant: string): string {
  return `tenant-connections:${tenant}`
}
