import { channelName } from './channel-name.js'
import { position, since } from './position.js'
import {
  type Infer,
  type Schema,
  either,
  flag,
  integer,
  json,
  literal,
  number,
  object,
  optional,
  record,
  text,
} from './schema.js'

/** Echoed by the answer to a command: a whole number, or text of 1 to 64 characters. */
export const commandId = either(integer(), text({ min: 1, max: 64 }))

/** Echoed by the answer to a command. */
export type CommandId = Infer<typeof commandId>

const id = optional(commandId)
const credential = text({ min: 1, max: 8192, secret: true })

/** The application's word for a message: 1 to 64 printable characters without spaces. */
export const eventName: Schema<string> = text({
  min: 1,
  max: 64,
  pattern: /^[!-~]{1,64}$/,
  expected: 'an event name of 1 to 64 printable ASCII characters without spaces',
})

const idempotencyKey = text({
  min: 1,
  max: 128,
  pattern: /^[!-~]{1,128}$/,
  expected: 'a key of 1 to 128 printable ASCII characters without spaces',
})

const hello = object({
  type: literal('hello'),
  id,
  token: optional(credential),
  resume: optional(
    object({
      session: text({ min: 1, max: 64 }),
      secret: text({ min: 1, max: 128, secret: true }),
      positions: record(position, 256, channelName),
    }),
  ),
  client: optional(object({ name: text({ max: 64 }), version: text({ max: 32 }) })),
})

const subscribe = object({
  type: literal('subscribe'),
  id,
  channel: channelName,
  since: optional(since),
  /** Be a member of the channel, and see the others; `info` (at most 1 KiB) is what the member tells of itself. */
  presence: optional(either(flag(), object({ info: json() }))),
  /** A channel token: what it grants holds on this connection until it expires. */
  token: optional(credential),
})

const unsubscribe = object({ type: literal('unsubscribe'), id, channel: channelName })

const publish = object({
  type: literal('publish'),
  id,
  channel: channelName,
  event: optional(eventName),
  data: json(),
  key: optional(idempotencyKey),
})

const signal = object({ type: literal('signal'), id, channel: channelName, event: eventName, data: optional(json()) })

const history = object({
  type: literal('history'),
  id,
  channel: channelName,
  since: optional(position),
  before: optional(position),
  limit: optional(integer(1, 1000)),
})

const presence = object({ type: literal('presence'), id, channel: channelName, limit: optional(integer(1, 1000)) })

const state = object({ type: literal('state'), id, data: json() })

const ack = object({ type: literal('ack'), id, channel: channelName, offset: integer(0) })

const cancel = object({ type: literal('cancel'), id, operation: text({ min: 1, max: 128 }) })

const call = object({
  type: literal('call'),
  id,
  method: text({ min: 1, max: 64 }),
  data: optional(json()),
  timeout: optional(integer(1, 300_000)),
})

const refresh = object({ type: literal('refresh'), id, token: credential })

const ping = object({ type: literal('ping'), id, at: optional(either(text({ max: 64 }), number())) })

/** The schema of every command that a client may send, by its `type`. */
export const COMMANDS = {
  hello,
  subscribe,
  unsubscribe,
  publish,
  signal,
  history,
  presence,
  state,
  ack,
  cancel,
  call,
  refresh,
  ping,
} as const

/** The name of a command. */
export type CommandType = keyof typeof COMMANDS

/** One command of a given type. */
export type CommandOf<T extends CommandType> = Infer<(typeof COMMANDS)[T]>

/** Any command. */
export type Command = { [T in CommandType]: CommandOf<T> }[CommandType]
