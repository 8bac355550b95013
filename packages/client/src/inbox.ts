import type { ChannelCore, ChannelEvents } from './channel-core.js'
import type { Channel, ChannelEvent, EventMap } from './channel.js'
import type { Wire } from './wire.js'

/** A notification, as `notify` on the server sends it. */
export interface Notification {
  readonly id: string
  readonly title: string
  readonly body: string
  readonly priority: 'low' | 'normal' | 'high'
  readonly metadata?: unknown
}

/** The events of an inbox, unless the application names more. */
export interface InboxEvents {
  notification: Notification
}

/** Options of an inbox. */
export interface InboxOptions {
  /** Acknowledge each message when its handlers have settled. Default false. */
  readonly autoAck?: boolean
}

/** How an inbox finds its channel: only the server's welcome says whose it is. */
export interface InboxChannel<M extends EventMap> {
  readonly channel: Channel<M>
  readonly core: ChannelCore
}

/**
 * The messages for this user, on whichever device. The server subscribes by itself and starts after what was acknowledged, so that what
 * lies in the inbox is delivered again until some device has acknowledged it.
 */
export class Inbox<M extends EventMap = InboxEvents> {
  readonly #wire: Wire
  readonly #listeners = new Set<Listener<M>>()
  #found: InboxChannel<M> | undefined
  #autoAck = false
  #wanted = 0
  #acked = 0
  #acking = false
  #epoch: string | undefined

  /** @internal Made by the client. */
  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** The channel, once the server has said who we are. */
  get channel(): Channel<M> | undefined {
    return this.#found?.channel
  }

  /** Listens like `channel.on`, from before the first connection if need be; returns the undo. */
  on<E extends (keyof M & string) | keyof ChannelEvents>(
    event: E,
    handler: (value: ChannelEvent<M, E>) => unknown,
  ): () => void {
    const listener: Listener<M> = { attach: (channel) => channel.on(event, handler), off: undefined }
    this.#listeners.add(listener)
    listener.off = this.#found && listener.attach(this.#found.channel)
    return () => {
      this.#listeners.delete(listener)
      listener.off?.()
    }
  }

  /** Tells the server that everything up to `offset` is dealt with. Never moves back; one that was lost is sent again. */
  ack(offset: number): void {
    const epoch = this.#found?.core.dispatcher.position?.epoch
    // Offsets begin anew with the stream.
    if (epoch !== this.#epoch) this.#wanted = this.#acked = 0
    this.#epoch = epoch
    this.#wanted = Math.max(this.#wanted, offset)
    this.#flush()
  }

  /** @internal Acknowledges by itself from now on. */
  acknowledge(): void {
    this.#autoAck = true
  }

  /** @internal The server said who we are. */
  bind(find: () => InboxChannel<M>): void {
    if (!this.#found) {
      this.#found = find()
      this.#found.core.moves.add(() => this.#moved())
      for (const listener of this.#listeners) listener.off = listener.attach(this.#found.channel)
    }
    this.#flush()
  }

  #moved(): void {
    const { offset } = this.#found?.core.dispatcher.position ?? { offset: 0 }
    if (this.#autoAck && this.#listeners.size > 0) this.ack(offset)
  }

  /** One at a time, the newest each time. */
  #flush(): void {
    const { requests, report } = this.#wire
    if (!this.#found || this.#acking || this.#wanted <= this.#acked || !this.#wire.link()) return
    const offset = this.#wanted
    this.#acking = true
    const head = { type: 'ack', channel: this.#found.core.name, offset }
    void requests
      .request(head)
      .then(() => (this.#acked = offset))
      .catch((error: unknown) => {
        // The next welcome tries again; a refusal would be repeated.
        if ((error as { retryable?: boolean }).retryable) return
        this.#acked = offset
        report(error)
      })
      .finally(() => {
        this.#acking = false
        if (this.#acked === offset) this.#flush()
      })
  }
}

interface Listener<M extends EventMap> {
  attach(channel: Channel<M>): () => void
  off: (() => void) | undefined
}
