import { createHash } from 'node:crypto'
import { isChannelName } from '@holdfast/protocol'
import { type Identity, userKey } from '../../access/identity.js'
import type { Records } from '../../engine/engine.js'
import { isSame } from '../../same-bytes.js'
import { isText, membersOf } from '../members.js'

/** One channel of a session. */
export interface SessionChannel {
  readonly channel: string
  readonly presence: boolean
  readonly info?: string | undefined
}

/** What a channel token granted on one channel, since when and until when (milliseconds since 1970). */
export interface ChannelGrant {
  readonly channel: string
  readonly verbs: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
}

/** What survives a disconnect, but for positions, which live with the client. */
export interface SessionContent {
  readonly channels: readonly SessionChannel[]
  /** JSON text of the session's state. */
  readonly state: string | undefined
  /** What channel tokens granted; undefined: none did. */
  readonly grants?: readonly ChannelGrant[] | undefined
}

/** A session as the node answers where it lived last. */
export interface HandedSession extends SessionContent {
  /** Its connection had ended before, and given its place back. */
  readonly isOver?: boolean
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
  /** The network that its connection comes from, by which its place is counted; undefined: whoever wrote the record did not say. */
  readonly network?: string | undefined
}

/** Writes that met another are tried so often. */
const TRIES = 4

/** The sessions in the engine, each written by compare-and-set: of several who would own one, one does. */
export class SessionRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** The record of this key, and its version. What cannot be read is as good as nothing, but stands in the way of a new one: `stored` is undefined. */
  async read(
    key: string,
  ): Promise<{ readonly stored: StoredSession | undefined; readonly version: number } | undefined> {
    const record = await this.#records.get(key)
    return record && { stored: readStored(record.value), version: record.version }
  }

  /** Writes if the version stored is `ifVersion` (0: there must be none). Answers the new version, or undefined when refused. */
  write(key: string, stored: StoredSession, ttlMs: number, ifVersion: number): Promise<number | undefined> {
    const { digest, node, network, channels, state, grants } = stored
    const value = JSON.stringify({ digest, node, network, channels, state, grants })
    return this.#records.put(key, value, { ttlMs, ifVersion })
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
      if (held?.stored !== undefined && !isOwn(held.stored)) return undefined
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
  return isSame(Buffer.from(digest, 'base64'), hash(secret))
}

/** Channels, or grants, of one session: more than this nobody wrote. */
const CHANNELS_MAX = 100_000

/** What a session holds, as it was kept or sent; undefined for what is none. */
function readSessionContent(value: unknown): SessionContent | undefined {
  const { channels, state, grants } = membersOf(value)
  if (!isListOf(channels, isSessionChannel) || !(state === undefined || isJson(state))) return undefined
  if (grants !== undefined && !isListOf(grants, isChannelGrant)) return undefined
  return { channels, state, ...(grants && { grants }) }
}

/** What a session holds, as another node handed it over; undefined for what is none. */
export function readHandedSession(value: unknown): HandedSession | undefined {
  const content = readSessionContent(value)
  return content && membersOf(value)['isOver'] === true ? { ...content, isOver: true } : content
}

function readStored(text: string): StoredSession | undefined {
  const value = parse(text)
  const { digest, node, network } = membersOf(value)
  const content = readSessionContent(value)
  if (content === undefined || !isText(digest) || !isText(node)) return undefined
  return { ...content, digest, node, ...(isText(network) && { network }) }
}

function isSessionChannel(value: unknown): value is SessionChannel {
  const { channel, presence, info } = membersOf(value)
  return isChannelName(channel) && typeof presence === 'boolean' && (info === undefined || isJson(info))
}

function isChannelGrant(value: unknown): value is ChannelGrant {
  const { channel, verbs, issuedAt, expiresAt } = membersOf(value)
  const areTimes = Number.isSafeInteger(issuedAt) && Number.isSafeInteger(expiresAt)
  return isChannelName(channel) && isListOf(verbs, isText) && areTimes
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.length <= CHANNELS_MAX && value.every(isItem)
}

/** State and info are written into messages as they are. */
function isJson(value: unknown): value is string {
  return isText(value) && parse(value) !== undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
