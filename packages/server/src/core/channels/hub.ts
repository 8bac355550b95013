import { type Engine, type Stream, streamKey } from '../../engine/engine.js'
import { type LifecycleDoor, NOBODY_FOLLOWS } from '../lifecycle.js'
import { Lingering } from './lingering.js'
import { PositionChecks } from './position-checks.js'
import type { Retries } from '../retries.js'
import { Topic, type TopicParts } from './topic.js'

/** What a hub works with. */
export interface HubParts extends Omit<TopicParts, 'checks'> {
  readonly retries: Retries
  /** Milliseconds without a message after which a channel is compared with its log. */
  readonly quietMs: number
  /** Milliseconds that a channel is listened to after the last one here has left (0). */
  readonly lingerMs?: number
  /** Who is told which channels are listened to here (default: nobody). */
  readonly lifecycle?: LifecycleDoor
}

/** Who listens to what on this node. A channel that nobody here listens to costs nothing here. */
export class Hub {
  readonly #engine: Engine
  readonly #retries: Retries
  readonly #checks: PositionChecks
  readonly #parts: TopicParts
  readonly #lifecycle: LifecycleDoor
  readonly #lingering: Lingering
  readonly #topics = new Map<string, Topic>()

  constructor({ retries, quietMs, lingerMs = 0, lifecycle = NOBODY_FOLLOWS, ...parts }: HubParts) {
    this.#engine = parts.engine
    this.#lifecycle = lifecycle
    this.#retries = retries
    this.#lingering = new Lingering(parts.clock, lingerMs)
    this.#checks = new PositionChecks(parts.engine, parts.clock, quietMs, parts.onError)
    this.#parts = { ...parts, checks: this.#checks, onError: parts.onError }
  }

  /** Channels that somebody here listens to. */
  get size(): number {
    return this.#topics.size
  }

  /** Looks after quiet channels from now on. */
  start(): void {
    this.#checks.start(() => this.#topics.values())
  }

  stop(): void {
    this.#checks.stop()
    this.#lingering.stop()
  }

  /** Resolves when every channel that had to be compared with its log was, and has caught up with it. */
  async compared(): Promise<void> {
    await this.#checks.settled()
    await Promise.all([...this.#topics.values()].map((topic) => topic.caughtUp()))
  }

  /** Those that somebody here listens to. */
  topics(): Iterable<Topic> {
    return this.#topics.values()
  }

  /** The topic of a stream, if somebody here listens to it. */
  find(stream: Stream): Topic | undefined {
    return this.#topics.get(streamKey(stream))
  }

  /** The topic of a stream, made and listening when somebody asks for it first. */
  topic(stream: Stream): Topic {
    const key = streamKey(stream)
    const known = this.#topics.get(key)
    if (known !== undefined) return known
    const topic = this.#begin(stream, key)
    this.#topics.set(key, topic)
    this.#lifecycle.listener?.channelChanged(stream)
    return topic
  }

  #begin(stream: Stream, key: string): Topic {
    let unlisten: (() => Promise<void>) | undefined
    let ended = false
    const listen = async (topic: Topic): Promise<void> => {
      unlisten = await this.#engine.listen(stream, topic)
      // Everybody may have left while the engine was asked.
      if (ended) void this.#retries.insist(unlisten)
    }
    const forget = (topic: Topic): void => {
      if (this.#topics.get(key) !== topic) return
      this.#topics.delete(key)
      this.#lifecycle.listener?.channelChanged(stream)
    }
    const end = (topic: Topic): void => {
      ended = true
      forget(topic)
      const undo = unlisten
      if (undo !== undefined) this.#lingering.add(key, () => void this.#retries.insist(undo))
    }
    const topic = new Topic(stream, this.#parts, listen, end)
    // Whoever subscribed is told, when its turn comes; whoever comes later asks the engine again.
    topic.listening.catch(() => forget(topic))
    return topic
  }
}
