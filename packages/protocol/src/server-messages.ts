import { channelName } from './channel-name.js'
import { commandId, eventName } from './commands.js'
import { GAP_REASONS, position } from './position.js'
import {
  type Infer,
  array,
  either,
  flag,
  integer,
  json,
  literal,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
} from './schema.js'

const id = optional(commandId)
const name = text({ max: 256 })
const at = text({ max: 32 })

/** Who sent a message: a user (with the connection, when it came over one), or the application itself. */
export const sender = either(object({ user: name, connection: optional(name) }), object({ system: literal(true) }))

/** Who sent a message. */
export type Sender = Infer<typeof sender>

const member = object({
  user: name,
  /** What the member tells of itself. */
  info: optional(json()),
  /** How many connections of this user are in the channel. */
  connections: integer(0),
})

/** A user present in a channel. */
export type Member = Infer<typeof member>

const counts = object({ members: integer(0), connections: integer(0) })

/** How many users, and how many connections, are in a channel. */
export type Counts = Infer<typeof counts>

/**
 * The range that could not be recovered. `from` is the first offset missed, counted in the reader's own epoch; `to` is the last
 * one, or null when it cannot be known, because the epoch it belonged to has ended.
 */
export const gapRange = object({ from: integer(0), to: nullable(integer(0)), reason: oneOf(GAP_REASONS) })

/** The range that could not be recovered. */
export type GapRange = Infer<typeof gapRange>

const message = object({
  type: literal('message'),
  channel: channelName,
  id: text({ max: 64 }),
  /** Absent on a message that is not stored. */
  offset: optional(integer(1)),
  event: eventName,
  data: json(),
  from: sender,
  at,
})

const limits = object({
  messageBytesMax: integer(1),
  channelsMax: integer(1),
  commandsInFlightMax: integer(1),
  outboxBytesMax: integer(1),
})

const welcome = object({
  type: literal('welcome'),
  id,
  connection: name,
  /** `window`: milliseconds that the session outlives a connection. */
  session: object({ id: name, secret: name, resumed: flag(), window: integer(0) }),
  tenant: name,
  user: name,
  roles: array(name, 256),
  node: name,
  /** Milliseconds. */
  heartbeat: object({ interval: integer(1), timeout: integer(1) }),
  limits,
  expiresAt: optional(at),
  state: optional(json()),
  channels: array(channelName, 1024),
})

const ok = object({
  type: literal('ok'),
  id,
  offset: optional(integer(0)),
  epoch: optional(text({ max: 32 })),
  messageId: optional(text({ max: 64 })),
  duplicate: optional(flag()),
  messages: optional(array(message, 1000)),
  more: optional(flag()),
  members: optional(array(member, 1000)),
  counts: optional(counts),
  data: optional(json()),
  expiresAt: optional(at),
})

const error = object({
  type: literal('error'),
  id,
  code: text({ max: 64 }),
  message: text({ max: 4096 }),
  retryable: flag(),
  /** Milliseconds. */
  retryAfter: optional(number(0)),
  details: optional(json()),
})

const subscribed = object({
  type: literal('subscribed'),
  id,
  channel: channelName,
  epoch: text({ max: 32 }),
  /** After the last of `messages`. */
  position,
  recovered: oneOf(['new', 'full', 'gap']),
  gap: optional(gapRange),
  messages: array(message, 10_000),
  members: optional(array(member, 1000)),
  counts: optional(counts),
})

const signal = object({
  type: literal('signal'),
  channel: channelName,
  event: eventName,
  data: json(),
  from: sender,
  at,
})

const presenceMembers = { channel: channelName, member, counts } as const
const joined = object({ type: literal('joined'), ...presenceMembers })
const left = object({ type: literal('left'), ...presenceMembers })
const updated = object({ type: literal('updated'), ...presenceMembers })

const gap = object({
  type: literal('gap'),
  channel: channelName,
  from: integer(0),
  to: nullable(integer(0)),
  reason: oneOf(GAP_REASONS),
  /** Where the stream goes on: the reader's new position. */
  position: optional(position),
})

const unsubscribed = object({
  type: literal('unsubscribed'),
  channel: channelName,
  code: name,
  message: text({ max: 4096 }),
})

const notice = object({
  type: literal('notice'),
  code: oneOf(['degraded', 'recovered', 'draining', 'token_expiring']),
  message: text({ max: 4096 }),
  details: optional(json()),
})

const goodbye = object({
  type: literal('goodbye'),
  /** The close code that follows. */
  code: integer(1000, 4999),
  /** The close reason that follows. */
  message: text({ max: 123 }),
  reconnect: oneOf(['never', 'backoff', 'now', 'refresh']),
  /** Milliseconds before the client should come back. */
  after: optional(integer(0)),
})

const ping = object({ type: literal('ping'), at })
const pong = object({ type: literal('pong'), id, at: optional(either(text({ max: 64 }), number())) })

/** The schema of every message that a server sends, by its `type`. */
export const SERVER_MESSAGES = {
  welcome,
  ok,
  error,
  subscribed,
  message,
  signal,
  joined,
  left,
  updated,
  gap,
  unsubscribed,
  notice,
  goodbye,
  ping,
  pong,
} as const

/** The name of a server message. */
export type ServerMessageType = keyof typeof SERVER_MESSAGES

/** One server message of a given type. */
export type ServerMessageOf<T extends ServerMessageType> = Infer<(typeof SERVER_MESSAGES)[T]>

/** Any server message. */
export type ServerMessage = { [T in ServerMessageType]: ServerMessageOf<T> }[ServerMessageType]

/** What the verdict on a subscription can be. */
export type Recovered = ServerMessageOf<'subscribed'>['recovered']
