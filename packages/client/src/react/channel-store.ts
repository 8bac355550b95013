import type { AnyMessage, Channel, EventMap } from '../channel.js'
import type { Gap } from '../dispatcher.js'
import { HoldfastError, asHoldfastError } from '../errors.js'
import type { Holdfast } from '../holdfast.js'
import type { SubscriptionState } from '../subscription.js'
import { Store } from './store.js'

/** What is known of a channel. */
export interface ChannelState<M extends EventMap> {
  /** Oldest first, at most `limit`; signals are none. */
  readonly messages: readonly AnyMessage<M>[]
  /** `subscribing` also while the connection is away. */
  readonly status: SubscriptionState
  /** The last range that was lost for good, until it is begun anew. */
  readonly gap: Gap | undefined
  /** Why there is no access, or no past. */
  readonly error: HoldfastError | undefined
  /** Who types now, ourselves left out. */
  readonly typers: readonly string[]
}

/** How much is kept of a channel, and how much of its past is fetched first. */
export interface ChannelBounds {
  readonly limit: number
  readonly history: number
}

/** What a channel is before anything is known of it; on a server, too. */
export const NO_CHANNEL: ChannelState<Record<string, unknown>> = {
  messages: [],
  status: 'unsubscribed',
  gap: undefined,
  error: undefined,
  typers: [],
}

/** A channel as one component sees it. */
export class ChannelStore<M extends EventMap> extends Store<ChannelState<M>> {
  /** Called with every message and signal; the next one waits for the promise that it returns. */
  onMessage: ((message: AnyMessage<M>) => unknown) | undefined
  readonly #channel: Channel<M>
  readonly #bounds: ChannelBounds
  /** The past was asked for, or is not wanted. */
  #hasPast: boolean

  /** Nothing is sent before somebody subscribes. */
  constructor(client: Holdfast, name: string, bounds: ChannelBounds) {
    super(NO_CHANNEL as unknown as ChannelState<M>, () => this.#begin(client))
    this.#channel = client.channel<M>(name)
    this.#bounds = bounds
    this.#hasPast = bounds.history === 0
  }

  #begin(client: Holdfast): () => void {
    const channel = this.#channel
    const look = (): void => this.set({ status: channel.status })
    const offs = [
      channel.on('*', (message) => this.#take(message)),
      channel.on('gap', (gap) => this.set({ gap })),
      channel.on('typing', ({ typers }) => this.set({ typers })),
      channel.on('subscribed', () => this.#begun()),
      channel.on('unsubscribed', ({ code, message }) => {
        this.set({ status: channel.status, error: new HoldfastError(code, message) })
      }),
      client.on('state', look),
    ]
    this.set({ status: channel.status, error: undefined })
    if (channel.status === 'subscribed') this.#begun()
    return () => offs.forEach((off) => off())
  }

  #begun(): void {
    this.set({ status: this.#channel.status, error: undefined })
    if (this.#hasPast) return
    this.#hasPast = true
    void this.#fetchPast()
  }

  /** What comes meanwhile stands in the answer as well, and is taken once. */
  async #fetchPast(): Promise<void> {
    try {
      const { messages } = await this.#channel.history({ limit: this.#bounds.history })
      const known = new Set(this.get().messages.map(({ id }) => id))
      this.#keep([...messages.filter(({ id }) => !known.has(id)), ...this.get().messages])
    } catch (thrown) {
      this.#hasPast = false
      this.set({ error: asHoldfastError(thrown, 'transport_failed', 'The past could not be fetched') })
    }
  }

  #take(message: AnyMessage<M>): unknown {
    if (message.id !== undefined) this.#keep([...this.get().messages, message])
    return this.onMessage?.(message)
  }

  #keep(messages: readonly AnyMessage<M>[]): void {
    this.set({ messages: messages.slice(-this.#bounds.limit) } as Partial<ChannelState<M>>)
  }
}
