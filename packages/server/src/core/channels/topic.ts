import type { GapRange } from '@holdfast/protocol'
import type { Cancel, Clock } from '../../clock.js'
import type {
  Engine,
  LogTop,
  MemberChange,
  MemberList,
  Receiver,
  Retention,
  Signal,
  Stream,
  StreamMessage,
} from '../../engine/engine.js'
import type { FrameEncoder } from '../../transport/transport.js'
import { CatchUp, type Straggler } from './catch-up.js'
import { Continuity } from './continuity.js'
import { encodeGap, encodePresence, encodeSignal, encodeStreamMessage } from '../connection/encode.js'
import type { Frame } from '../connection/frame.js'
import type { Checked, PositionChecks } from './position-checks.js'
import type { PresenceOptions } from './presence.js'
import { NOTIFICATION_EVENT, type ReceiptDoor } from './receipts.js'
import { type PresenceChange, Roster } from './roster.js'
import type { Subscription, SubscriptionLimits } from './subscription.js'

/** What the topics of a node share. */
export interface TopicParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly frames: FrameEncoder
  readonly checks: PositionChecks
  /** Who wants to know what was handed to those whose inbox it is (default: nobody). */
  readonly receipts?: Pick<ReceiptDoor, 'handed'>
  readonly limits: { readonly subscription: SubscriptionLimits; readonly presence: PresenceOptions }
  onError(error: unknown): void
}

/** A subscription that read further than announcements have come: how long until the log is asked whether one is missing. */
const SETTLE_MS = 1_000

/**
 * One channel of one tenant on this node: everyone here who listens to it. What is announced goes out in the order of the log, each message once, nothing
 * between left out: a repetition is dropped, and a hole is filled from the log before anything else goes on. The way from an announcement to the outboxes
 * is synchronous and encodes once.
 */
export class Topic implements Receiver, Checked, Straggler {
  readonly stream: Stream
  /** Settles when announcements arrive. */
  readonly listening: Promise<void>
  heardAt: number
  readonly #parts: TopicParts
  readonly #onEmpty: (topic: Topic) => void
  readonly #live: Subscription[] = []
  readonly #held = new Set<Subscription>()
  /** Told their verdict, and further than announcements have come. */
  readonly #settling = new Set<Subscription>()
  readonly #roster: Roster
  /** Where those who are live stand; undefined until the first of them is. */
  #at: Continuity | undefined
  #catchUp: CatchUp | undefined
  #caughtUp: Promise<void> | undefined
  #cancelSettle: Cancel | undefined
  #watchers = 0

