import type { ServerMessage, ServerMessageType } from '@holdfast/protocol'

/**
 * What the client relies on in each message of the server: less than the schemas of the protocol say, and a tenth of their size.
 * A member whose name ends in `?` may be absent. A test holds this against the schemas.
 */
type Kind = 'text' | 'integer' | 'number' | 'flag' | 'object' | 'any'
type Shape = { readonly [member: string]: Kind | Shape | readonly [Kind | Shape] }

const position: Shape = { epoch: 'text', offset: 'integer', 'id?': 'text' }
const member: Shape = { user: 'text', connections: 'integer' }
const counts: Shape = { members: 'integer', connections: 'integer' }
const gapRange: Shape = { from: 'integer', reason: 'text' }
const inChannel: Shape = { channel: 'text' }
const signal: Shape = { ...inChannel, event: 'text', data: 'any', from: 'object', at: 'text' }
const message: Shape = { ...signal, id: 'text', 'offset?': 'integer' }
const moved: Shape = { ...inChannel, member, counts }

const SHAPES: Record<ServerMessageType, Shape> = {
  welcome: {
    session: { id: 'text', secret: 'text', resumed: 'flag' },
    connection: 'text',
    tenant: 'text',
    user: 'text',
    roles: ['text'],
    heartbeat: { interval: 'integer', timeout: 'integer' },
    limits: { messageBytesMax: 'integer', commandsInFlightMax: 'integer' },
    channels: ['text'],
  },
  ok: { 'messages?': [message], 'members?': [member], 'counts?': counts },
  error: { code: 'text', message: 'text', retryable: 'flag', 'retryAfter?': 'number' },
  subscribed: {
    ...inChannel,
    position,
    recovered: 'text',
    'gap?': gapRange,
    messages: [message],
    'members?': [member],
    'counts?': counts,
  },
  message,
  signal,
  joined: moved,
  left: moved,
  updated: moved,
  gap: { ...inChannel, ...gapRange, 'position?': position },
  unsubscribed: { ...inChannel, code: 'text', message: 'text' },
  notice: { code: 'text', message: 'text' },
  goodbye: { code: 'integer', message: 'text', reconnect: 'text', 'after?': 'number' },
  ping: {},
  pong: {},
}

const shapes = new Map<unknown, Shape>(Object.entries(SHAPES))

/** Decodes a frame of the server. Whatever is not a message that the client knows is left out; never throws. */
export function decodeInbound(frame: string): ServerMessage[] {
  const messages: ServerMessage[] = []
  for (const line of frame.split('\n')) {
    const value = parse(line)
    const shape = isObject(value) ? shapes.get(value['type']) : undefined
    if (shape && hasShape(value, shape)) messages.push(value as unknown as ServerMessage)
  }
  return messages
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasShape(value: unknown, shape: Kind | Shape | readonly [Kind | Shape]): boolean {
  if (typeof shape === 'string') return isKind(value, shape)
  if (isList(shape)) return Array.isArray(value) && value.every((item) => hasShape(item, shape[0]))
  if (!isObject(value)) return false
  for (const name in shape) {
    const optional = name.endsWith('?')
    const item = value[optional ? name.slice(0, -1) : name]
    if (!(optional && item === undefined) && !hasShape(item, shape[name]!)) return false
  }
  return true
}

function isList(shape: Shape | readonly [Kind | Shape]): shape is readonly [Kind | Shape] {
  return Array.isArray(shape)
}

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'object':
      return isObject(value)
    case 'any':
      return value !== undefined
  }
}
