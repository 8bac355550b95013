import { type CommandId, type Since, isChannelName, localNameOf, namespaceOf } from '@holdfast/protocol'
import type { ChannelRule } from '../../access/channel-rules.js'
import type { Identity } from '../../access/identity.js'
import type { PresenceEntry, Stream, StreamMessage } from '../../engine/engine.js'
import type { AuditFields } from '../../telemetry/audit.js'
import { encodeStreamMessage, encodeSubscribed } from '../connection/encode.js'
import { HoldfastError } from '../errors.js'
import type { Services } from '../services.js'
import type { SessionChannel } from '../sessions/session-record.js'
import { type Beginning, type Subscriber, Subscription } from './subscription.js'
import { SYSTEM } from '../services.js'

/** Channels of this namespace carry operations. */
const OPERATION_NAMESPACE = 'operation'

/** Channels of this namespace carry all operations of a user. */
const FEED_NAMESPACE = 'operations'

/** The one answer for an operation that is not there or not theirs. */
export const UNKNOWN_OPERATION = 'this operation does not exist, or is not yours to see'

const SUPERSEDED = 'a later command for this channel came before this one was answered'

/** What the subscriptions of a connection need of it. */
export interface SubscriptionOwner extends Subscriber {
  readonly id: string
  readonly address: string
  /** Whether the connection was welcomed and not told goodbye since. */
  readonly isOpen: boolean
  readonly identity: Identity
  readonly session: { readonly id: string }
  /** Who it is, for the audit trail. */
  readonly who: AuditFields
  /** The identity with what a channel token grants it on this channel. */
  identityFor(channel: string): Identity
  /** @throws HoldfastError when the token is not for this connection and channel. */
  takeChannelToken(channel: string, token: string): Promise<void>
  /** Sends a text that is never dropped. */
  send(text: string): void
  /** What `content` answers is different now. */
  channelsChanged(): void
}

/** What a client wants of a channel. */
export interface SubscribeRequest {
  readonly channel: string
  readonly since?: Since | undefined
  readonly presence: boolean
  readonly info?: string | undefined
  /** A channel token. */
  readonly token?: string | undefined
  readonly id?: CommandId | undefined
}

/** The channels of one connection. */
export class Subscriptions {
  readonly #services: Services
  readonly #owner: SubscriptionOwner
  readonly #byChannel = new Map<string, Subscription>()
  /** How often anything was to be judged again. */
  #checks = 0

  constructor(services: Services, owner: SubscriptionOwner) {
    this.#services = services
    this.#owner = owner
  }

  get size(): number {
    return this.#byChannel.size
  }

