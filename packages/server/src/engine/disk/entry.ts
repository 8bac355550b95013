import type { Sender } from '@holdfast/protocol'
import type { Retention, StreamMessage } from '../engine.js'
import type { KeptPlace } from '../memory/indexes.js'
import type { KeptEntry } from '../memory/registers.js'
import type { ByteReader, ByteWriter } from './bytes.js'

/** A state beside a log, and when it ends (milliseconds since 1970). */
export interface HeldState {
  readonly value: string
  readonly version: number
  readonly until: number
}

/** A keyed record, and when it ends. */
export interface HeldRecord {
  readonly value: string
  readonly version: number
  readonly until: number
}

/** A message with a place in a log. */
export type LoggedMessage = StreamMessage & { readonly offset: number }

/** A publish: whatever it changed, in one. */
export interface PublishEntry {
  readonly kind: 'publish'
  /** The key of the stream. */
  readonly stream: string
  /** When it was decided: the moment by which everything in it is judged, now and at every replay. */
  readonly at: number
  readonly id: string
  /** Undefined on a channel without history. An epoch that is not that of the log begins a new one. */
  readonly logged:
    | { readonly epoch: string; readonly message: LoggedMessage; readonly retention: Retention }
    | undefined
  readonly state: HeldState | undefined
  readonly remembered: { readonly key: string; readonly fingerprint: string; readonly until: number } | undefined
}

/** A new epoch, with an empty log. */
export interface BeginEntry {
  readonly kind: 'begin'
  readonly stream: string
  readonly at: number
  readonly epoch: string
  /** How long the log lives; undefined where it goes on as long as the one before it. */
  readonly ttlMs: number | undefined
}

/** A record that was written. */
export interface PutEntry extends HeldRecord {
  readonly kind: 'put'
  readonly key: string
}

/** A record that was taken. */
export interface TakeEntry {
  readonly kind: 'take'
  readonly key: string
}

/** An entry of a register that was written, and when it ends. */
export interface EnterEntry extends KeptEntry {
  readonly kind: 'enter'
  readonly register: string
  readonly key: string
}

/** An entry of a register that was removed. */
export interface RemoveEntry {
  readonly kind: 'remove'
  readonly register: string
  readonly key: string
}

/** An entry of an index that was written, and when it ends. */
export interface PlaceEntry extends KeptPlace {
  readonly kind: 'place'
  readonly index: string
  readonly key: string
}

/** An entry of an index that was removed. */
export interface DisplaceEntry {
  readonly kind: 'displace'
  readonly index: string
  readonly key: string
}

/** One change of the durable state: what the journal is made of. */
export type Entry =
  | PublishEntry
  | BeginEntry
  | PutEntry
  | TakeEntry
  | EnterEntry
  | RemoveEntry
  | PlaceEntry
  | DisplaceEntry

const PUBLISH = 1
const BEGIN = 2
const PUT = 3
const TAKE = 4
const ENTER = 5
const REMOVE = 6
const PLACE = 7
const DISPLACE = 8

/** What a publish carries, as bits. */
const HAS_LOG = 1
const HAS_STATE = 2
const HAS_KEY = 4

/** Writes an entry; `decodeEntry` reads it back. */
export function encodeEntry(entry: Entry, to: ByteWriter): void {
  switch (entry.kind) {
    case 'publish':
      return encodePublish(entry, to)
    case 'begin':
      to.byte(BEGIN)
      to.text(entry.stream)
      to.number(entry.at)
      to.text(entry.epoch)
      return to.number(entry.ttlMs === undefined ? 0 : entry.ttlMs + 1)
    case 'put':
      to.byte(PUT)
      to.text(entry.key)
      return encodeHeld(entry, to)
    case 'take':
      to.byte(TAKE)
      return to.text(entry.key)
    case 'enter':
      to.byte(ENTER)
      to.text(entry.register)
      to.text(entry.key)
      return encodeKept(entry, to)
    case 'remove':
      to.byte(REMOVE)
      to.text(entry.register)
      return to.text(entry.key)
    case 'place':
      to.byte(PLACE)
      to.text(entry.index)
      to.text(entry.key)
      return encodePlace(entry, to)
    case 'displace':
      to.byte(DISPLACE)
      to.text(entry.index)
      return to.text(entry.key)
  }
}

