import type { StreamMessage } from '../../engine/engine.js'
import type { PresenceChange } from './roster.js'

/** What a gate may hold. */
export interface GateLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

/**
 * Holds what is announced of a channel while its log is read, so that nothing falls between the two. Bounded: a gate that is full is
 * useless, and the subscription starts over.
 */
export class Gate {
  readonly #limits: GateLimits
  #epoch: string | undefined
  #messages: StreamMessage[] = []
  readonly #presence: PresenceChange[] = []
  #bytes = 0
  #overflowed = false

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  /** Whether something was lost because the gate was full. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  /** Takes a message announced under `epoch`. What was announced under another is of a log that is gone. */
  message(epoch: string, message: StreamMessage): void {
    if (epoch !== this.#epoch) this.rotated(epoch)
    // Announced twice.
    if ((message.offset ?? Infinity) <= (this.#messages.at(-1)?.offset ?? 0)) return
    this.#bytes += message.data.length
    if (this.#isFull()) this.#overflowed = true
    else this.#messages.push(message)
  }

  presence(change: PresenceChange): void {
    if (this.#isFull()) this.#overflowed = true
    else this.#presence.push(change)
  }

  /** Starts over, as if it had never been full. */
  reset(): void {
    this.empty()
    this.#overflowed = false
  }

  /** Everything so far belongs to a log that is gone. */
  rotated(epoch: string): void {
    this.empty()
    this.#epoch = epoch
  }

  /** Forgets the messages, and the epoch they were of: what was announced before a read begins is in the log that it finds. */
  empty(): void {
    this.#messages = []
    this.#bytes = 0
    this.#epoch = undefined
  }

  /**
   * The messages that follow `offset` of `epoch`, in order; undefined when they do not join up with it, because the epoch differs or a
   * message between is missing, and the log has to be read again.
   */
  continuing(epoch: string, offset: number): readonly StreamMessage[] | undefined {
    if (this.#epoch === undefined) return []
    if (this.#epoch !== epoch) return undefined
    const later = this.#messages.filter((message) => (message.offset ?? 0) > offset)
    return later.every((message, index) => message.offset === offset + 1 + index) ? later : undefined
  }

  /** The presence changes held. */
  changes(): readonly PresenceChange[] {
    return this.#presence
  }

  #isFull(): boolean {
    const { messagesMax, bytesMax } = this.#limits
    return this.#messages.length + this.#presence.length >= messagesMax || this.#bytes > bytesMax
  }
}
