import type { Audit } from '../telemetry/audit.js'
import type { Logger } from '../telemetry/log.js'

/** What deliveries of this node came to. */
export class DeliveryCounts {
  readonly #audit: Audit
  readonly #log: Logger
  #delivered = 0
  #failed = 0
  #dropped = 0

  constructor(audit: Audit, log: Logger) {
    this.#audit = audit
    this.#log = log
  }

  /** Events that were taken; that were not, counted with each try; and that nobody will get. */
  get totals(): { readonly delivered: number; readonly failed: number; readonly dropped: number } {
    return { delivered: this.#delivered, failed: this.#failed, dropped: this.#dropped }
  }

  delivered(count: number): void {
    this.#delivered += count
  }

  failed(count: number): void {
    this.#failed += count
  }

  /** A destination takes nothing any more, for now. */
  outage(destination: string, tenant: string, reason: string): void {
    this.#log.warn(
      { event: 'lifecycle.delayed', destination, tenant, reason },
      'lifecycle events wait for a receiver that takes none',
    )
  }

  /** Events that a destination has not taken and is not given again. */
  dropped(destination: string, tenant: string, count: number, reason: string): void {
    this.#dropped += count
    this.#audit.record('webhook.failed', { tenant, rule: destination, action: 'event', reason, count })
  }

  /** Events that went from the log before a destination got them; how many is a guess where the log itself is gone. */
  lost(destination: string, tenant: string, count: number, reason: string): void {
    this.#dropped += count
    this.#log.error(
      { event: 'lifecycle.lost', destination, tenant, count, reason },
      'lifecycle events were gone before they could be delivered',
    )
  }

  /** An event that could not be written down. */
  unwritten(fields: { readonly tenant?: string; readonly reason: string }): void {
    this.#dropped += 1
    this.#log.error({ event: 'lifecycle.unwritten', ...fields }, 'a lifecycle event could not be written down')
  }
}
