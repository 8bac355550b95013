import { createHash, createHmac } from 'node:crypto'
import type { StreamKey, StreamPost, StreamPostOutcome } from '../../event-stream.js'
import type { Random } from '../../random.js'
import { isSame } from '../../same-bytes.js'
import type { ControlDesk } from './control.js'
import type { Peers } from './peers.js'

/** What posts to event streams are brought to their node with. */
export interface StreamPostsParts {
  readonly node: string
  /** What the nodes share; empty where there is one. */
  readonly secret: string
  readonly random: Random
  readonly control: Pick<ControlDesk, 'ask' | 'on'>
  readonly peers: Pick<Peers, 'live' | 'liveNow'>
}

/** Characters that stand for the node, at the beginning of an id. */
const TAG_CHARACTERS = 8

const ID_BYTES = 16

/** Posts on their way to other nodes, and what they hold together; beyond it they are to be tried again. */
const FORWARDED_MAX = 1_000
const FORWARDED_BYTES_MAX = 16_777_216

type Take = (id: string, post: StreamPost) => Promise<StreamPostOutcome>

/**
 * Brings what clients post to the node that has their event stream: a load balancer sends it to any. Keys prove themselves, so that no node asks another on behalf of
 * somebody who has none.
 */
export class StreamPosts {
  readonly #parts: StreamPostsParts
  readonly #key: Buffer
  readonly #tag: string
  #take: Take = () => Promise.resolve('gone')
  #forwarded = 0
  #forwardedBytes = 0

  constructor(parts: StreamPostsParts) {
    this.#parts = parts
    this.#key = createHmac('sha256', parts.secret || parts.random.id(32))
      .update('holdfast event streams 1')
      .digest()
    this.#tag = tagOf(parts.node)
    parts.control.on('stream.post', ({ id, ...post }) => this.#take(id, post))
  }

  /** What takes the posts to streams of this node. */
  serve(take: Take): void {
    this.#take = take
  }

  /** A key for a new stream of this node. */
  issue(): StreamKey {
    const id = `${this.#tag}${this.#parts.random.id(ID_BYTES)}`
    return { id, secret: this.#secretOf(id) }
  }

  /** Hands a post over, wherever its stream is. A wrong secret is answered like a stream that is gone. */
  async post({ id, secret }: StreamKey, post: StreamPost): Promise<StreamPostOutcome> {
    if (!isSame(Buffer.from(this.#secretOf(id)), Buffer.from(secret))) return 'gone'
    const tag = id.slice(0, TAG_CHARACTERS)
    if (tag === this.#tag) return this.#take(id, post)
    const bytes = post.frames.length
    if (this.#forwarded >= FORWARDED_MAX || this.#forwardedBytes + bytes > FORWARDED_BYTES_MAX) return 'busy'
    this.#forwarded += 1
    this.#forwardedBytes += bytes
    try {
      return await this.#forward(tag, { id, ...post })
    } catch {
      return 'busy'
    } finally {
      this.#forwarded -= 1
      this.#forwardedBytes -= bytes
    }
  }

  async #forward(tag: string, post: StreamPost & { readonly id: string }): Promise<StreamPostOutcome> {
    const { control } = this.#parts
    const node = await this.#nodeOf(tag)
    if (node === undefined) return 'gone'
    return (await control.ask(node, 'stream.post', post)) ?? 'busy'
  }

  async #nodeOf(tag: string): Promise<string | undefined> {
    const { peers } = this.#parts
    const find = (nodes: ReadonlySet<string>): string | undefined => [...nodes].find((node) => tagOf(node) === tag)
    // It may have begun a moment ago.
    return find(await peers.live()) ?? find(await peers.liveNow())
  }

  #secretOf(id: string): string {
    return createHmac('sha256', this.#key).update(id).digest('base64url')
  }
}

/** A name that does not tell the node's own: who has not said who they are is not to learn it. */
function tagOf(node: string): string {
  return createHash('sha256').update(node).digest('base64url').slice(0, TAG_CHARACTERS)
}
