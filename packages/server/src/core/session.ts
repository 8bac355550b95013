import { createHash, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../access/identity.js'
import type { Engine } from '../engine/engine.js'
import type { Random } from '../random.js'

/** One channel of a session. */
export interface SessionChannel {
  readonly channel: string
  readonly presence: boolean
  readonly info?: string | undefined
}

/** What survives a disconnect, but for positions, which live with the client. */
export interface SessionContent {
  readonly channels: readonly SessionChannel[]
  /** JSON text of the session's state. */
  readonly state: string | undefined
}

/** What a client needs to resume a session. */
export interface SessionKey {
  readonly id: string
  readonly secret: string
}

interface StoredSession extends SessionContent {
  readonly secret: string
}

/** A connection whose session can be taken over on this node. */
export interface SessionHolder {
  readonly session: SessionKey
  /** Gives the session up: answers what it holds, and ends the connection. */
  handOver(): SessionContent
}

/** 128 bits each: an id names, a secret proves. */
const ID_BYTES = 16

/** The sessions that live on this node, and the door to those saved in the engine. */
export class Sessions {
  readonly #engine: Engine
  readonly #random: Random
  readonly #windowMs: number
  readonly #live = new Map<string, SessionHolder>()

  constructor(engine: Engine, random: Random, windowMs: number) {
    this.#engine = engine
    this.#random = random
    this.#windowMs = windowMs
  }

  /** A key with a new secret: for a new session, or for one that was resumed under `id`. */
  issue(id: string = this.#random.id(ID_BYTES)): SessionKey {
    return { id, secret: this.#random.id(ID_BYTES) }
  }

  /** A session begins to live here. */
  hold(identity: Identity, holder: SessionHolder): void {
    this.#live.set(recordKey(identity, holder.session.id), holder)
  }

  /** A session lives here no more. */
  drop(identity: Identity, holder: SessionHolder): void {
    const key = recordKey(identity, holder.session.id)
    if (this.#live.get(key) === holder) this.#live.delete(key)
  }

  /** Keeps a session for its window after its connection ended. */
  async save(identity: Identity, { id, secret }: SessionKey, content: SessionContent): Promise<void> {
    const stored: StoredSession = { ...content, secret: digest(secret).toString('base64') }
    await this.#engine.records.put(recordKey(identity, id), JSON.stringify(stored), { ttlMs: this.#windowMs })
  }

  /**
   * Takes a session over, live or saved, for whoever has its secret; of several claimants one gets it. Undefined when there is none
   * under this identity or the secret is wrong: the two look the same.
   */
  async claim(identity: Identity, key: SessionKey): Promise<SessionContent | undefined> {
    const name = recordKey(identity, key.id)
    const holder = this.#live.get(name)
    if (holder !== undefined)
      return sameSecret(digest(holder.session.secret), key.secret) ? holder.handOver() : undefined
    const record = await this.#engine.records.get(name)
    if (record === undefined) return undefined
    const { secret } = JSON.parse(record.value) as StoredSession
    if (!sameSecret(Buffer.from(secret, 'base64'), key.secret)) return undefined
    const taken = await this.#engine.records.take(name)
    return taken && readContent(taken.value)
  }
}

function readContent(value: string): SessionContent {
  const { channels, state } = JSON.parse(value) as StoredSession
  return { channels, state }
}

/** Identity and id: an id under another identity names nothing. */
function recordKey(identity: Identity, id: string): string {
  const { tenant, user } = identity
  return `session:${tenant.length}:${tenant}${user.length}:${user}${id}`
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function sameSecret(expected: Buffer, secret: string): boolean {
  return timingSafeEqual(expected, digest(secret))
}
