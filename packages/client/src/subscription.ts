import type { ServerMessageOf, Since } from '@holdfast/protocol'
import { abortable } from './abort.js'
import { Backoff } from './backoff.js'
import { answerOf } from './deadline.js'
import type { Dispatcher, Subscribed } from './dispatcher.js'
import { encode } from './encode.js'
import { HoldfastError, PASSING, unlessLost } from './errors.js'
import type { Link } from './link.js'
import type { TokenSource } from './token.js'
import type { Wire } from './wire.js'

/** Every state of a channel, as its client sees it. `subscribing` includes the time while the connection is away. */
export type SubscriptionState = 'unsubscribed' | 'subscribing' | 'subscribed'

/** Whether to be a member of a channel, and what to tell of oneself (at most 1 KiB of JSON). */
export type PresenceOption = boolean | { readonly info: unknown }

/** How the server, or a refusal, ended a subscription. */
export interface Unsubscribed {
  readonly channel: string
  readonly code: string
  readonly message: string
}

/** What a subscription tells. */
export interface SubscriptionEvents {
  /** Somebody wishes something of it. */
  used(): void
  begun(verdict: ServerMessageOf<'subscribed'>): void
  ended(error: HoldfastError): void
}

interface Waiter {
  resolve(subscribed: Subscribed): void
  reject(error: unknown): void
}

/**
 * One channel's subscription: wished for, asked for, begun, and begun again on every new connection where the last one ended.
 * Only one link speaks for a channel at a time; during a hand-over that is the old one until the new one has given its verdict.
 */
export class Subscription {
  readonly #channel: string
  readonly #wire: Wire
  readonly #dispatcher: Dispatcher
  readonly #events: SubscriptionEvents
  readonly #backoff: Backoff
  /** Where the channel token of each subscribe comes from. */
  token: TokenSource | undefined
  #state: SubscriptionState = 'unsubscribed'
  #since: Since | undefined
  /** As JSON, because what was told of oneself may be changed by whoever told it. */
  #presence = 'false'
  #presenceAsked = 'false'
  #link: Link | undefined
  #resumedOn: Link | undefined
  /** The link whose server may know of it. */
  #askedOn: Link | undefined
  /**
   * False from its end, or a wish to start elsewhere, until it has begun again: a session would go on where it was, and an unsubscribe
   * may be on its way that would end it.
   */
  #mayResume = true
  #verdict: Subscribed | undefined
  #turn = 0
  #loaded = false
  #starting = false
  #cancelAsk: () => void = () => {}
  /** Set while it waits to be asked for again. */
  #stopRetry: (() => void) | undefined
  readonly #waiters = new Set<Waiter>()

  constructor(channel: string, wire: Wire, dispatcher: Dispatcher, events: SubscriptionEvents) {
    this.#channel = channel
    this.#wire = wire
    this.#dispatcher = dispatcher
    this.#events = events
    this.#backoff = new Backoff(wire.settings.backoff, wire.settings.random)
  }

  get state(): SubscriptionState {
    return this.#state
  }

  /** Whether the application wishes for it. */
  get wanted(): boolean {
    return this.#state !== 'unsubscribed'
  }

  /** Whether there is a wish, or something that stands for the next one. */
  get isUsed(): boolean {
    return this.wanted || !!this.token || this.#presence !== 'false'
  }

  /** How it began last, while it goes on. */
  get verdict(): Subscribed | undefined {
    return this.#state === 'subscribed' ? this.#verdict : undefined
  }

  /** Whether what comes over this link is to be heard. */
  hears(link: Link): boolean {
    return this.wanted && this.#link === link
  }

  /** Whether this link speaks for it, or nobody wishes for it. */
  settledOn(link: Link): boolean {
    return !this.wanted || this.hears(link)
  }

  /** Wishes for it. Nothing is sent before the end of the turn, so that several wishes make one command. */
  want(): void {
    if (this.wanted) return
    this.#state = 'subscribing'
    this.#events.used()
    this.#startSoon()
  }

  /** Wishes to start there, in the place of where it was. */
  startAt(since: Since): void {
    this.#loaded = true
    this.#since = since
    this.#dispatcher.reset(typeof since === 'object' ? since : undefined)
    this.#resumedOn = undefined
    this.#mayResume = false
    this.#startSoon()
  }

