import { createHash } from 'node:crypto'
import { type Stream, streamKey } from '../engine.js'

/** The keys of one stream. All of them, and its announcements, are in one slot. */
export interface StreamKeys {
  /** The name of the stream in tables: `streamKey`. */
  readonly name: string
  /** The messages: a Redis stream. */
  readonly log: string
  /** Epoch, offset, id of the newest message and what else the log needs: a hash. */
  readonly top: string
  readonly state: string
  /** Who is there: a hash by session. */
  readonly members: string
  /** How many connections each user has: a hash by user. */
  readonly users: string
  /** The sharded channel of its announcements. */
  readonly live: string
}

/** The keys of one register, in one slot. */
export interface RegisterKeys {
  /** When each entry ends: a sorted set. */
  readonly ends: string
  /** The entries and the sum of their amounts: a hash. */
  readonly entries: string
}

/** The keys of one index, in one slot. */
export interface IndexKeys {
  /** The entries by their scores: a sorted set. */
  readonly order: string
  /** When each entry ends: a sorted set. */
  readonly ends: string
}

/** The keys of what programs beside the nodes leave. The first and the last are in one slot. */
export interface ReportKeys {
  /** What was left and not done yet: a Redis stream. */
  readonly left: string
  /** What could not be done: a Redis stream. */
  readonly refused: string
  /** The node that reads: a text with a lifetime. */
  readonly reader: string
}

/** The prefix where none is given. */
export const DEFAULT_PREFIX = 'hf'

/** The cluster id where none is given. */
export const DEFAULT_CLUSTER_ID = 'default'

/** What prefix and cluster id may be. */
export const KEY_PART: RegExp = /^[A-Za-z0-9_.-]{1,64}$/

/** Bytes of the digest in a hash tag: enough that channels spread evenly; names stand behind it in full, so that nothing depends on it. */
const TAG_BYTES = 12

/** Streams whose keys are remembered, so that a digest is not made for each message. */
const REMEMBERED_MAX = 10_000

/** The names of everything that is stored, under one prefix and cluster id. No two things share a name, whatever they are called. */
export class Keys {
  /** What stands before every name but those of reports. */
  readonly root: string
  readonly reports: ReportKeys
  readonly #streams = new Map<string, StreamKeys>()

  constructor(prefix: string, clusterId: string) {
    this.root = `${prefix}:${clusterId}:`
    const isDefault = prefix === DEFAULT_PREFIX && clusterId === DEFAULT_CLUSTER_ID
    const left = isDefault ? 'holdfast:reports' : `${this.root}reports`
    this.reports = { left, refused: `${left}:refused`, reader: `{${left}}:reader` }
  }

  stream(stream: Stream): StreamKeys {
    const name = streamKey(stream)
    const known = this.#streams.get(name)
    if (known !== undefined) return known
    if (this.#streams.size >= REMEMBERED_MAX) this.#streams.clear()
    const keys = this.#streamKeys(name)
    this.#streams.set(name, keys)
    return keys
  }

  /** As `stream`, from the name in tables. */
  named(name: string): StreamKeys {
    return this.#streams.get(name) ?? this.#streamKeys(name)
  }

  /** What a publish with this key was answered; in the slot of its stream. */
  idempotency(stream: StreamKeys, scope: string, key: string): string {
    return this.#key(stream.name, 'key', `${stream.name.length}:${stream.name}${scope.length}:${scope}${key}`)
  }

  record(key: string): string {
    return this.#key(key, 'record', key)
  }

  lease(name: string): string {
    return this.#key(name, 'lease', name)
  }

  counter(name: string): string {
    return this.#key(name, 'counter', name)
  }

  rate(name: string): string {
    return this.#key(name, 'rate', name)
  }

  register(name: string): RegisterKeys {
    return { ends: this.#key(name, 'ends', name), entries: this.#key(name, 'entries', name) }
  }

  index(name: string): IndexKeys {
    return { order: this.#key(name, 'order', name), ends: this.#key(name, 'order-ends', name) }
  }

  /** What concerns all nodes, in one slot: `part` is one of a few words. */
  nodes(part: string): string {
    return `${this.root}{nodes}:${part}`
  }

  /** What concerns one node, in the slot of `nodes`. */
  node(part: string, node: string): string {
    return `${this.root}{nodes}:${part}:${wellFormed(node)}`
  }

  /** Anything else that wants a slot of its own: `part` is one of a few words, `name` free. */
  own(part: string, name: string): string {
    return this.#key(name, part, name)
  }

  #streamKeys(name: string): StreamKeys {
    return {
      name,
      log: this.#key(name, 'log', name),
      top: this.#key(name, 'top', name),
      state: this.#key(name, 'state', name),
      members: this.#key(name, 'members', name),
      users: this.#key(name, 'users', name),
      live: this.#key(name, 'live', name),
    }
  }

  #key(tagged: string, part: string, name: string): string {
    const text = wellFormed(tagged)
    const tag = createHash('sha256')
      .update(text)
      .digest('base64url')
      .slice(0, (TAG_BYTES * 4) / 3)
    return `${this.root}{${tag}}:${part}:${wellFormed(name)}`
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u

/** Half a surrogate pair has no encoding of its own in UTF-8: two such names would become one. */
function wellFormed(name: string): string {
  return LONE_SURROGATE.test(name) ? `~${Buffer.from(name, 'utf16le').toString('hex')}` : `=${name}`
}
