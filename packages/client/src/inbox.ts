import type { ChannelCore, ChannelEvents } from './channel-core.js'
import type { Channel, ChannelEvent, EventMap } from './channel.js'
import { unlessLost } from './errors.js'
import type { Wire } from './wire.js'

/** A notification, as `notify` on the server sends it. */
export interface Notification {
  readonly id: string
  readonly title: string
  readonly body: string
  readonly priority: 'low' | 'normal' | 'high' | 'critical'
  readonly metadata?: unknown
  /** Whether the sender waits for it to be acknowledged. */
  readonly receipt?: true
}

/** A signal: nobody has acknowledged a critical notification that this device was given. */
export interface Reminder extends Notification {
  /** What to acknowledge. */
  readonly offset: number
  /** Which one it is, from 1 on. */
  readonly reminder: number
}

/** The events of an inbox, unless the application names more. */
export interface InboxEvents {
  notification: Notification
  reminder: Reminder
}

/** Options of an inbox. */
export interface InboxOptions {
  /** Acknowledge each message when its handlers have settled. Default false. */
  readonly autoAck?: boolean
}

/**
 * The messages for this user, on whichever device. The server subscribes by itself and starts after what was acknowledged, so that what
 * lies in the inbox is delivered again until some device has acknowledged it.
 */
export class Inbox<M extends EventMap = InboxEvents> {
  readonly #wire: Wire
  readonly #listeners = new Set<Listener<M>>()
  /** @internal Acknowledge by itself. */
  autoAck = false
  #core: ChannelCore | undefined
  #wanted = 0
  #acking = false
  #epoch: string | undefined

  /** @internal Made by the client. */
  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** The channel, once the server has said who we are. */
  get channel(): Channel<M> | undefined {
    return this.#core?.facade as Channel<M> | undefined
  }

  /** Listens like `channel.on`, from before the first connection if need be; returns the undo. */
  on<E extends (keyof M & string) | keyof ChannelEvents>(
    event: E,
    handler: (value: ChannelEvent<M, E>) => unknown,
  ): () => void {
    const listener: Listener<M> = { attach: (channel) => channel.on(event, handler), off: undefined }
    this.#listeners.add(listener)
    listener.off = this.channel && listener.attach(this.channel)
    return () => {
      this.#listeners.delete(listener)
      listener.off?.()
    }
  }

  /** Tells the server that everything up to `offset` is dealt with; does so again after a disconnect. Never moves back. */
  ack(offset: number): void {
    const epoch = this.channel?.position?.epoch
    // Offsets begin anew with the stream.
    this.#wanted = Math.max(epoch === this.#epoch ? this.#wanted : 0, offset)
    this.#epoch = epoch
    void this.#flush()
  }

  /** @internal The server said who we are. */
  bind(core: ChannelCore): void {
    const before = this.#core
    if (before === core) return
    this.#core = core
    core.onMoved = () => this.#moved()
    for (const listener of this.#listeners) {
      listener.off?.()
      listener.off = listener.attach(this.channel!)
    }
    if (before) {
      // Another user has signed in: what was told of the first one's inbox is not for this one's.
      this.#wanted = 0
      before.left()
    }
    void this.#flush()
  }

  #moved(): void {
    const { position } = this.channel ?? {}
    if (this.autoAck && this.#listeners.size > 0 && position) this.ack(position.offset)
  }

  /** One at a time, the newest each time. */
  async #flush(): Promise<void> {
    if (!this.#core || this.#acking) return
    this.#acking = true
    try {
      for (let offset = 0; this.#wanted > 0 && offset !== this.#wanted;) {
        offset = this.#wanted
        const head = { type: 'ack', channel: this.#core.name, offset }
        // What is in the inbox comes again.
        await this.#wire.requests.request(head, { resend: true }).catch(unlessLost)
      }
    } catch (error) {
      this.#wire.report(error)
    }
    this.#acking = false
  }
}

interface Listener<M extends EventMap> {
  attach(channel: Channel<M>): () => void
  off: (() => void) | undefined
}
