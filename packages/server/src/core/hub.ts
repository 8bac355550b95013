import { type Engine, type Stream, streamKey } from '../engine/engine.js'
import type { FrameEncoder } from '../transport/transport.js'
import { Topic } from './topic.js'

/** Who listens to what on this node. A channel that nobody here listens to costs nothing here. */
export class Hub {
  readonly #engine: Engine
  readonly #frames: FrameEncoder
  readonly #topics = new Map<string, Topic>()

  constructor(engine: Engine, frames: FrameEncoder) {
    this.#engine = engine
    this.#frames = frames
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
      if (ended) await unlisten()
    }
    const end = (topic: Topic): void => {
      ended = true
      if (this.#topics.get(key) === topic) this.#topics.delete(key)
      // Failing to stop listening costs announcements that nobody hears; the engine's own link check ends it.
      unlisten?.().catch(() => undefined)
    }
    return new Topic(stream, this.#frames, listen, end)
  }
}
