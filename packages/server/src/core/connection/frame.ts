import type { SlowPolicy } from '../../access/channel-rules.js'

/** What may happen to a frame when its reader is slow: a `kept` one is never dropped. */
export type Importance = 'kept' | SlowPolicy

/** A message, encoded once, header included, shared by everyone who gets it. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly importance: Importance
  /** For frames of a channel: where they belong, so that a dropped one can be announced as a gap. */
  readonly channel?: string
  readonly offset?: number | undefined
  /** Of frames with the same key only the newest matters, where the policy is `latest`. */
  readonly conflationKey?: string
}
