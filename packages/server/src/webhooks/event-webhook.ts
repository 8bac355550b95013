import { createHash } from 'node:crypto'
import type { Clock } from '../clock.js'
import type { Delivery, Destination } from '../lifecycle/destination.js'
import type { LifecycleEvent, LifecycleType } from '../lifecycle/event.js'
import type { Outbound } from '../outbound/outbound.js'
import { DELIVERY_HEADER, SIGNATURE_HEADER, signWebhook } from './signature.js'

/** Where lifecycle events go. */
export interface EventWebhookOptions {
  readonly url: string
  /** With which they are signed. */
  readonly secret: string
  readonly events: readonly LifecycleType[]
  /** Undefined: events of all tenants. */
  readonly tenant?: string | undefined
}

/** What a webhook works with. */
export interface EventWebhookParts {
  readonly outbound: Outbound
  readonly clock: Pick<Clock, 'now'>
}

/** Answers of the receiver that are about now and not about what it was sent. */
const PASSING = new Set([408, 425, 429])

const GONE = 410

/** A receiver of lifecycle events on another server: up to 100 events of one tenant in one signed POST. */
export class EventWebhook implements Destination {
  readonly id: string
  readonly name: string
  readonly batchMax = 100
  readonly atOncePerTenant = 4
  readonly atOnce = 32
  readonly tenant: string | undefined
  readonly #options: EventWebhookOptions
  readonly #url: URL
  readonly #parts: EventWebhookParts

  /** @throws TypeError when the address is none. */
  constructor(options: EventWebhookOptions, parts: EventWebhookParts) {
    this.#options = options
    this.#parts = parts
    this.#url = new URL(options.url)
    this.id = eventWebhookId(options)
    this.name = this.#url.host
    this.tenant = options.tenant
  }

  wants(type: LifecycleType, tenant: string): boolean {
    return this.#options.events.includes(type) && (this.tenant === undefined || this.tenant === tenant)
  }

  async deliver(tenant: string, events: readonly LifecycleEvent[]): Promise<Delivery> {
    const { outbound, clock } = this.#parts
    const body = JSON.stringify({ tenant, events })
    const headers = {
      'content-type': 'application/json',
      [SIGNATURE_HEADER]: signWebhook(this.#options.secret, body, clock.now()),
      [DELIVERY_HEADER]: this.#deliveryId(events),
    }
    try {
      const { status } = await outbound({ url: this.#url, method: 'POST', headers, body })
      return deliveryOf(status)
    } catch {
      return 'unreachable'
    }
  }

  /** The same events have the same id, however often they are sent. */
  #deliveryId(events: readonly LifecycleEvent[]): string {
    return digestOf([this.id, ...events.map(({ id }) => id)].join('\n'))
  }
}

/** The name under which it is kept how far a webhook has come: of its address and tenant, so that it may change its secret and its events. */
export function eventWebhookId({ url, tenant }: Pick<EventWebhookOptions, 'url' | 'tenant'>): string {
  return digestOf(JSON.stringify([url, tenant ?? null]))
}

function deliveryOf(status: number): Delivery {
  if (status >= 200 && status < 300) return 'taken'
  if (status === GONE) return 'gone'
  return status >= 400 && status < 500 && !PASSING.has(status) ? 'refused' : 'unreachable'
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
