import type { Identity } from '../../access/identity.js'
import type { ControlDesk } from '../nodes/control.js'
import type { Peers } from '../nodes/peers.js'

/** A connection as a recheck sees it. */
export interface Rechecked {
  readonly isOpen: boolean
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  readonly subscriptions: { recheck(): Promise<void> }
}

/** What rechecks work with. */
export interface RechecksParts {
  readonly node: string
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly peers: Pick<Peers, 'liveNow'>
  readonly connections: () => Iterable<Rechecked>
  onError(error: unknown): void
}

/** Has the rules asked again about the channels of a user, wherever the user is connected: what they know of may have changed. */
export class Rechecks {
  readonly #parts: RechecksParts

  constructor(parts: RechecksParts) {
    this.#parts = parts
    parts.control.on('user.recheck', ({ tenant, user }) => this.here(tenant, user))
  }

  /** Begins to ask about every connection of a user on this node; answers how many there are. */
  here(tenant: string, user: string): number {
    const theirs = [...this.#parts.connections()].filter(
      (one) => one.isOpen && one.identity.tenant === tenant && one.identity.user === user,
    )
    for (const { subscriptions } of theirs) subscriptions.recheck().catch((error) => this.#parts.onError(error))
    return theirs.length
  }

  /** The same on all nodes; answers how many connections there are on those that answered within a second. Rejects when the other nodes cannot be told. */
  async everywhere(tenant: string, user: string): Promise<number> {
    const { node, control, peers } = this.#parts
    const here = this.here(tenant, user)
    const others = [...(await peers.liveNow())].filter((other) => other !== node)
    const elsewhere = await control.askAll(others, 'user.recheck', { tenant, user })
    return elsewhere.reduce((sum, count) => sum + count, here)
  }
}
