import type { Cancel, Clock } from '../clock.js'
import type { Logger } from './log.js'

/** Every decision that is written down, with the level of its line. */
export const AUDIT_EVENTS = {
  'connection.accepted': 'info',
  'connection.closed': 'info',
  'connection.dismissed': 'info',
  'origin.allowed': 'debug',
  'origin.refused': 'warn',
  'origin.blocked': 'error',
  'origin.unblocked': 'info',
  'host.refused': 'warn',
  'auth.failed': 'warn',
  'auth.bruteforce': 'warn',
  'auth.refreshed': 'info',
  'auth.revoked': 'warn',
  'authz.denied': 'warn',
  'authz.ended': 'info',
  'guard.identity': 'warn',
  'protocol.violation': 'warn',
  'limit.reached': 'warn',
  'rate.limited': 'warn',
  'quota.reached': 'warn',
  'overload.changed': 'warn',
  'jwks.refreshed': 'info',
  'jwks.failed': 'error',
  'outbound.blocked': 'error',
  'webhook.failed': 'warn',
  'webhook.refused': 'info',
  'key.created': 'info',
  'key.rotated': 'info',
  'key.revoked': 'info',
  'operation.started': 'info',
  'operation.taken': 'info',
  'operation.cancelled': 'info',
  'operation.ended': 'info',
  'config.insecure': 'warn',
  'event.suppressed': 'warn',
} as const

/** The name of a decision. */
export type AuditEvent = keyof typeof AUDIT_EVENTS

/** What is known of a decision. Never a credential, a query string or message data. */
export interface AuditFields {
  readonly tenant?: string | undefined
  readonly user?: string | undefined
  /** Who wanted it, where it is done to somebody else. */
  readonly by?: string | undefined
  /** The connection. */
  readonly connection?: string | undefined
  /** The address of the client, after trusted proxies. */
  readonly address?: string | undefined
  readonly origin?: string | undefined
  readonly channel?: string | undefined
  /** What decided: the name of a rule, limit or check. */
  readonly rule?: string | undefined
  /** What was done or refused. */
  readonly action?: string | undefined
  readonly reason?: string | undefined
  readonly count?: number | undefined
}

/** Writes a decision down. */
export interface Audit {
  record(event: AuditEvent, fields: AuditFields): void
}

/** What an audit trail works with. */
export interface AuditTrailParts {
  readonly node: string
  readonly clock: Clock
  readonly log: Logger
}

/** Lines of one event from one address in a second; what is over it is counted. */
const LINES_PER_SECOND_MAX = 10

/** Addresses of which lines are counted at a time; those beyond share one count. */
const ADDRESSES_MAX = 10_000

const TEXT_CHARACTERS_MAX = 128

/** One structured line for each decision. Texts that come from clients are cut and escaped; a flood of one kind from one address becomes a count. */
export class AuditTrail implements Audit {
  readonly #parts: AuditTrailParts
  readonly #told = new Map<string, { readonly event: AuditEvent; readonly address: string; count: number }>()
  #cancel: Cancel | undefined

  constructor(parts: AuditTrailParts) {
    this.#parts = parts
  }

  record(event: AuditEvent, fields: AuditFields): void {
    if (this.#isOver(event, fields.address ?? '-')) return
    this.#write(event, fields)
  }

  /** Writes what was suppressed, and forgets its timer. */
  close(): void {
    this.#cancel?.()
    this.#tellSuppressed()
  }

  #isOver(event: AuditEvent, address: string): boolean {
    const isKnown = this.#told.has(`${event} ${address}`) || this.#told.size < ADDRESSES_MAX
    const counted = isKnown ? address : '*'
    const key = `${event} ${counted}`
    const told = this.#told.get(key) ?? { event, address: counted, count: 0 }
    told.count += 1
    this.#told.set(key, told)
    this.#cancel ??= this.#parts.clock.after(1_000, () => this.#tellSuppressed())
    return told.count > LINES_PER_SECOND_MAX
  }

  #tellSuppressed(): void {
    this.#cancel = undefined
    for (const { event, address, count } of this.#told.values()) {
      const suppressed = count - LINES_PER_SECOND_MAX
      if (suppressed > 0) this.#write('event.suppressed', { rule: event, address, count: suppressed })
    }
    this.#told.clear()
  }

  #write(event: AuditEvent, { tenant = '-', ...fields }: AuditFields): void {
    const { node, clock, log } = this.#parts
    const ts = new Date(clock.now()).toISOString()
    const line: Record<string, unknown> = { audit: true, ts, event, node, tenant: sanitise(tenant) }
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) line[name] = sanitise(value)
    log[AUDIT_EVENTS[event]](line, event)
  }
}

/** Control characters, direction marks and lone surrogates as escapes, so that one event is one line and looks like what it is. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu

function sanitise(value: string | number): string | number {
  if (typeof value === 'number') return value
  const escaped = value
    .slice(0, TEXT_CHARACTERS_MAX)
    .replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
  return escaped.slice(0, TEXT_CHARACTERS_MAX)
}
