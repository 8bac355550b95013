import { createHash, timingSafeEqual } from 'node:crypto'
import { type Identity, userKey } from '../access/identity.js'
import type { Records } from '../engine/engine.js'

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

/** A session as the engine keeps it. */
export interface StoredSession extends SessionContent {
  /** SHA-256 of the secret: whoever reads the store cannot resume. */
  readonly digest: string
  /** The node where the session lives; empty after its connection has ended. */
  readonly node: string
}

/** Writes that met another are tried so often. */
const TRIES = 4

/** The sessions in the engine, each written by compare-and-set: of several who would own one, one does. */
export class SessionRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** The record of this key, and its version. */
  async read(key: string): Promise<{ readonly stored: StoredSession; readonly version: number } | undefined> {
    const record = await this.#records.get(key)
    return record && { stored: JSON.parse(record.value) as StoredSession, version: record.version }
  }

  /** Writes if the version stored is `ifVersion` (0: there must be none). Answers the new version, or undefined when refused. */
  write(key: string, stored: StoredSession, ttlMs: number, ifVersion: number): Promise<number | undefined> {
    const { digest, node, channels, state } = stored
    return this.#records.put(key, JSON.stringify({ digest, node, channels, state }), { ttlMs, ifVersion })
  }

  /**
   * Writes over what is the owner's own: the version that it knows, a later one whose answer it did not hear (`isOwn` says which), or nothing at all.
   * Answers the new version, or undefined when the session is another's now.
   */
  async overwrite(
    key: string,
    stored: StoredSession,
    ttlMs: number,
    version: number,
    isOwn: (held: StoredSession) => boolean,
  ): Promise<number | undefined> {
    let expected = version
    for (let tries = 0; tries < TRIES; tries += 1) {
      const next = await this.write(key, stored, ttlMs, expected)
      if (next !== undefined) return next
      const held = await this.read(key)
      if (held !== undefined && !isOwn(held.stored)) return undefined
      expected = held?.version ?? 0
    }
    return undefined
  }
}

/** The key of a record. Identity and id: an id under another identity names nothing. */
export function sessionRecordKey(identity: Pick<Identity, 'tenant' | 'user'>, id: string): string {
  return `session:${userKey(identity)}${id}`
}

/** What is kept of a secret. */
export function digestOf(secret: string): string {
  return hash(secret).toString('base64')
}

/** Whether a secret is the one of which this was kept, in a time that does not tell. */
export function provesBy(digest: string, secret: string): boolean {
  const [kept, given] = [Buffer.from(digest, 'base64'), hash(secret)]
  return kept.length === given.length && timingSafeEqual(kept, given)
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
