import type { LifecycleEvent, LifecycleType } from './event.js'

/** What came of a delivery: taken; never to be taken; or to be tried again, because the receiver did not want these events, or was not to be had. */
export type Delivery = 'taken' | 'gone' | 'refused' | 'unreachable'

/** Who gets events. */
export interface Destination {
  /** The same on every node, and after a restart. */
  readonly id: string
  /** What it is called in log lines: nothing that only it and we may know. */
  readonly name: string
  /** Events of one delivery, all of one tenant, at most. */
  readonly batchMax: number
  /** Deliveries under way for one tenant, and in all. */
  readonly atOncePerTenant: number
  readonly atOnce: number
  /** The only tenant whose events it gets, now and ever; undefined: it may be any. */
  readonly tenant?: string | undefined
  wants(type: LifecycleType, tenant: string): boolean
  /** Delivers events of one tenant, those of one key in order. Does not reject. */
  deliver(tenant: string, events: readonly LifecycleEvent[]): Promise<Delivery>
}