  /**
   * Wishes to be a member. What was told of oneself stays until something else is.
   *
   * @throws HoldfastError `unserialisable`.
   */
  join(presence: PresenceOption): void {
    if (!presence || (presence === true && this.#presence !== 'false')) return
    this.#presence = encode(presence)
    this.#events.used()
    if (this.wanted) this.#startSoon()
  }

  /** Forgets the wish to be a member, unless something was told of oneself. */
  forget(): void {
    if (this.#presence === 'true') this.#presence = 'false'
  }

  /** Resolves with the next verdict. */
  begun(signal?: AbortSignal): Promise<Subscribed> {
    return abortable(signal, (resolve, reject) => {
      const waiter = { resolve, reject }
      this.#waiters.add(waiter)
      return () => this.#waiters.delete(waiter)
    })
  }

  /** Tells those who wait what the verdict was. */
  tell(subscribed: Subscribed): void {
    this.#verdict = subscribed
    for (const { resolve } of this.#waiters) resolve(subscribed)
    this.#waiters.clear()
  }

  /** Gives those who wait up; the wish stays. */
  giveUp(error: unknown): void {
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters.clear()
  }

  /** Ends it by wish; whoever waits for its begin gets `error`. */
  async end(error: HoldfastError): Promise<void> {
    if (!this.wanted) return
    this.#dispatcher.rewind()
    this.#close(error)
    const link = this.#wire.link()
    if (link && this.#askedOn === link) await this.leave()
  }

  /** Tells the server that nobody wishes for it. */
  async leave(): Promise<void> {
    const left = this.#wire.requests.request({ type: 'unsubscribe', channel: this.#channel }, { urgent: true })
    await left.catch(unlessLost)
  }

  /** The same, for whoever does not wait for it. */
  quit(): void {
    void this.leave().catch(this.#wire.report)
  }

  /** The server will go on with it by itself, from the position that was named in `hello`. */
  resume(link: Link): void {
    this.#stop()
    if (!this.#mayResume || this.#presenceAsked !== this.#presence) return this.start(link)
    this.#loaded = true
    this.#resumedOn = this.#askedOn = link
  }

  /** Asks for it on this link, from where it was. */
  start(link: Link): void {
    this.#stop()
    void this.#ask(link)
  }

  /** The link is gone; the next one begins it again. */
  lost(link: Link): void {
    this.#part(link)
    if (!this.#wire.link()) this.#stop()
  }

  /** Takes a verdict that nobody asked for: that of a resumed session. */
  take(message: ServerMessageOf<'subscribed'>, link: Link): void {
    if (this.#resumedOn === link) this.#begin(message, link)
  }

  /** The server ended it, or could not go on with it. What a link says that has a successor is not for this one. */
  refused({ code, message }: ServerMessageOf<'unsubscribed'>, link: Link): void {
    if (link !== this.#wire.link() || (link !== this.#link && link !== this.#resumedOn)) return
    this.#stop()
    this.#part(link)
    // What a token granted ends with it; a fresh one goes on.
    this.#failed(new HoldfastError(code, message, { retryable: !!this.token || PASSING.test(code) }))
  }

  /** The server can do again what it could not: asks soon, if it waits to ask, but not in step with everybody. */
  retry(): void {
    if (!this.#stopRetry) return
    this.#backoff.reset()
    this.#retryIn(this.#backoff.next())
  }

  /** Messages were turned away; what is missing is recovered from the log. */
  recover(): void {
    this.#link = undefined
    this.#startNow()
  }

  #startSoon(): void {
    if (this.#starting) return
    this.#starting = true
    queueMicrotask(() => {
      this.#starting = false
      const link = this.#wire.link()
      const isBegun = this.#link === link || this.#resumedOn === link
      if (!isBegun || this.#presenceAsked !== this.#presence) this.#startNow()
    })
  }

  #startNow(): void {
    const link = this.#wire.link()
    if (link && this.wanted) this.start(link)
  }

  async #ask(link: Link): Promise<void> {
    const turn = this.#turn
    if (!this.#loaded) await this.#load()
    const token = this.token && (await this.token().catch((error: HoldfastError) => error))
    if (turn !== this.#turn || this.#wire.link() !== link || !this.wanted) return
    if (token instanceof HoldfastError) return this.#failed(token)
    const since = this.#dispatcher.head ?? this.#since
    const presence: unknown = JSON.parse((this.#presenceAsked = this.#presence)) || undefined
    this.#askedOn = link
    this.#cancelAsk = this.#wire.requests.ask(
      { type: 'subscribe', channel: this.#channel, since, presence, token },
      { urgent: true },
      {
        answered: (answer, from) => {
          if (answer.type === 'subscribed') this.#begin(answer, from)
        },
        failed: (error) => this.#failed(error),
      },
    )
  }

  async #load(): Promise<void> {
    try {
      const { clock, cursorStore } = this.#wire.settings
      const position = await answerOf(clock, 'handler_failed', 'cursorStore.load()', () =>
        cursorStore.load(this.#channel),
      )
      if (position && !this.#loaded) this.#dispatcher.reset(position)
    } catch (error) {
      this.#wire.report(error)
    }
    this.#loaded = true
  }

  #begin(message: ServerMessageOf<'subscribed'>, link: Link): void {
    this.#link = link
    this.#resumedOn = undefined
    this.#state = 'subscribed'
    this.#mayResume = true
    this.#backoff.reset()
    this.#events.begun(message)
  }

  #failed(error: HoldfastError): void {
    // The next welcome asks again.
    if (error.code === 'disconnected') return
    if (!error.retryable) {
      const link = this.#link
      this.#close(error)
      // What was refused may be no more than a change of what goes on.
      if (link && link === this.#wire.link()) this.quit()
      return this.#events.ended(error)
    }
    this.#wire.tally.retries += 1
    this.#retryIn(Math.max(this.#backoff.next(), error.retryAfter ?? 0))
  }

  #retryIn(ms: number): void {
    this.#stopRetry?.()
    this.#stopRetry = this.#wire.settings.clock.after(ms, () => this.#startNow())
  }

  #part(link: Link): void {
    if (this.#link === link) this.#link = undefined
    if (this.#resumedOn === link) this.#resumedOn = undefined
    if (this.wanted && !this.#link) this.#state = 'subscribing'
  }

  #close(error: HoldfastError): void {
    this.#state = 'unsubscribed'
    this.#mayResume = false
    this.#link = this.#resumedOn = undefined
    this.#stop()
    this.giveUp(error)
  }

  #stop(): void {
    this.#turn += 1
    this.#cancelAsk()
    this.#stopRetry?.()
    this.#stopRetry = undefined
  }
}
