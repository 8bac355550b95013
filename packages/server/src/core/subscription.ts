import type { Since } from '@holdfast/protocol'
import type { ChannelRule } from '../access/channel-rules.js'
import type { Engine, LogPage, Retention } from '../engine/engine.js'
import { HoldfastError } from './errors.js'
import { Gate, type GateLimits } from './gate.js'
import type { Outbox } from './outbox.js'
import { type RecoveryLimits, type Verdict, freshEpochRange, judge, recoveryRange } from './recovery.js'
import type { Topic } from './topic.js'

/** How often the log is read again because what was announced meanwhile did not join up with it. */
const READS_MAX = 5

/** After how long a client tries a subscribe again that could not be completed. */
const RETRY_AFTER_MS = 1_000

/** What a subscription needs of its connection. */
export interface Subscriber {
  readonly outbox: Outbox
  /** The channel has carried its last message. */
  streamEnded(channel: string): void
}

/** `recovering`: announcements wait in the gate; `live`: they are delivered; `ended`: nothing arrives any more. */
export type SubscriptionState = 'recovering' | 'live' | 'ended'

/** What a subscription starts with: the verdict, and the log as it was read for it (none on a channel without history). */
export interface Beginning {
  readonly verdict: Verdict
  readonly page: LogPage | undefined
}

/** How much a subscription may hold and start with. */
export interface SubscriptionLimits {
  readonly gate: GateLimits
  readonly recovery: RecoveryLimits
}

/** One connection listening to one channel: recover, then live. */
export class Subscription {
  readonly subscriber: Subscriber
  readonly topic: Topic
  readonly rule: ChannelRule
  /** Whether the subscriber is told of members. */
  readonly presence: boolean
  /** What the member tells of itself, as JSON text. */
  readonly info: string | undefined
  /** Its place in the topic's list of live subscriptions. */
  index = -1
  #state: SubscriptionState = 'recovering'
  #gate: Gate | undefined

  constructor(
    subscriber: Subscriber,
    topic: Topic,
    rule: ChannelRule,
    options: { presence: boolean; info?: string | undefined },
  ) {
    this.subscriber = subscriber
    this.topic = topic
    this.rule = rule
    this.presence = options.presence
    this.info = options.info
    // From now on the topic has somebody: it must not be given up while the subscription waits for its turn.
    topic.hold(this)
  }

  get state(): SubscriptionState {
    return this.#state
  }

  get gate(): Gate | undefined {
    return this.#gate
  }

  /**
   * Reads what the reader missed and joins it with what is announced meanwhile. `start` is called with the verdict in the same turn in
   * which the subscription goes live, so that its answer leaves before the next message does.
   *
   * @throws HoldfastError `recovery_overflow` when too much arrived meanwhile.
   */
  async recover(
    engine: Engine,
    since: Since | undefined,
    limits: SubscriptionLimits,
    start: (beginning: Beginning) => void,
  ): Promise<void> {
    const gate = new Gate(limits.gate)
    this.#gate = gate
    await this.topic.listening
    const { retention } = this.rule
    const beginning = retention ? await this.#join(engine, gate, retention, since, limits.recovery) : nothingKept()
    if (this.#state === 'ended') return
    start(beginning)
    this.#goLive()
  }

  /** Ends the subscription. Doing so again does nothing. */
  end(): void {
    if (this.#state === 'ended') return
    this.topic.release(this)
    this.#state = 'ended'
  }

  async #join(
    engine: Engine,
    gate: Gate,
    retention: Retention,
    since: Since | undefined,
    limits: RecoveryLimits,
  ): Promise<Beginning> {
    for (let reads = 0; reads < READS_MAX && !gate.overflowed; reads += 1) {
      const page = await this.#read(engine, retention, since, limits)
      const live = gate.continuing(page.epoch, page.top.offset)
      if (live !== undefined && !gate.overflowed) return { verdict: judge(since, extend(page, live)), page }
      gate.empty()
    }
    throw new HoldfastError('recovery_overflow', undefined, { retryAfter: RETRY_AFTER_MS })
  }

  async #read(
    engine: Engine,
    retention: Retention,
    since: Since | undefined,
    limits: RecoveryLimits,
  ): Promise<LogPage> {
    const page = await engine.read(this.topic.stream, retention, recoveryRange(since, limits))
    const ended = typeof since === 'object' && since.epoch !== page.epoch
    return ended ? engine.read(this.topic.stream, retention, freshEpochRange(limits)) : page
  }

  #goLive(): void {
    // Telling the verdict may have ended the connection: its operation was over already.
    if (this.#state === 'ended') return
    const changes = this.#gate?.changes() ?? []
    this.#gate = undefined
    this.#state = 'live'
    this.topic.admit(this)
    if (this.presence) for (const change of changes) this.subscriber.outbox.push(this.topic.presenceFrame(change))
  }
}

/** A page with the messages that were announced after it was read; its top is that of the last. */
function extend(page: LogPage, live: LogPage['messages']): LogPage {
  const last = live.at(-1)
  if (last === undefined) return page
  const top = { offset: last.offset ?? 0, id: last.id }
  return { ...page, top, messages: [...page.messages, ...live] }
}

/** The verdict on a channel without history: there is nothing to recover, and no position to come back to. */
function nothingKept(): Beginning {
  const position = { epoch: 'none', offset: 0, id: '' }
  return { verdict: { recovered: 'new', gap: undefined, messages: [], position }, page: undefined }
}
