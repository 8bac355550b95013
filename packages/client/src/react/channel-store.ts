import type { AnyMessage, Channel, EventMap } from '../channel.js'
import { systemClock } from '../clock.js'
import type { Gap } from '../dispatcher.js'
import { HoldfastError, asHoldfastError } from '../errors.js'
import type { Holdfast } from '../holdfast.js'
import type { SubscriptionState } from '../subscription.js'
import { Store } from './store.js'

/** Milliseconds after which the past is asked for again, at least. */
const RETRY_MS = 1000

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
  /** What the answer brought and has not come by itself. */
  #past: Set<string | undefined> = new Set()
  #isWatched = false
  #stopRetry: () => void = () => {}

  /** Nothing is sent before somebody subscribes. */
  constructor(client: Holdfast, name: string, bounds: ChannelBounds) {
    super(NO_CHANNEL as unknown as ChannelState<M>, () => this.#begin(client))
    this.#channel = client.channel<M>(name)
    this.#bounds = bounds
    this.#hasPast = bounds.history === 0
  }

  #begin(client: Holdfast): () => void {
    const channel = this.#channel
    this.#isWatched = true
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
    return () => {
      this.#isWatched = false
      this.#stopRetry()
      for (const off of offs) off()
    }
  }

  #begun(): void {
    this.set({ status: this.#channel.status, error: undefined })
    if (this.#hasPast) return
    this.#hasPast = true
    void this.#fetchPast()
  }

  async #fetchPast(): Promise<void> {
    try {
      const { messages } = await this.#channel.history({ limit: this.#bounds.history })
      this.#past = new Set(messages.map(({ id }) => id))
      this.#keep(joined(messages, this.get().messages))
    } catch (thrown) {
      const error = asHoldfastError(thrown, 'transport_failed', 'The past could not be fetched')
      this.#hasPast = false
      this.set({ error })
      if (error.retryable) this.#fetchLater(error.retryAfter)
    }
  }

  /** Where the connection is away the next one fetches it. */
  #fetchLater(afterMs = 0): void {
    this.#stopRetry()
    // Whoever comes later asks at once.
    if (!this.#isWatched) return
    this.#stopRetry = systemClock.after(Math.max(afterMs, RETRY_MS), () => {
      if (this.#channel.status === 'subscribed') this.#begun()
    })
  }

  /** What comes while the past is on its way may stand in the answer as well, and is kept once. */
  #take(message: AnyMessage<M>): unknown {
    if (message.id !== undefined && !this.#past.delete(message.id)) this.#keep([...this.get().messages, message])
    return this.onMessage?.(message)
  }

  #keep(messages: readonly AnyMessage<M>[]): void {
    this.set({ messages: messages.slice(-this.#bounds.limit) } as Partial<ChannelState<M>>)
  }
}

/** The past with what has come since it was asked for, some of which may stand in it as well, or be older than it reaches. */
function joined<T extends { readonly offset: number | undefined }>(past: readonly T[], come: readonly T[]): T[] {
  const [first = 0, last = first] = [past[0]?.offset, past.at(-1)?.offset]
  const older = come.filter(({ offset = last + 1 }) => past.length > 0 && offset < first)
  const newer = come.filter(({ offset = last + 1 }) => past.length === 0 || offset > last)
  return [...older, ...past, ...newer]
}
