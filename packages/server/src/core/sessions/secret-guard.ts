import type { Identity } from '../../access/identity.js'
import type { Clock } from '../../clock.js'
import { enter } from '../../newest-entries.js'
import type { Audit } from '../../telemetry/audit.js'

/** Who claims a session. */
export interface Claimant {
  /** The connection. */
  readonly id: string
  readonly address: string
  readonly identity: Pick<Identity, 'tenant' | 'user'>
}

/** Wrong secrets for one session from one address within `WINDOW_MS`; after them none is looked at. */
const WRONG_MAX = 5
const WINDOW_MS = 60_000

/** Pairs of session and address that are counted at a time. */
const COUNTED_MAX = 10_000

/** Bounds how often the secret of a session can be guessed. Nobody else is locked out: the count is for one session and one address. */
export class SecretGuard {
  readonly #clock: Pick<Clock, 'now'>
  readonly #audit: Audit
  readonly #counted = new Map<string, { readonly since: number; readonly wrong: number }>()

  constructor(clock: Pick<Clock, 'now'>, audit: Audit) {
    this.#clock = clock
    this.#audit = audit
  }

  /** Pairs that are counted now. */
  get size(): number {
    return this.#counted.size
  }

  /** Whether too many wrong secrets came for this session from there. */
  isBarred(record: string, { address }: Claimant): boolean {
    const key = keyOf(record, address)
    const counted = this.#counted.get(key)
    if (counted === undefined) return false
    if (Math.abs(this.#clock.now() - counted.since) < WINDOW_MS) return counted.wrong >= WRONG_MAX
    this.#counted.delete(key)
    return false
  }

  /** Counts a wrong secret, and writes it down. */
  wrong(record: string, { id, address, identity }: Claimant): void {
    const { tenant, user } = identity
    const fields = { tenant, user, connection: id, address, rule: 'session', reason: 'wrong secret' }
    this.#audit.record('auth.failed', fields)
    const key = keyOf(record, address)
    const { since, wrong } = this.#counted.get(key) ?? { since: this.#clock.now(), wrong: 0 }
    enter(this.#counted, key, { since, wrong: wrong + 1 }, COUNTED_MAX)
  }
}

function keyOf(record: string, address: string): string {
  return `${address.length}:${address}${record}`
}
