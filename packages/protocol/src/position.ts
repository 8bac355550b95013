import { type Infer, type Schema, either, integer, object, optional, text } from './schema.js'

const epoch: Schema<string> = text({ min: 1, max: 32, pattern: /^[A-Za-z0-9_-]{1,32}$/ })
const messageId: Schema<string> = text({ max: 32, pattern: /^[A-Za-z0-9_-]{0,32}$/ })

/**
 * Where in a channel's stream a reader is: the last message it has. `offset` 0 is before the first message. `id` is the
 * message id at that offset, which detects a log that re-used the offset; without it (or empty) only epoch and offset are compared.
 */
export const position = object({ epoch, offset: integer(), id: optional(messageId) })

/** A reader's place in a channel's stream. */
export type Position = Infer<typeof position>

const NEWEST = /^newest:(?:0|[1-9][0-9]{0,3})$/

/** Where a subscription starts: at a position, or with the newest N messages (0 to 9999; the server's recovery limit applies). */
export const since = either(position, text({ pattern: NEWEST, expected: '"newest:N" with N from 0 to 9999' }))

/** Where a subscription starts. */
export type Since = Infer<typeof since>

/** N of `newest:N`, or undefined when `since` is a position. */
export function newestCount(from: Since): number | undefined {
  return typeof from === 'string' ? Number(from.slice('newest:'.length)) : undefined
}

/** Why messages could not be recovered. */
export const GAP_REASONS = ['expired', 'trimmed', 'epoch_changed', 'diverged', 'ahead', 'too_far', 'overflow'] as const

/** Why messages could not be recovered. */
export type GapReason = (typeof GAP_REASONS)[number]
