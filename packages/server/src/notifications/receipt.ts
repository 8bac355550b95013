import { timestamp } from '../clock.js'
import { isText, membersOf } from '../core/members.js'
import { type NotificationPriority, PRIORITIES } from './notification.js'

/** `sent`: it is stored in the inbox; `confirmed`: a device of the user has acknowledged it; `expired`: nobody did in time. The last two are final. */
export type ReceiptState = 'sent' | 'confirmed' | 'expired'

/** Why a notification expired: its time was over, or the inbox had to let it go before (retention, or the engine lost it). */
export type ExpiryReason = 'ttl' | 'trimmed'

/** What has become of a notification. */
export interface NotificationReceipt {
  /** The id of the notification. */
  readonly id: string
  readonly user: string
  readonly priority: NotificationPriority
  readonly state: ReceiptState
  /**
   * How often it was handed to a connection of the user: to each that listened when it was published, to each that began later and was given it out of the inbox, to each that was reminded
   * of it. Known within a second.
   */
  readonly attempts: number
  /** ISO-8601, UTC, like all times here. */
  readonly sentAt: string
  readonly expiresAt: string
  readonly confirmedAt?: string
  readonly expiredAt?: string
  readonly reason?: ExpiryReason
}

/** A receipt as it is stored. Times are milliseconds since 1970. */
export interface ReceiptRecord {
  readonly id: string
  readonly user: string
  readonly channel: string
  readonly priority: NotificationPriority
  /** `storing`: it is about to be published, and may be. */
  readonly state: ReceiptState | 'storing'
  /** Of its content, so that the same id with another is refused. */
  readonly digest: string
  /** The id of its message. */
  readonly message: string
  /** Where the message is; empty and 0 while it is being stored. */
  readonly epoch: string
  readonly offset: number
  readonly attempts: number
  readonly sentAt: number
  readonly expiresAt: number
  readonly endedAt?: number
  readonly reason?: ExpiryReason
  /** Looks since it was sent, since the user came, or since the user went; each next one comes later. */
  readonly round: number
  /** Whether a device was there when that was looked at last, and how often it was reminded since. */
  readonly isReachable: boolean
  readonly reminders: number
  /** How often it was told that nobody is there. */
  readonly unreachable: number
}

/** Whether nothing will become of it any more. */
export function hasEnded({ state }: Pick<ReceiptRecord, 'state'>): boolean {
  return state === 'confirmed' || state === 'expired'
}

/** What the application sees of a record; undefined while it is not certain that the notification is stored. */
export function receiptOf(record: ReceiptRecord): NotificationReceipt | undefined {
  const { id, user, priority, state, attempts, endedAt, reason } = record
  if (state === 'storing') return undefined
  const times = { sentAt: timestamp(record.sentAt), expiresAt: timestamp(record.expiresAt) }
  const ended =
    endedAt === undefined ? {} : { [state === 'confirmed' ? 'confirmedAt' : 'expiredAt']: timestamp(endedAt) }
  return { id, user, priority, state, attempts, ...times, ...ended, ...(reason && { reason }) }
}

const STATES: readonly unknown[] = ['storing', 'sent', 'confirmed', 'expired']

/** The record that a text holds; undefined where it holds none. */
export function readReceiptRecord(text: string): ReceiptRecord | undefined {
  try {
    const record = membersOf(JSON.parse(text))
    const { id, user, channel, digest, message, epoch } = record
    const { offset, attempts, sentAt, expiresAt, round, reminders, unreachable } = record
    const isRead =
      [id, user, channel, digest, message, epoch].every(isText) &&
      [offset, attempts, sentAt, expiresAt, round, reminders, unreachable].every(Number.isSafeInteger) &&
      STATES.includes(record['state']) &&
      (PRIORITIES as readonly unknown[]).includes(record['priority'])
    return isRead ? (record as unknown as ReceiptRecord) : undefined
  } catch {
    return undefined
  }
}
