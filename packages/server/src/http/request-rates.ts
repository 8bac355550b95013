import { type Identity, userKey } from '../access/identity.js'
import { HoldfastError } from '../core/errors.js'
import { RateTable } from '../core/limits/rate-table.js'
import type { Services } from '../core/services.js'
import { networkOf } from '../network-address.js'
import type { Bearer } from './bearer.js'

/** What is counted of a request besides itself. */
type Counted = 'publish' | 'read' | undefined

/** The rates of a connection that requests have, too. */
type Counter = 'commands' | 'publishes' | 'reads' | 'bytes'

/**
 * How much a user may do over HTTP on this node: as much as over one connection. What a user publishes is counted on all nodes, together with what comes over its
 * connections. Those without a credential are somebody else with each request: all of one network count as one.
 */
export class RequestRates {
  readonly #services: Pick<Services, 'safeguards'>
  readonly #tables: Readonly<Record<Counter, RateTable>>

  constructor({ clock, limits, safeguards }: Pick<Services, 'clock' | 'limits' | 'safeguards'>) {
    const { commands, publishes, reads, bytes } = limits.rates.connection
    this.#services = { safeguards }
    this.#tables = {
      commands: new RateTable(clock, commands),
      publishes: new RateTable(clock, publishes),
      reads: new RateTable(clock, reads),
      bytes: new RateTable(clock, bytes),
    }
  }

  /** Counts a request. @throws HoldfastError `rate_limited`. */
  async take(bearer: Bearer, counts: Counted): Promise<void> {
    this.#take('commands', bearer)
    if (counts === 'read') {
      this.#take('reads', bearer)
      this.#services.safeguards.read(bearer)
    }
    if (counts === 'publish') await this.publish(bearer)
  }

  /** Counts a body that has come. @throws HoldfastError `rate_limited`. */
  body(bearer: Bearer, bytes: number): void {
    if (bytes > 0) this.#take('bytes', bearer, bytes)
  }

  /** Counts a message. @throws HoldfastError `rate_limited`. */
  async publish(bearer: Bearer): Promise<void> {
    this.#take('publishes', bearer)
    const { id, address } = bearer
    await this.#services.safeguards.publish({ id, address, identity: countedAs(bearer) })
  }

  #take(limit: Counter, { id, address, identity }: Bearer, cost: number = 1): void {
    const retryAfter = this.#tables[limit].take(userKey(countedAs({ address, identity })), cost)
    if (retryAfter === 0) return
    const { tenant, user } = identity
    this.#services.safeguards.refusals.note(limit, { tenant, user, connection: id, address, action: 'http' })
    throw new HoldfastError('rate_limited', undefined, { retryAfter })
  }
}

function countedAs({ address, identity }: Pick<Bearer, 'address' | 'identity'>): Pick<Identity, 'tenant' | 'user'> {
  const { tenant, kind } = identity
  return kind === 'anonymous' ? { tenant, user: `anonymous of ${networkOf(address)}` } : identity
}
