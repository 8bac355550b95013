import type { Counts, Member, Position, ServerMessageOf, Since } from '@holdfast/protocol'
import type { ChannelCore, ChannelEvents } from './channel-core.js'
import { type Message, type Subscribed, toMessage } from './dispatcher.js'
import { encode } from './encode.js'
import { pull } from './pull.js'
import { NOBODY, type Roster } from './roster.js'
import type { PresenceOption, SubscriptionState } from './subscription.js'

/** The events of an application: a type that maps the name of each event to that of its data. */
export type EventMap = object

/** What a listener to `E` receives on a channel whose events are `M`. */
export type ChannelEvent<M extends EventMap, E> = E extends '*'
  ? AnyMessage<M>
  : E extends keyof ChannelEvents
    ? ChannelEvents[E]
    : E extends keyof M & string
      ? Message<M[E], E>
      : never

/** Any message of a channel whose events are `M`; `event` tells which. */
export type AnyMessage<M extends EventMap> = { [E in keyof M & string]: Message<M[E], E> }[keyof M & string]

/** Options of a publish. */
export interface PublishOptions {
  /** Names the message, so that publishing it again has no effect: 1 to 128 printable characters. Default: a random one. */
  readonly key?: string
  /** Milliseconds to wait for the answer once it is sent. Default `requestTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Where a published message stands. */
export interface Published {
  readonly id: string
  /** Absent, like `epoch`, on a channel that keeps no history. */
  readonly offset: number | undefined
  readonly epoch: string | undefined
  /** The key had been used already; this is the message of that time. */
  readonly duplicate: boolean
}

/** Options of a subscription. */
export interface SubscribeOptions {
  /** Where to start: a position, or `newest:N`. Default: where this client was, else now. */
  readonly since?: Since
  /** Whether to be a member, and what to tell of oneself. Default false. */
  readonly presence?: PresenceOption
  readonly signal?: AbortSignal
}

/** Which part of the past to fetch. */
export interface HistoryOptions {
  /** Forward from there; excludes `before`. */
  readonly since?: Position
  /** Backward from there. */
  readonly before?: Position
  /** 1 to 1000. Default 100. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** A part of the past. */
export interface History<M extends EventMap> {
  /** Oldest first. */
  readonly messages: readonly AnyMessage<M>[]
  /** There is more in the direction that was asked for. */
  readonly more: boolean
}

/** A named stream of messages. Made by `client.channel(name)`, which answers the same object for the same name as long as anybody holds it. */
export class Channel<M extends EventMap = Record<string, unknown>> {
  readonly #core: ChannelCore

  /** @internal Made by the client. */
  constructor(core: ChannelCore) {
    this.#core = core
  }

  /** The name, `namespace:name`. */
  get name(): string {
    return this.#core.name
  }

  /** `unsubscribed`, `subscribing` (also while the connection is away) or `subscribed`. */
  get status(): SubscriptionState {
    return this.#core.subscription.state
  }

  /** The last message whose handlers have settled. */
  get position(): Position | undefined {
    return this.#core.dispatcher.position
  }

  /** Who is here. Listening to it joins the channel's presence. */
  get presence(): Roster {
    return this.#core.roster
  }

  /** Who types now, ourselves left out. */
  get typers(): readonly string[] {
    return this.#core.typing.typers
  }

  /**
   * Listens to an event of the application, to every message (`*`), or to `gap`, `subscribed`, `unsubscribed`, `typing`. The first
   * listener subscribes; returns the undo, and the last undo unsubscribes. Messages come one at a time: the next one waits
   * until the promise that a handler returned has settled. A handler that throws is reported as `error` by the client.
   */
  on<E extends (keyof M & string) | keyof ChannelEvents>(
    event: E,
    handler: (value: ChannelEvent<M, E>) => unknown,
  ): () => void {
    const key = RESERVED.has(event) ? event : `event:${event}`
    this.#core.subscription.want()
    return this.#core.events.on(key as '*', handler as (value: Message) => unknown)
  }

  /** Subscribes without, or beside, a listener, until `unsubscribe`. Resolves with the verdict; rejects when refused. */
  async subscribe(options: SubscribeOptions = {}): Promise<Subscribed> {
    const { subscription } = this.#core
    this.#core.isExplicit = true
    if (options.since !== undefined && subscription.state !== 'subscribed') subscription.startAt(options.since)
    if (options.presence !== undefined) subscription.join(options.presence)
    subscription.want()
    return subscription.verdict ?? subscription.begun(options.signal)
  }

  /** Unsubscribes; listeners stay, but hear nothing. The position is kept for the next time. */
  async unsubscribe(): Promise<void> {
    this.#core.isExplicit = false
    await this.#core.end()
  }

  /**
   * Publishes, and resolves when the message is stored. Without a connection it waits in the offline queue. It carries a key, so that
   * a lost answer never makes two messages of it.
   */
  async publish<E extends keyof M & string>(event: E, data: M[E], options: PublishOptions = {}): Promise<Published> {
    const { wire, name } = this.#core
    const { key = wire.settings.random.id(), timeoutMs, signal } = options
    const head = { type: 'publish', channel: name, event, key }
    const ok = await wire.requests.request(head, { data: encode(data), timeoutMs, signal, resend: true })
    const { messageId = '', duplicate = false, epoch } = ok
    return { id: messageId, offset: epoch === undefined ? undefined : ok.offset, epoch, duplicate }
  }

  /** Sends what is never stored (a cursor, say). False when there is no connection; a refusal is reported as `error`. */
  signal<E extends keyof M & string>(event: E, data: M[E]): boolean {
    return this.#core.signal(event, encode(data))
  }

  /** Tells the others that we type, or stopped; may be called at every keystroke. */
  typing(active: boolean): void {
    this.#core.typing.tell(active)
  }

  /** Fetches messages of the past, newest last. */
  async history(options: HistoryOptions = {}): Promise<History<M>> {
    const { messages = [], more = false } = await this.#ask('history', options)
    const past = messages.map((message) => toMessage(message, true))
    return { messages: past as unknown as AnyMessage<M>[], more }
  }

  /** Fetches who is here, without joining. `limit` 1 to 1000. */
  async members(
    options: { limit?: number; signal?: AbortSignal } = {},
  ): Promise<{ members: Member[]; counts: Counts }> {
    const { members = [], counts = NOBODY } = await this.#ask('presence', options)
    return { members, counts }
  }

  #ask(type: string, { signal, ...range }: { readonly signal?: AbortSignal }): Promise<ServerMessageOf<'ok'>> {
    return this.#core.wire.requests.request({ type, channel: this.name, ...range }, { signal })
  }

  /**
   * The messages, one at a time: the channel's next message waits until the loop asks for it. Ends with `unsubscribe` and
   * `disconnect`. Leave the loop to stop; an iterator that is neither read nor returned holds the channel back.
   */
  [Symbol.asyncIterator](): AsyncGenerator<AnyMessage<M>, void, undefined> {
    return pull<AnyMessage<M>>((take, end) => {
      const { streams } = this.#core
      streams.add(end)
      const offs = [this.on('*', take), () => streams.delete(end)]
      return () => offs.forEach((off) => off())
    })
  }
}

const RESERVED: ReadonlySet<string> = new Set<keyof ChannelEvents>(['*', 'gap', 'subscribed', 'unsubscribed', 'typing'])