  constructor(
    stream: Stream,
    parts: TopicParts,
    listen: (topic: Topic) => Promise<void>,
    onEmpty: (topic: Topic) => void,
  ) {
    this.stream = stream
    this.#parts = parts
    this.#onEmpty = onEmpty
    this.heardAt = parts.clock.now()
    const { coalesceMs, sampleMax } = parts.limits.presence
    this.#roster = new Roster({
      clock: parts.clock,
      coalesceMs,
      sampleMax,
      list: () => parts.engine.members.list(stream, sampleMax),
      tell: (change) => this.#tellPresence(change),
      onError: parts.onError,
    })
    this.listening = listen(this)
  }

  /** Subscriptions, live or recovering. */
  get size(): number {
    return this.#live.length + this.#held.size + this.#settling.size
  }

  /** Live subscriptions of the one whose inbox it is. */
  get devices(): number {
    let devices = 0
    for (const { isDevice } of this.#live) if (isDevice) devices += 1
    for (const { isDevice } of this.#settling) if (isDevice) devices += 1
    return devices
  }

  get retention(): Retention | undefined {
    return this.#anyone()?.rule.retention
  }

  /** Settles when announcements alone are enough: at once, or when the log was read. */
  caughtUp(): Promise<void> {
    return this.#caughtUp ?? Promise.resolve()
  }

  get position(): LogTop | undefined {
    return this.#at?.position
  }

  // Subscriptions

  /** A subscription begins to recover: announcements go to its gate. */
  hold(subscription: Subscription): void {
    this.#held.add(subscription)
    if (subscription.presence) this.#watchers += 1
  }

  /** A subscription that watches members was given this list, after its own entry. */
  watch(list: MemberList, own?: MemberChange): void {
    this.#roster.begin(list, own)
  }

  /** Whether a subscription that has recovered up to there can go live: it must not stand behind the others, or it would miss what they had already. */
  accepts({ epoch, offset }: { readonly epoch: string; readonly offset: number }): boolean {
    return this.#at === undefined || this.#at.epoch !== epoch || offset >= this.#at.offset
  }

  /** A subscription goes live: at `from`, where there is a log. */
  admit(subscription: Subscription, from: LogTop | undefined): void {
    this.#held.delete(subscription)
    if (from === undefined) return this.#join(subscription)
    this.#at ??= new Continuity(from)
    if (this.#at.epoch === from.epoch && this.#at.offset >= from.top.offset) return this.#join(subscription)
    subscription.settlesAt = from
    this.#settling.add(subscription)
    if (this.#at.epoch !== from.epoch) this.astray()
    else this.#cancelSettle ??= this.#parts.clock.after(SETTLE_MS, () => this.#settleLate())
  }

  /** A subscription ends. */
  release(subscription: Subscription): void {
    const known = this.#held.delete(subscription) || this.#settling.delete(subscription) || subscription.index >= 0
    if (subscription.index >= 0) this.#removeLive(subscription)
    if (known && subscription.presence) this.#watchers -= 1
    if (this.#watchers === 0) this.#roster.end()
    if (this.size === 0) this.#end()
  }

  // From the engine

  message(epoch: string, message: StreamMessage): void {
    this.heardAt = this.#parts.clock.now()
    if (message.offset === undefined) return this.#carry(message)
    if (this.#catchUp !== undefined) return this.#catchUp.gate.message(epoch, message)
    if (this.#at === undefined) return this.#unplaced(epoch, message)
    const arrival = this.#at.judge(epoch, message)
    if (arrival === 'next') this.deliver(epoch, message)
    // What was announced is in the log that is read from now on.
    else if (arrival === 'astray') this.astray()
  }

  signal(signal: Signal): void {
    if (this.#live.length + this.#settling.size === 0) return
    const bytes = this.#parts.frames.text(encodeSignal(this.stream.channel, signal))
    this.#push({ bytes, importance: 'drop-oldest' })
  }

  members(change: MemberChange): void {
    this.#roster.take(change)
  }

  rotated(epoch: string): void {
    this.heardAt = this.#parts.clock.now()
    if (this.#at === undefined) for (const subscription of this.#held) subscription.gate?.rotated(epoch)
    // The log says what is true now: this may have come late.
    else if (!this.#at.knows(epoch)) this.astray()
  }

  uncertain(): void {
    // It may be listened to a moment longer than anybody here wants it.
    if (this.size === 0) return
    this.#roster.uncertain()
    this.#parts.checks.ask(this)
  }

  // Against the log

  astray(): void {
    if (this.#catchUp !== undefined || this.#at === undefined) return
    const { engine, clock, limits } = this.#parts
    const catchUp = new CatchUp({ engine, clock, limits: limits.subscription }, this)
    this.#catchUp = catchUp
    this.#caughtUp = catchUp.run().then(() => {
      if (this.#catchUp === catchUp) this.#catchUp = this.#caughtUp = undefined
    })
  }

  confirmed(): void {
    this.heardAt = this.#parts.clock.now()
  }

  /** The next message of the log goes to everybody. */
  deliver(epoch: string, message: StreamMessage): void {
    this.#at?.advance(message.offset ?? 0, message.id)
    this.#toGates(epoch, message)
    this.#carry(message)
    if (this.#settling.size > 0) this.#settle()
  }

  /** Part of the log is gone: everybody live is told. */
  lost(range: GapRange, next: LogTop): void {
    const { epoch, top } = next
    const text = encodeGap(this.stream.channel, range, { epoch, ...top })
    const frame: Frame = { bytes: this.#parts.frames.text(text), importance: 'kept' }
    for (const subscription of this.#settling) if (subscription.settlesAt?.epoch !== epoch) this.#settled(subscription)
    if (epoch !== this.#at?.epoch) for (const subscription of this.#held) subscription.gate?.rotated(epoch)
    this.#at?.moveTo(next)
    for (const subscription of this.#live) subscription.subscriber.outbox.push(frame)
    this.#settle()
  }

  onError(error: unknown): void {
    this.#parts.onError(error)
  }

  // Out

  /** The frame that tells of a change of presence. Dropping one would leave a wrong list for ever: a slow reader starts over. */
  presenceFrame(change: PresenceChange): Frame {
    return { bytes: this.#parts.frames.text(encodePresence(this.stream.channel, change)), importance: 'resume' }
  }

  /** Nobody here stands anywhere in the log: those who recover wait for it, and those whose rule keeps nothing just listen. */
  #unplaced(epoch: string, message: StreamMessage): void {
    this.#toGates(epoch, message)
    this.#carry(message)
  }

  #carry(message: StreamMessage): void {
    if (this.#live.length > 0) this.#pushLive(this.#messageFrame(message))
    if (message.offset === undefined) this.#toSettling(message)
    if (message.event === NOTIFICATION_EVENT) this.#noteHanded(message)
    if (message.final) for (const { subscriber } of [...this.#live]) subscriber.streamEnded(this.stream.channel)
  }

  #noteHanded(message: StreamMessage): void {
    const connections = this.#live.filter(({ isDevice }) => isDevice).length
    if (connections > 0) this.#parts.receipts?.handed(this.stream, [message], { connections, hasJustCome: false })
  }

  #pushLive(frame: Frame): void {
    const live = this.#live
    for (let index = 0; index < live.length; index += 1) live[index]?.subscriber.outbox.push(frame)
  }

  /** What has no place in the log is for those who settle, too. */
  #toSettling(message: StreamMessage): void {
    if (this.#settling.size === 0) return
    const frame = this.#messageFrame(message)
    for (const { subscriber } of this.#settling) subscriber.outbox.push(frame)
  }

  #push(frame: Frame): void {
    this.#pushLive(frame)
    for (const { subscriber } of this.#settling) subscriber.outbox.push(frame)
  }

  #toGates(epoch: string, message: StreamMessage): void {
    for (const subscription of this.#held) subscription.gate?.message(epoch, message)
  }

  #tellPresence(change: PresenceChange): void {
    const frame = this.presenceFrame(change)
    for (const subscription of this.#held) if (subscription.presence) subscription.gate?.presence(change)
    for (const subscription of [...this.#live, ...this.#settling])
      if (subscription.presence) subscription.subscriber.outbox.push(frame)
  }

  #messageFrame(message: StreamMessage): Frame {
    const { channel } = this.stream
    const slow = this.#anyone()?.rule.slow ?? 'close'
    return {
      bytes: this.#parts.frames.text(encodeStreamMessage(channel, message)),
      importance: message.final ? 'kept' : slow,
      channel,
      offset: message.offset,
      ...(slow === 'latest' && { conflationKey: `${channel} ${message.event}` }),
    }
  }

  // Who is live

  #anyone(): Subscription | undefined {
    if (this.#live[0] !== undefined) return this.#live[0]
    for (const subscription of this.#settling) return subscription
    for (const subscription of this.#held) return subscription
    return undefined
  }

  #join(subscription: Subscription): void {
    subscription.index = this.#live.length
    this.#live.push(subscription)
  }

  /** Those whom announcements have reached go on with the others. */
  #settle(): void {
    for (const subscription of this.#settling) {
      const { settlesAt } = subscription
      if (settlesAt?.epoch === this.#at?.epoch && (settlesAt?.top.offset ?? 0) <= (this.#at?.offset ?? 0))
        this.#settled(subscription)
    }
  }

  #settled(subscription: Subscription): void {
    this.#settling.delete(subscription)
    subscription.settlesAt = undefined
    this.#join(subscription)
  }

  #settleLate(): void {
    this.#cancelSettle = undefined
    if (this.#settling.size > 0) this.astray()
  }

  #removeLive(subscription: Subscription): void {
    const last = this.#live.pop()
    if (last !== undefined && last !== subscription) {
      this.#live[subscription.index] = last
      last.index = subscription.index
    }
    subscription.index = -1
  }

  #end(): void {
    this.#at = undefined
    this.#catchUp?.end()
    this.#catchUp = this.#caughtUp = undefined
    this.#cancelSettle?.()
    this.#cancelSettle = undefined
    this.#parts.checks.forget(this)
    this.#onEmpty(this)
  }
}
