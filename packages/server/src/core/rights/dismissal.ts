import { CLOSE, type CloseReason } from '@holdfast/protocol'
import type { Identity } from '../../access/identity.js'
import type { ControlDesk } from '../nodes/control.js'
import type { Peers } from '../nodes/peers.js'

/** A connection as its dismissal sees it. */
export interface Dismissed {
  readonly isOpen: boolean
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  close(reason: CloseReason): void
}

/** What a dismissal works with. */
export interface DismissalParts {
  readonly node: string
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly peers: Pick<Peers, 'liveNow'>
  readonly connections: () => Iterable<Dismissed>
}

/** Sends a user away, wherever the user is connected. */
export class Dismissal {
  readonly #parts: DismissalParts

  constructor(parts: DismissalParts) {
    this.#parts = parts
    parts.control.on('user.disconnect', ({ tenant, user }) => this.here(tenant, user))
  }

  /** Closes every connection of a user on this node; answers how many there were. */
  here(tenant: string, user: string): number {
    const theirs = [...this.#parts.connections()].filter(
      (one) => one.isOpen && one.identity.tenant === tenant && one.identity.user === user,
    )
    for (const connection of theirs) connection.close(CLOSE.disconnectedByAdministrator)
    return theirs.length
  }

  /**
   * Closes every connection of a user on all nodes; answers how many there were on those that answered within a second. Rejects when the other nodes cannot be
   * told; those of this node are closed then, too.
   */
  async everywhere(tenant: string, user: string): Promise<number> {
    const { node, control, peers } = this.#parts
    const here = this.here(tenant, user)
    const others = [...(await peers.liveNow())].filter((other) => other !== node)
    const elsewhere = await control.askAll(others, 'user.disconnect', { tenant, user })
    return elsewhere.reduce((sum, count) => sum + count, here)
  }
}
