import { type GapRange, type Position, type Recovered, type Since, newestCount } from '@holdfast/protocol'
import type { LogPage, ReadRange, StreamMessage } from '../../engine/engine.js'

/** How much of a log a subscription may start with. */
export interface RecoveryLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

/** What a reader gets to go on from where it was, and how much of it. */
export interface Verdict {
  readonly recovered: Recovered
  readonly gap: GapRange | undefined
  /** In order, dense, ending at the top of the log. */
  readonly messages: readonly StreamMessage[]
  /** After the last of the messages. */
  readonly position: Required<Position>
}

/** What to read of the log to judge a reader: from its own message on, inclusive, so that the identity can be compared. */
export function recoveryRange(since: Since | undefined, limits: RecoveryLimits): ReadRange {
  const { messagesMax, bytesMax } = limits
  if (since === undefined) return { limit: 0, bytesMax, keep: 'newest' }
  const newest = newestCount(since)
  if (newest !== undefined) return { limit: Math.min(newest, messagesMax), bytesMax, keep: 'newest' }
  return { from: (since as Position).offset, limit: messagesMax + 1, bytesMax, keep: 'newest' }
}

/** The range for a reader whose epoch has ended: everything in the new one is news to it. */
export function freshEpochRange(limits: RecoveryLimits): ReadRange {
  return { limit: limits.messagesMax, bytesMax: limits.bytesMax, keep: 'newest' }
}

/**
 * Compares where a reader says it is with the log. Never silent: either every message after the position is in `messages`, or `gap`
 * says which are not, and why.
 */
export function judge(since: Since | undefined, page: LogPage): Verdict {
  const position = { epoch: page.epoch, offset: page.top.offset, id: page.top.id }
  if (since === undefined || typeof since === 'string') {
    return { recovered: 'new', gap: undefined, messages: page.messages, position }
  }
  const messages = page.epoch === since.epoch ? after(since.offset, page.messages) : page.messages
  const gap = findGap(since, page, messages)
  return { recovered: gap ? 'gap' : 'full', gap, messages, position }
}

function after(offset: number, messages: readonly StreamMessage[]): readonly StreamMessage[] {
  return messages.filter((message) => (message.offset ?? 0) > offset)
}

function findGap(since: Position, page: LogPage, messages: readonly StreamMessage[]): GapRange | undefined {
  const from = since.offset + 1
  if (page.epoch !== since.epoch) return { from, to: null, reason: 'epoch_changed' }
  if (since.offset > page.top.offset) return { from: page.top.offset + 1, to: since.offset, reason: 'ahead' }
  if (hasDiverged(since, page)) return { from: since.offset, to: since.offset, reason: 'diverged' }
  const next = messages[0]?.offset ?? page.top.offset + 1
  if (next === from) return undefined
  return { from, to: next - 1, reason: next > page.first ? 'too_far' : page.expired ? 'expired' : 'trimmed' }
}

/** The log holds another message where the reader's last one was. A position without an id cannot be compared. */
export function hasDiverged(since: Position, page: LogPage): boolean {
  if (!since.id) return false
  const same =
    since.offset === page.top.offset
      ? page.top.id
      : page.messages.find((message) => message.offset === since.offset)?.id
  return same !== undefined && same !== since.id
}
