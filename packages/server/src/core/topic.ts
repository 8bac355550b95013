import type { PresenceChange, Receiver, Signal, Stream, StreamMessage } from '../engine/engine.js'
import type { FrameEncoder } from '../transport/transport.js'
import { encodeGap, encodePresence, encodeSignal, encodeStreamMessage } from './encode.js'
import type { Frame } from './frame.js'
import type { Subscription } from './subscription.js'

/**
 * One channel of one tenant on this node: everyone here who listens to it. The way from an announcement to the outboxes is synchronous
 * and encodes once.
 */
export class Topic implements Receiver {
  readonly stream: Stream
  /** Settles when announcements arrive. */
  readonly listening: Promise<void>
  readonly #frames: FrameEncoder
  readonly #onEmpty: (topic: Topic) => void
  readonly #live: Subscription[] = []
  readonly #held = new Set<Subscription>()
  /** What went out while connected, to tell where the stream goes on when its epoch ends. */
  #delivered: { epoch: string; offset: number } | undefined

  constructor(
    stream: Stream,
    frames: FrameEncoder,
    listen: (topic: Topic) => Promise<void>,
    onEmpty: (topic: Topic) => void,
  ) {
    this.stream = stream
    this.#frames = frames
    this.#onEmpty = onEmpty
    this.listening = listen(this)
  }

  /** Subscriptions, live or recovering. */
  get size(): number {
    return this.#live.length + this.#held.size
  }

  /** A subscription begins to recover: announcements go to its gate. */
  hold(subscription: Subscription): void {
    this.#held.add(subscription)
  }

  /** A subscription goes live. */
  admit(subscription: Subscription): void {
    this.#held.delete(subscription)
    subscription.index = this.#live.length
    this.#live.push(subscription)
  }

  /** A subscription ends. */
  release(subscription: Subscription): void {
    this.#held.delete(subscription)
    if (subscription.index >= 0) this.#removeLive(subscription)
    if (this.size === 0) this.#onEmpty(this)
  }

  message(epoch: string, message: StreamMessage): void {
    for (const subscription of this.#held) subscription.gate?.message(epoch, message)
    if (message.offset !== undefined) this.#delivered = { epoch, offset: message.offset }
    if (this.#live.length === 0) return
    const frame = this.#messageFrame(message)
    const live = this.#live
    for (let index = 0; index < live.length; index += 1) live[index]?.subscriber.outbox.push(frame)
    if (message.final) for (const subscription of [...live]) subscription.subscriber.streamEnded(this.stream.channel)
  }

  signal(signal: Signal): void {
    if (this.#live.length === 0) return
    const bytes = this.#frames.text(encodeSignal(this.stream.channel, signal))
    const frame: Frame = { bytes, importance: 'drop-oldest' }
    for (const subscription of this.#live) subscription.subscriber.outbox.push(frame)
  }

  presence(change: PresenceChange): void {
    for (const subscription of this.#held) if (subscription.presence) subscription.gate?.presence(change)
    const frame = this.presenceFrame(change)
    for (const subscription of this.#live) if (subscription.presence) subscription.subscriber.outbox.push(frame)
  }

  rotated(epoch: string): void {
    for (const subscription of this.#held) subscription.gate?.rotated(epoch)
    const range = { from: (this.#delivered?.offset ?? 0) + 1, to: null, reason: 'epoch_changed' } as const
    const text = encodeGap(this.stream.channel, range, { epoch, offset: 0, id: '' })
    const frame: Frame = { bytes: this.#frames.text(text), importance: 'kept' }
    this.#delivered = { epoch, offset: 0 }
    for (const subscription of this.#live) subscription.subscriber.outbox.push(frame)
  }

  /** The frame that tells of a change of presence. Dropping one would leave a wrong list for ever: a slow reader starts over. */
  presenceFrame(change: PresenceChange): Frame {
    return { bytes: this.#frames.text(encodePresence(this.stream.channel, change)), importance: 'resume' }
  }

  #messageFrame(message: StreamMessage): Frame {
    const { channel } = this.stream
    const slow = this.#live[0]?.rule.slow ?? 'close'
    return {
      bytes: this.#frames.text(encodeStreamMessage(channel, message)),
      importance: message.final ? 'kept' : slow,
      channel,
      offset: message.offset,
      ...(slow === 'latest' && { conflationKey: `${channel} ${message.event}` }),
    }
  }

  #removeLive(subscription: Subscription): void {
    const last = this.#live.pop()
    if (last !== undefined && last !== subscription) {
      this.#live[subscription.index] = last
      last.index = subscription.index
    }
    subscription.index = -1
  }
}
