import type { Since } from '@holdfast/protocol'
import type { ChannelRule } from '../../access/channel-rules.js'
import type { Engine, LogPage, LogTop } from '../../engine/engine.js'
import { Gate, type GateLimits } from './gate.js'
import type { Outbox } from '../connection/outbox.js'
import { joinLog } from './join.js'
import type { RecoveryLimits, Verdict } from './recovery.js'
import type { Topic } from './topic.js'

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
  /** Whether the channel is the subscriber's own inbox. */
  readonly isDevice: boolean
  /** Where it stands, until its topic has come as far. */
  settlesAt: LogTop | undefined
  /** Its place in the topic's list of live subscriptions. */
  index = -1
  #state: SubscriptionState = 'recovering'
  #gate: Gate | undefined

  constructor(
    subscriber: Subscriber,
    topic: Topic,
    rule: ChannelRule,
    options: { presence: boolean; info?: string | undefined; isDevice?: boolean },
  ) {
    this.subscriber = subscriber
    this.topic = topic
    this.rule = rule
    this.presence = options.presence
    this.info = options.info
    this.isDevice = options.isDevice ?? false
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
    const { topic } = this
    const beginning = retention
      ? await joinLog(
          engine,
          { stream: topic.stream, retention, since, limits: limits.recovery },
          gate,
          ({ position }) => topic.accepts(position),
        )
      : nothingKept()
    if (this.#state === 'ended') return
    start(beginning)
    this.#goLive(beginning)
  }

  /** Ends the subscription. Doing so again does nothing. */
  end(): void {
    if (this.#state === 'ended') return
    this.topic.release(this)
    this.#state = 'ended'
  }

  #goLive({ verdict, page }: Beginning): void {
    // Telling the verdict may have ended the connection: its operation was over already.
    if (this.#state === 'ended') return
    const changes = this.#gate?.changes() ?? []
    this.#gate = undefined
    this.#state = 'live'
    const { epoch, offset, id } = verdict.position
    this.topic.admit(this, page && { epoch, top: { offset, id } })
    if (this.presence) for (const change of changes) this.subscriber.outbox.push(this.topic.presenceFrame(change))
  }
}

/** The verdict on a channel without history: there is nothing to recover, and no position to come back to. */
function nothingKept(): Beginning {
  const position = { epoch: 'none', offset: 0, id: '' }
  return { verdict: { recovered: 'new', gap: undefined, messages: [], position }, page: undefined }
}
