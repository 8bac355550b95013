import { isTerminal } from '@holdfast/protocol'
import type { OperationRecord } from './record.js'

/** How much later than its deadline a lease is found lapsed by who looks in time; what is later was looked at late, or written by another clock. */
const LATE_MS = 5_000

/** How long workers that could not speak have for it, at least, before the time of their lease counts again. */
const SPEAK_MS = 5_000

/** When an operation has to be looked at, in milliseconds since 1970; undefined: it has ended. `idleMs`: after which one that nobody has is given up. */
export function dueAt({ snapshot, work }: OperationRecord, idleMs: number): number | undefined {
  if (isTerminal(snapshot.state)) return undefined
  const { expiresAt = Infinity, leaseUntil = Infinity, idleSince } = work
  return Math.min(expiresAt, leaseUntil, idleSince === undefined ? Infinity : idleSince + idleMs)
}

/** A version of an operation, and since when this node has known of no other. */
export interface Sighting {
  readonly version: number
  readonly since: number
}

/** What a node knows of an operation by its own looks. */
export interface View {
  /** Undefined: nothing. */
  readonly seen: Sighting | undefined
  /** Until when it could not look, in milliseconds since 1970: workers may not have been able to speak either. */
  readonly blindUntil: number
}

/**
 * Whether the worker of an operation has let its lease lapse. By the time that was written where this can be believed; where a clock is wrong, or nobody has looked for a
 * while or could, and workers may not have been able to speak, by what this node sees itself: nothing new for as long as the lease.
 */
export function hasLapsed({ snapshot, work }: OperationRecord, now: number, { seen, blindUntil }: View): boolean {
  const { leaseUntil, leaseMs, isAdrift } = work
  if (leaseUntil === undefined) return false
  const isBelieved = !isAdrift && leaseUntil >= blindUntil + SPEAK_MS
  if (isBelieved && leaseUntil <= now && now <= leaseUntil + LATE_MS) return true
  return seen?.version === snapshot.version && now - seen.since >= leaseMs
}

/** Looks at one that a worker has are not further apart: an end that is found only then is told while repeats are still recognised. */
const LOOK_MS_MAX = 120_000

/** When to look again at an operation that has not ended: at its deadline, and not later than a lease from now where a worker has it. */
export function nextLook(record: OperationRecord, now: number, idleMs: number): number {
  const due = dueAt(record, idleMs) ?? now
  const { leaseUntil, leaseMs } = record.work
  if (leaseUntil === undefined) return Math.max(due, now)
  const next = now + Math.min(leaseMs, LOOK_MS_MAX)
  return due > now ? Math.min(due, next) : next
}