  /** What a session keeps of them. */
  content(): SessionChannel[] {
    return Array.from(this.#byChannel, ([channel, { presence, info }]) => ({
      channel,
      presence,
      ...(info !== undefined && { info }),
    }))
  }

  /** Where the connection is present. */
  *presences(): Generator<{ readonly stream: Stream; readonly entry: PresenceEntry }> {
    for (const subscription of this.#byChannel.values()) {
      if (subscription.presence) yield { stream: subscription.topic.stream, entry: this.#entry(subscription) }
    }
  }

  /** Whether the connection listens to a channel. */
  has(channel: string): boolean {
    return this.#byChannel.has(channel)
  }

  /**
   * Subscribes, and answers `subscribed` in the turn in which the channel goes live. A subscription that exists is replaced.
   *
   * @throws HoldfastError when it is not allowed, there are too many, or recovery overflowed.
   */
  async start(request: SubscribeRequest): Promise<void> {
    const { channel, token } = request
    if (request.since !== undefined) this.#services.safeguards.recovery(this.#owner)
    if (token !== undefined) await this.#owner.takeChannelToken(channel, token)
    let checks: number
    let rule: ChannelRule
    do {
      checks = this.#checks
      rule = await this.#authorise(request)
      // What was looked at again meanwhile may be allowed no more; this was not there yet to be found.
    } while (this.#owner.isOpen && this.#checks !== checks)
    // The connection may have ended meanwhile; nobody would end what begins now.
    if (!this.#owner.isOpen) return
    const subscription = this.#enter(request, rule)
    try {
      await this.#recover(subscription, request)
    } catch (error) {
      this.#forget(channel, subscription)
      throw error
    } finally {
      this.#leaveIfGone(channel, subscription)
    }
    if (subscription.state === 'ended' && this.#owner.isOpen) throw new HoldfastError('bad_request', SUPERSEDED)
  }

  /** Puts a subscription in the place of the one that there may be. */
  #enter(request: SubscribeRequest, rule: ChannelRule): Subscription {
    const { channel } = request
    const earlier = this.#byChannel.get(channel)
    if (earlier !== undefined) this.#forget(channel, earlier)
    this.#checkRoom()
    const topic = this.#services.hub.topic(this.#stream(channel))
    const isDevice = rule.inbox && this.#services.inboxes.channelsOf(this.#owner.identity).includes(channel)
    const { presence, info } = request
    const subscription = new Subscription(this.#owner, topic, rule, { presence, info, isDevice })
    this.#byChannel.set(channel, subscription)
    this.#owner.channelsChanged()
    if (earlier?.presence && !subscription.presence) this.#leave(earlier, true)
    return subscription
  }

  #checkRoom(): void {
    const { safeguards, limits } = this.#services
    if (this.#byChannel.size < limits.channelsMax) return
    safeguards.refusals.note('channels', this.#owner.who)
    throw new HoldfastError('limit_exceeded', `a connection must have at most ${limits.channelsMax} channels`)
  }

  /** Ends a subscription; one that does not exist is ended already. */
  stop(channel: string): void {
    const subscription = this.#byChannel.get(channel)
    if (subscription === undefined) return
    this.#forget(channel, subscription)
    this.#leave(subscription, true)
  }

  /** Ends all of them with the connection. `clean`: the client meant to go, so its presence ends without grace. */
  stopAll(clean: boolean): void {
    for (const subscription of this.#byChannel.values()) {
      subscription.end()
      this.#leave(subscription, clean)
    }
    this.#byChannel.clear()
  }

  /** Ends those that the identity may no longer have, and tells the client. Those that cannot be judged now are when the engine is back. */
  async recheck(): Promise<void> {
    this.#checks += 1
    const all = [...this.#byChannel]
    const atOnce = this.#services.limits.commandsInFlightMax
    for (let first = 0; first < all.length; first += atOnce) {
      const some = all.slice(first, first + atOnce)
      await Promise.all(some.map((one) => this.#services.retries.insist(() => this.#judge(...one))))
    }
  }

  /** Ends the one of a channel if the identity may no longer have it. */
  async recheckChannel(channel: string): Promise<void> {
    this.#checks += 1
    const subscription = this.#byChannel.get(channel)
    if (subscription) await this.#services.retries.insist(() => this.#judge(channel, subscription))
  }

  async #judge(channel: string, subscription: Subscription): Promise<void> {
    if (this.#byChannel.get(channel) !== subscription) return
    const identity = this.#owner.identityFor(channel)
    const allowed = await this.#mayKeep(channel, subscription)
    // What came in its place meanwhile was judged by the identity in force, and for another identity there is another look.
    if (allowed || this.#byChannel.get(channel) !== subscription || this.#owner.identityFor(channel) !== identity)
      return
    this.#services.authorisation.ended(this.#owner, { verb: 'subscribe', channel })
    this.stop(channel)
    this.#owner.send(
      JSON.stringify({ type: 'unsubscribed', channel, code: 'permission_denied', message: 'Not allowed any more' }),
    )
  }

  async #mayKeep(channel: string, { presence }: Subscription): Promise<boolean> {
    const { authorisation } = this.#services
    if (!(await authorisation.mayStill(this.#owner, { verb: 'subscribe', channel }))) return false
    return !presence || authorisation.mayStill(this.#owner, { verb: 'presence', channel })
  }

  async #authorise({ channel, presence, since }: SubscribeRequest): Promise<ChannelRule> {
    const { authorisation } = this.#services
    // A name out of a stored session has not come through the decoder.
    if (!isChannelName(channel)) throw new HoldfastError('invalid_channel')
    if (namespaceOf(channel) === OPERATION_NAMESPACE) await this.#authoriseOperation(channel)
    const rule = await authorisation.require(this.#owner, { verb: 'subscribe', channel })
    if (presence) await authorisation.require(this.#owner, { verb: 'presence', channel })
    // A position says what a reader has missed; this asks for what came before it.
    if (typeof since === 'string') await authorisation.require(this.#owner, { verb: 'history', channel })
    await this.#listen(channel)
    return rule
  }

  /** What the connection will be refused anyway is no channel of the tenant. */
  #listen(channel: string): Promise<void> | undefined {
    if (this.#byChannel.size >= this.#services.limits.channelsMax) return undefined
    return this.#services.quotas.of(this.#owner.identity.tenant)?.listen(channel)
  }

  /** What does not exist and what belongs to another are refused alike; nobody waits for an operation that never was. */
  async #authoriseOperation(channel: string): Promise<void> {
    const identity = this.#owner.identityFor(channel)
    if ((await this.#services.operations.find(identity, localNameOf(channel))) !== undefined) return
    this.#services.authorisation.denied(this.#owner, channel, 'subscribe')
    throw new HoldfastError('not_found', UNKNOWN_OPERATION)
  }

  async #recover(subscription: Subscription, request: SubscribeRequest): Promise<void> {
    const { engine, presence, limits } = this.#services
    const { channel } = request
    const { stream } = subscription.topic
    await this.#owner.outbox.room()
    if (subscription.state === 'ended') return
    const entered = request.presence ? await presence.enter(stream, this.#entry(subscription)) : undefined
    if (entered) subscription.topic.watch(entered.list, entered.own)
    const since = request.since ?? (await this.#cursor(subscription))
    // Whoever missed nothing knows where all of them are.
    let isFeed = namespaceOf(channel) === FEED_NAMESPACE
    await subscription.recover(engine, since, limits.subscription, (beginning) => {
      isFeed &&= beginning.verdict.recovered !== 'full'
      const messages = this.#openingMessages(stream, beginning)
      this.#owner.send(
        encodeSubscribed({ ...beginning.verdict, channel, messages, present: entered?.list }, request.id),
      )
      if (subscription.isDevice && messages.length > 0)
        this.#services.receipts.handed(stream, messages, { connections: 1, hasJustCome: true })
      if (messages.some((message) => message.final)) this.#owner.streamEnded(channel)
    })
    if (isFeed) await this.#tellFeed(subscription, channel)
  }

  /** What was there before, behind what is live already: of two snapshots of an operation the higher version counts. */
  async #tellFeed(subscription: Subscription, channel: string): Promise<void> {
    const openings = await this.#services.operations.feed(this.#owner.identityFor(channel), channel)
    for (const [at, opening] of openings.entries()) {
      // Together they may be more than a queue holds.
      await this.#owner.outbox.room()
      if (subscription.state !== 'live') return
      this.#owner.send(
        encodeStreamMessage(channel, { ...opening, id: `snapshot-${at}`, offset: undefined, from: SYSTEM }),
      )
    }
  }

  /** An inbox goes on where the user has acknowledged; every other channel begins now. */
  async #cursor({ rule, topic }: Subscription): Promise<Since | undefined> {
    return rule.inbox && rule.retention ? this.#services.inboxes.cursor(topic.stream, rule.retention) : undefined
  }

  /** A channel that carries an operation starts with its snapshot, unless the newest event is among the messages anyway. */
  #openingMessages(stream: Stream, { verdict, page }: Beginning): readonly StreamMessage[] {
    const { messages, recovered } = verdict
    const covered = page !== undefined && (messages[0]?.offset ?? Infinity) <= page.top.offset
    const opening =
      page && !covered && recovered !== 'full'
        ? this.#services.operations.opening(stream, page.state?.value)
        : undefined
    if (page === undefined || opening === undefined) return messages
    const { offset, id } = page.top
    return [{ ...opening, id: id || 'snapshot', offset: offset || undefined, from: SYSTEM }, ...messages]
  }

  #forget(channel: string, subscription: Subscription): void {
    subscription.end()
    if (this.#byChannel.get(channel) !== subscription) return
    this.#byChannel.delete(channel)
    this.#owner.channelsChanged()
  }

  #leave(subscription: Subscription, clean: boolean): void {
    if (subscription.presence)
      this.#services.presence.leave(subscription.topic.stream, this.#entry(subscription), clean)
  }

  /** A subscription that ended while it entered leaves again, unless another of its channel holds the place now. */
  #leaveIfGone(channel: string, subscription: Subscription): void {
    if (subscription.state === 'ended' && !this.#byChannel.has(channel)) this.#leave(subscription, true)
  }

  #entry({ info }: Subscription): PresenceEntry {
    const { id, identity, session } = this.#owner
    return { session: session.id, connection: id, node: this.#services.node, user: identity.user, info }
  }

  #stream(channel: string): Stream {
    return { tenant: this.#owner.identity.tenant, channel }
  }
}