/** @throws Error when the bytes are no entry of this format version. */
export function decodeEntry(from: ByteReader): Entry {
  const kind = from.byte()
  switch (kind) {
    case PUBLISH:
      return decodePublish(from)
    case BEGIN:
      return decodeBegin(from)
    case PUT:
      return { kind: 'put', key: from.text(), ...decodeHeld(from) }
    case TAKE:
      return { kind: 'take', key: from.text() }
    case ENTER:
      return { kind: 'enter', register: from.text(), key: from.text(), ...decodeKept(from) }
    case REMOVE:
      return { kind: 'remove', register: from.text(), key: from.text() }
    case PLACE:
      return { kind: 'place', index: from.text(), key: from.text(), ...decodePlace(from) }
    case DISPLACE:
      return { kind: 'displace', index: from.text(), key: from.text() }
    default:
      throw new Error(`the journal has an entry of the unknown kind ${kind}`)
  }
}

function decodeBegin(from: ByteReader): BeginEntry {
  const [stream, at, epoch, ttl] = [from.text(), from.number(), from.text(), from.number()]
  return { kind: 'begin', stream, at, epoch, ttlMs: ttl === 0 ? undefined : ttl - 1 }
}

function encodePublish(entry: PublishEntry, to: ByteWriter): void {
  const { logged, state, remembered } = entry
  to.byte(PUBLISH)
  to.byte((logged ? HAS_LOG : 0) | (state ? HAS_STATE : 0) | (remembered ? HAS_KEY : 0))
  to.text(entry.stream)
  to.number(entry.at)
  if (logged) {
    to.text(logged.epoch)
    to.number(logged.retention.size)
    to.number(logged.retention.ttlMs)
    encodeMessage(logged.message, to)
  } else {
    to.text(entry.id)
  }
  if (state) encodeHeld(state, to)
  if (remembered) {
    to.text(remembered.key)
    to.text(remembered.fingerprint)
    to.number(remembered.until)
  }
}

function decodePublish(from: ByteReader): PublishEntry {
  const has = from.byte()
  const stream = from.text()
  const at = from.number()
  const logged = has & HAS_LOG ? decodeLogged(from) : undefined
  const id = logged ? logged.message.id : from.text()
  const state = has & HAS_STATE ? decodeHeld(from) : undefined
  const remembered = has & HAS_KEY ? { key: from.text(), fingerprint: from.text(), until: from.number() } : undefined
  return { kind: 'publish', stream, at, id, logged, state, remembered }
}

function decodeLogged(from: ByteReader): NonNullable<PublishEntry['logged']> {
  const epoch = from.text()
  const retention = { size: from.number(), ttlMs: from.number() }
  return { epoch, retention, message: decodeMessage(from) }
}

/** A value with its version and end: a state or a record. */
export function encodeHeld(held: HeldState, to: ByteWriter): void {
  to.text(held.value)
  to.number(held.version)
  to.number(held.until)
}

/** The other half of `encodeHeld`. */
export function decodeHeld(from: ByteReader): HeldState {
  return { value: from.text(), version: from.number(), until: from.number() }
}

/** What an entry of a register holds. */
export function encodeKept({ value, amount, rank, until }: KeptEntry, to: ByteWriter): void {
  to.text(value)
  to.number(amount)
  to.number(rank)
  to.number(until)
}

/** The other half of `encodeKept`. */
export function decodeKept(from: ByteReader): KeptEntry {
  return { value: from.text(), amount: from.number(), rank: from.number(), until: from.number() }
}

/** What an entry of an index holds. */
export function encodePlace({ score, until }: KeptPlace, to: ByteWriter): void {
  to.double(score)
  to.number(until)
}

/** The other half of `encodePlace`. */
export function decodePlace(from: ByteReader): KeptPlace {
  return { score: from.double(), until: from.number() }
}

const IS_FINAL = 1
const BY_SYSTEM = 2
const BY_CONNECTION = 4

/** A message of a log. */
export function encodeMessage(message: StreamMessage, to: ByteWriter): void {
  const { from } = message
  const by = 'system' in from ? BY_SYSTEM : from.connection === undefined ? 0 : BY_CONNECTION
  to.byte((message.final ? IS_FINAL : 0) | by)
  to.number(message.offset ?? 0)
  to.text(message.id)
  to.text(message.event)
  to.text(message.at)
  if ('user' in from) to.text(from.user)
  if ('user' in from && from.connection !== undefined) to.text(from.connection)
  to.text(message.data)
}

/** The other half of `encodeMessage`. */
export function decodeMessage(from: ByteReader): LoggedMessage {
  const marks = from.byte()
  const offset = from.number()
  const id = from.text()
  const event = from.text()
  const at = from.text()
  const sender = decodeSender(marks, from)
  const message = { id, offset, event, data: from.text(), from: sender, at }
  return marks & IS_FINAL ? { ...message, final: true } : message
}

function decodeSender(marks: number, from: ByteReader): Sender {
  if (marks & BY_SYSTEM) return { system: true }
  const user = from.text()
  return marks & BY_CONNECTION ? { user, connection: from.text() } : { user }
}
