import type { Position, ServerMessage, ServerMessageOf } from '@holdfast/protocol'
import type { Channel } from './channel.js'
import { Emitter } from './emitter.js'
import { HoldfastError } from './errors.js'
import { frameOf } from './requests.js'
import type { Link } from './link.js'
import type { Operation } from './operation.js'
import { Roster } from './roster.js'
import { Subscription, type SubscriptionEvents, type Unsubscribed } from './subscription.js'
import { type Deliveries, type Gap, type Message, type Subscribed, Dispatcher } from './dispatcher.js'
import { type Typing, TypingWatch } from './typing.js'
import type { Wire } from './wire.js'

/** What a channel tells beside the application's own events. */
export interface ChannelEvents {
  /** Every message and signal. */
  '*': Message
  /** Messages that could not be recovered. Comes before any later message. */
  gap: Gap
  /** The subscription began, or went on after a break. */
  subscribed: Subscribed
  /** Access ended, or was refused. */
  unsubscribed: Unsubscribed
  /** Somebody began or stopped typing. */
  typing: Typing
}

/** The application's events are kept apart from ours, whatever they are called. */
type Listened = ChannelEvents & Record<`event:${string}`, Message>

/** A server message that belongs to a channel. */
export type ChannelMessage = Extract<ServerMessage, { channel: string }>

/** The parts of one channel and what passes between them. */
export class ChannelCore implements Deliveries, SubscriptionEvents {
  readonly name: string
  readonly wire: Wire
  /** Somebody begins to use it: keeps it, until it is found not to be used any more. */
  readonly used: () => void
  readonly events: Emitter<Listened>
  readonly roster: Roster
  readonly typing: TypingWatch
  readonly dispatcher: Dispatcher
  readonly subscription: Subscription
  /** The channel as the application sees it, once it has asked for it. */
  facade: Channel | undefined
  /** The operation whose channel this is, in each object that is watched. They take data as it arrives, before anything is dropped or waits. */
  readonly operations: Set<Operation> = new Set()
  /** The application has subscribed beside its listeners. */
  isExplicit = false
  /** Called when the handlers of a message have settled. */
  onMoved: (() => void) | undefined
  /** The ends of what reads the channel as a stream. */
  readonly streams: Set<(error: HoldfastError) => void> = new Set()

  /** How often the client had come back when it was told last that the subscription began; a move to another node is no break. */
  #toldAt: number | undefined

  constructor(name: string, wire: Wire, used: () => void) {
    this.name = name
    this.wire = wire
    this.used = used
    const left = (): void => this.left()
    this.events = new Emitter(wire.report, left)
    this.roster = new Roster(wire.report, left, (presence) => this.subscription.join(presence))
    this.typing = new TypingWatch(
      wire.settings.clock,
      (active) => void this.signal('typing', JSON.stringify({ active })),
      (typing) => void this.events.emit('typing', typing),
    )
    this.dispatcher = new Dispatcher(name, wire.settings.backlogMax, wire.tally, this)
    this.subscription = new Subscription(name, wire, this.dispatcher, this)
  }

  /** Whether it has to go on though the application may hold nothing of it. Who listens to its presence wishes to be a member. */
  get isUsed(): boolean {
    return this.events.has() || this.subscription.isUsed
  }

  /** Sends a signal whose data is encoded; false when there is no connection, because a signal is never kept. */
  signal(event: string, data: string): boolean {
    return this.wire.link()?.send(frameOf({ type: 'signal', channel: this.name, event }, data)) ?? false
  }

  /** Takes a message of the server. */
  receive(message: ChannelMessage, link: Link): void {
    if (message.type === 'subscribed') return this.subscription.take(message, link)
    // The verdict on a resumed channel may be a refusal, before the link speaks for it.
    if (message.type === 'unsubscribed') return this.subscription.refused(message, link)
    if (!this.subscription.hears(link)) return
    switch (message.type) {
      case 'message':
        this.#tap(message.data)
        return this.dispatcher.message(message)
      case 'gap':
        return this.dispatcher.gap(message)
      case 'signal':
        return this.#signalled({ ...message, recovered: false } as unknown as Message)
      case 'joined':
      case 'left':
      case 'updated':
        return this.roster.move(message)
    }
  }

  /** The subscription has begun. */
  begun(verdict: ServerMessageOf<'subscribed'>): void {
    for (const message of verdict.messages) this.#tap(message.data)
    if (verdict.members) this.roster.replace(verdict.members, verdict.counts)
    this.dispatcher.subscribed(verdict)
  }

  /** The subscription has ended, and not by wish. */
  ended(error: HoldfastError): void {
    const { code, message } = error
    this.#endStreams(error)
    void this.events.emit('unsubscribed', { channel: this.name, code, message })
  }

  /** Hands a message to those who listen. */
  message(message: Message): Promise<unknown> | undefined {
    const named = this.events.emit(`event:${message.event}`, message)
    const every = this.events.emit('*', message)
    return (named ?? every) && Promise.all([named, every])
  }

  /** Hands a gap to those who listen. */
  gap(gap: Gap): Promise<unknown> | undefined {
    return this.events.emit('gap', gap)
  }

  /** Tells those who wait how it began, and those who listen, unless they noticed no break. */
  subscribed(subscribed: Subscribed): Promise<unknown> | undefined {
    this.subscription.tell(subscribed)
    const { reconnects } = this.wire.tally
    if (subscribed.recovered === 'full' && this.#toldAt === reconnects) return undefined
    this.#toldAt = reconnects
    return this.events.emit('subscribed', subscribed)
  }

  /** The handlers of everything up to there have settled: keeps the position. */
  moved(position: Position): void {
    this.onMoved?.()
    // An operation is watched from its snapshot on.
    if (!this.name.startsWith('operation:')) void this.#save(position)
  }

  /** Messages were turned away: recovers them. */
  starved(): void {
    this.subscription.recover()
  }

  /** Ends the subscription by wish. */
  async end(): Promise<void> {
    const error = new HoldfastError('aborted', 'Unsubscribed')
    this.#endStreams(error)
    if (!this.roster.has()) this.subscription.forget()
    await this.subscription.end(error)
  }

  /** The client was closed: nothing more comes, and nobody waits for it. */
  close(error: HoldfastError): void {
    this.#endStreams(error)
    this.subscription.giveUp(error)
  }

  /** Somebody listens no more: ends the subscription when nobody does, and nobody asked for it without listening. */
  left(): void {
    if (!this.events.has() && !this.operations.size && !this.isExplicit) void this.end().catch(this.wire.report)
  }

  #endStreams(error: HoldfastError): void {
    this.#toldAt = undefined
    this.typing.stop()
    for (const end of [...this.streams]) end(error)
    for (const operation of [...this.operations]) operation.fail(error)
  }

  #signalled(signal: Message): void {
    const { user } = signal.from as { user?: string }
    const active = (signal.data as { active?: unknown } | null)?.active
    if (signal.event !== 'typing' || user === undefined) return void this.message(signal)
    if (user !== this.wire.welcome()?.user) this.typing.hear(user, active === true)
    void this.events.emit('*', signal)
  }

  async #save(position: Position): Promise<void> {
    const { report, settings } = this.wire
    try {
      await settings.cursorStore.save(this.name, position)
    } catch (error) {
      report(error)
    }
  }

  #tap(data: unknown): void {
    for (const operation of this.operations) operation.take(data)
  }
}
