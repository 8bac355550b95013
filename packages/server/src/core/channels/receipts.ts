import type { Position } from '@holdfast/protocol'
import type { Stream, StreamMessage } from '../../engine/engine.js'

/** How messages of an inbox came to connections of its user. */
export interface HandOver {
  /** How many connections each message was handed to. */
  readonly connections: number
  /** Whether the connection began just now, and was given what lay in the inbox. */
  readonly hasJustCome: boolean
}

/** Where the core says what has become of messages in inboxes. */
export interface ReceiptDoor {
  /** Takes no time, and does not throw. */
  handed(inbox: Stream, messages: readonly StreamMessage[], how: HandOver): void
  /** The user has acknowledged everything up to a position. Rejects when the engine refuses. */
  acknowledged(inbox: Stream, position: Position): Promise<void>
}

/** The event of the messages that can have a receipt. */
export const NOTIFICATION_EVENT = 'notification'
