import type { Random } from '../random.js'
import type { ReceiptRecord } from './receipt.js'

/** How often the devices of a user are reminded of a critical notification, counted anew whenever one comes. */
export const REMINDERS_MAX = 3

/** The first look comes after so long, each next one after twice as long, up to the longest: while a device is there, and while none is. */
const FIRST_MS = 1_000
const LONGEST_REACHABLE_MS = 32_000
const LONGEST_AWAY_MS = 3_600_000

/** The share of chance in that, so that what was sent together is not looked at together for ever. */
const JITTER = 0.1

/** What is not critical is looked at whenever it is twice as old, but not more often than this, and not more seldom than that. */
const SHORTEST_MS = 60_000
const LONGEST_MS = 3_600_000

/** When a receipt is to be looked at next: in milliseconds since 1970. Never after it expires. */
export function nextLook(record: ReceiptRecord, now: number, random: Pick<Random, 'fraction'>): number {
  const waitMs = record.priority === 'critical' ? criticalMs(record, random) : ageMs(record, now)
  return Math.min(record.expiresAt, Math.round(now + waitMs))
}

function criticalMs({ round, isReachable }: ReceiptRecord, random: Pick<Random, 'fraction'>): number {
  const longest = isReachable ? LONGEST_REACHABLE_MS : LONGEST_AWAY_MS
  return Math.min(FIRST_MS * 2 ** round, longest) * (1 + JITTER * random.fraction())
}

function ageMs({ sentAt }: ReceiptRecord, now: number): number {
  return Math.min(Math.max(now - sentAt, SHORTEST_MS), LONGEST_MS)
}

/** A receipt after a look at which there were so many devices; `isReminded`: they were reminded. A user who comes or goes is a new beginning. */
export function lookedAt(record: ReceiptRecord, devices: number, isReminded: boolean): ReceiptRecord {
  const isReachable = devices > 0
  const round = (isReachable === record.isReachable ? record.round : 0) + 1
  if (!isReachable) return { ...record, isReachable, round, reminders: 0, unreachable: record.unreachable + 1 }
  const { attempts, reminders } = record
  if (!isReminded) return { ...record, isReachable, round }
  return { ...record, isReachable, round, attempts: attempts + devices, reminders: reminders + 1 }
}

/** A receipt after its notification was handed to a connection that began just now. */
export function comeBack(record: ReceiptRecord): ReceiptRecord {
  return { ...record, isReachable: true, round: 0, reminders: 0 }
}
