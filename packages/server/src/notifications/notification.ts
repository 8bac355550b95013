import { HoldfastError } from '../core/errors.js'
import { durationMs } from '../duration.js'

/** How much a notification matters, from the least on. */
export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const

/** How much a notification matters. A `critical` one has a receipt, and is told again until somebody has confirmed it. */
export type NotificationPriority = (typeof PRIORITIES)[number]

/** A message to a user, kept in the user's inbox until a device has acknowledged it. */
export interface Notification {
  /** The same id is stored once: within five minutes, and as long as there is a receipt for it. With a receipt: 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = - (default: one that is made). */
  readonly id?: string
  readonly title: string
  readonly body?: string
  /** Default `normal`. */
  readonly priority?: NotificationPriority
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Whether to follow what becomes of it (default: for a `critical` one). */
  readonly receipt?: boolean
  /** Milliseconds, or text such as `2h`, until a notification with a receipt that nobody has confirmed is expired: 1s to 7d (default `24h`). */
  readonly ttl?: number | string
}

/** A notification with everything that was left out. */
export interface ReadNotification {
  readonly id: string
  readonly priority: NotificationPriority
  /** Milliseconds that its receipt is open; undefined: it has none. */
  readonly ttlMs: number | undefined
  /** What the devices of the user get. */
  readonly data: Readonly<Record<string, unknown>>
}

const ID = /^(?!\.+$)[A-Za-z0-9_.@~+=-]{1,128}$/

const TTL_MIN_MS = 1_000
const TTL_MAX_MS = 7 * 86_400_000
const TTL_MS = 86_400_000

/** Fills in what was left out. @throws HoldfastError `bad_request` naming the member that is wrong. */
export function readNotification(notification: Notification, newId: () => string): ReadNotification {
  const { title, body = '', priority = 'normal', metadata = {}, id = newId() } = notification
  require(PRIORITIES.includes(priority), `priority must be one of ${PRIORITIES.join(', ')}`)
  const { receipt = priority === 'critical', ttl } = notification
  const content = { id, title, body, priority, metadata }
  if (!receipt) {
    require(priority !== 'critical', 'receipt must be true for a critical notification')
    require(ttl === undefined, 'ttl needs receipt: true')
    return { id, priority, ttlMs: undefined, data: content }
  }
  require(ID.test(id), 'id must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = - where there is a receipt')
  const ttlMs = ttl === undefined ? TTL_MS : (durationMs(ttl) ?? NaN)
  require(ttlMs >= TTL_MIN_MS && ttlMs <= TTL_MAX_MS, 'ttl must be from 1s to 7d')
  return { id, priority, ttlMs, data: { ...content, receipt: true } }
}

function require(holds: boolean, message: string): void {
  if (!holds) throw new HoldfastError('bad_request', message)
}
