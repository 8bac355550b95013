import type { Audit, AuditFields } from '../../telemetry/audit.js'

/** Every limit whose refusals are counted, with the event that is written down. */
const REFUSED = {
  commands: 'rate.limited',
  publishes: 'rate.limited',
  subscribes: 'rate.limited',
  reads: 'rate.limited',
  refreshes: 'rate.limited',
  bytes: 'rate.limited',
  controlFrames: 'rate.limited',
  recoveries: 'rate.limited',
  userPublishes: 'rate.limited',
  handshakes: 'rate.limited',
  failedAuthentications: 'auth.bruteforce',
  refusals: 'limit.reached',
  newcomers: 'limit.reached',
  newcomersPerAddress: 'limit.reached',
  connections: 'limit.reached',
  places: 'limit.reached',
  channels: 'limit.reached',
  overload: 'limit.reached',
} as const

/** The name of a limit, as statistics and the audit trail say it. */
export type LimitName = keyof typeof REFUSED

/** What was refused because there was too much of it: counted by limit, and written down. */
export class Refusals {
  readonly #audit: Audit
  readonly #counts = new Map<LimitName, number>()

  constructor(audit: Audit) {
    this.#audit = audit
  }

  /** Something was refused by a limit. */
  note(limit: LimitName, fields: AuditFields = {}): void {
    this.#counts.set(limit, (this.#counts.get(limit) ?? 0) + 1)
    this.#audit.record(REFUSED[limit], { rule: limit, ...fields })
  }

  /** How often each limit has refused something; limits that have not are not named. */
  counts(): Readonly<Partial<Record<LimitName, number>>> {
    return Object.fromEntries(this.#counts)
  }
}
