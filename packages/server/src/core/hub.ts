import { type Engine, type Stream, streamKey } from '../engine/engine.js'
import type { FrameEncoder } from '../transport/transport.js'
import type { Retries } from './retries.js'
import { Topic } from './topic.js'

/** Who listens to what on this node. A channel that nobody here listens to costs nothing here. */
export class Hub {
  readonly #engine: Engine
  readonly #frames: FrameEncoder
  readonly #retries: Retries
  readonly #topics = new Map<string, Topic>()

  constructor(engine: Engine, frames: FrameEncoder, retries: Retries) {
    this.#engine = engine
    this.#frames = frames
    this.#retries = retries
  }

  /** Channels that somebody here listens to. */
  get size(): number {
    return this.#topics.size
  }

  /** The topic of a stream, made and listening when somebody asks for it first. */
  topic(stream: Stream): Topic {
    const key = streamKey(stream)
    const known = this.#topics.get(key)
    if (known !== undefined) return known
    const topic = this.#begin(stream, key)
    this.#topics.set(key, topic)
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
      if (this.#topics.get(key) === topic) this.#topics.delete(key)
    }
    const end = (topic: Topic): void => {
      ended = true
      forget(topic)
      if (unlisten !== undefined) void this.#retries.insist(unlisten)
    }
    const topic = new Topic(stream, this.#frames, listen, end)
    // Whoever subscribed is told, when its turn comes; whoever comes later asks the engine again.
    topic.listening.catch(() => forget(topic))
    return topic
  }
}
