import type { Random } from '../../random.js'
import type { UpgradeRefusal } from '../../transport/transport.js'
import type { AddressRate } from './address-rate.js'
import type { Admission } from './admission.js'
import type { Newcomers } from './newcomers.js'
import type { OutboxBudget } from '../connection/outbox-budget.js'
import type { Overload } from './overload.js'
import type { LimitName, Refusals } from './refusals.js'

/** What a reception works with. */
export interface ReceptionParts {
  readonly admission: Pick<Admission, 'isOpen' | 'hasRoom'>
  readonly budget: Pick<OutboxBudget, 'admits'>
  readonly overload: Pick<Overload, 'admits'>
  readonly newcomers: Newcomers
  readonly handshakes: AddressRate
  readonly refusals: Refusals
  readonly random: Random
}

/** A node that has no room is asked again after so long, and up to twice as long, so that not everybody comes at once. */
const FULL_SECONDS = 5

/** The limit that is counted for each problem; that a node drains is no news. */
const LIMIT_BEHIND = { draining: undefined, overloaded: 'overload', full: 'connections' } as const

/** Decides on upgrades, before a WebSocket is opened for anybody: whether the node has room, and whether there are too many from one address. */
export class Reception {
  readonly #parts: ReceptionParts

  constructor(parts: ReceptionParts) {
    this.#parts = parts
  }

  /**
   * Why the node should get no new clients; undefined while it should. Too many newcomers are no reason: that is over in a moment, and whoever sends them must not
   * have a load balancer take every node for full.
   */
  get problem(): 'draining' | 'full' | 'overloaded' | undefined {
    const { admission, budget, overload } = this.#parts
    if (!admission.isOpen) return 'draining'
    if (!overload.admits || !budget.admits) return 'overloaded'
    return admission.hasRoom ? undefined : 'full'
  }

  /** Why a connection from this address is refused now; undefined: it may come. A node that drains says so: a load balancer then asks the next one, and nobody notices. */
  refuses(address: string): UpgradeRefusal | undefined {
    const { problem } = this
    if (problem !== undefined) return this.#full(LIMIT_BEHIND[problem], address)
    const { newcomers, handshakes } = this.#parts
    newcomers.makeRoomFor(address)
    if (!newcomers.hasRoom) return this.#full('newcomers', address)
    if (!newcomers.hasRoomFor(address)) return this.#tooMany('newcomersPerAddress', address, 1)
    const waitMs = handshakes.takeHere(address)
    return waitMs === 0 ? undefined : this.#tooMany('handshakes', address, Math.ceil(waitMs / 1_000))
  }

  #full(limit: LimitName | undefined, address: string): UpgradeRefusal {
    if (limit !== undefined) this.#parts.refusals.note(limit, { address, action: 'upgrade' })
    return { status: 503, retryAfterSeconds: Math.ceil(FULL_SECONDS * (1 + this.#parts.random.fraction())) }
  }

  #tooMany(limit: LimitName, address: string, retryAfterSeconds: number): UpgradeRefusal {
    this.#parts.refusals.note(limit, { address, action: 'upgrade' })
    return { status: 429, retryAfterSeconds }
  }
}
