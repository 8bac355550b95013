import type { Command, CommandOf, CommandType, DecodedCommand } from '@holdfast/protocol'
import type { Stream } from '../../engine/engine.js'
import { errorFields } from '../../telemetry/log.js'
import { readHistory } from '../channels/history-page.js'
import type { Connection } from './connection.js'
import { encodeError, encodeMessageList, encodeWithRaw } from './encode.js'
import { HoldfastError, asHoldfastError } from '../errors.js'
import { refreshIdentity } from './refresh.js'

type Handler<T extends CommandType> = (
  connection: Connection,
  command: CommandOf<T>,
  data: string | undefined,
) => Promise<void>

/** Carries out a command of an open connection; what cannot be done is answered by an `error`. Does not reject. */
export async function carryOut(connection: Connection, { command, data }: DecodedCommand): Promise<void> {
  const { id, type } = command
  try {
    await COMMAND_HANDLERS[type](connection, command as never, data)
  } catch (error) {
    if (connection.isOpen) connection.send(encodeError(asRefusal(connection, error, type), id))
  }
}

function asRefusal({ services }: Connection, error: unknown, command: string): HoldfastError {
  const refusal = asHoldfastError(error)
  if (refusal.code === 'internal_error')
    services.log.error({ event: 'command.failed', command, ...errorFields(error) }, 'a command failed')
  return refusal
}

/** What each command does. */
const COMMAND_HANDLERS: { readonly [T in CommandType]: Handler<T> } = {
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
}

/** Messages in an answer to `history` when the client does not say. */
const HISTORY_LIMIT = 100

async function hello(): Promise<void> {
  throw new HoldfastError('bad_request', 'hello must be sent once')
}

async function subscribe(connection: Connection, command: CommandOf<'subscribe'>): Promise<void> {
  const { channel, since, token, id } = command
  const presence = command.presence !== undefined && command.presence !== false
  const info = typeof command.presence === 'object' ? JSON.stringify(command.presence.info) : undefined
  const max = connection.services.limits.presenceInfoBytesMax
  if (info !== undefined && Buffer.byteLength(info) > max)
    throw new HoldfastError('limit_exceeded', `presence.info must be at most ${max} bytes`)
  await connection.subscriptions.start({ channel, since, presence, info, token, id })
}

async function unsubscribe(connection: Connection, { channel, id }: CommandOf<'unsubscribe'>): Promise<void> {
  connection.subscriptions.stop(channel)
  answer(connection, { id })
}

async function publish(connection: Connection, command: CommandOf<'publish'>, data = 'null'): Promise<void> {
  const { channel, event = 'message', key, id } = command
  const { services } = connection
  const wish = { verb: 'publish', channel, event } as const
  // Before the rules: what is over must not reach a predicate or a webhook.
  const counted = services.safeguards.publish(connection)
  if (counted !== undefined) await counted
  const allowed = services.authorisation.require(connection, wish)
  const rule = allowed instanceof Promise ? await allowed : allowed
  services.authorisation.checkSender(connection, wish, rule, { value: command.data, json: data })
  const { identity } = connection
  const request = {
    stream: streamOf(connection, channel),
    event,
    data,
    from: { user: identity.user, connection: connection.id },
    at: now(connection),
    retention: rule.retention,
    ...(key !== undefined && { idempotency: { scope: identity.user, key } }),
  }
  const outcome = await services.publisher.publish(request, rule)
  if (outcome.kind !== 'published') throw new HoldfastError('idempotency_conflict')
  const { epoch, offset, duplicate } = outcome
  answer(connection, { id, offset, epoch: epoch || undefined, messageId: outcome.id, duplicate })
}

async function signal(connection: Connection, command: CommandOf<'signal'>, data = 'null'): Promise<void> {
  const { channel, event } = command
  const { authorisation } = connection.services
  const wish = { verb: 'signal', channel, event } as const
  const counted = connection.services.safeguards.publish(connection)
  if (counted !== undefined) await counted
  const rule = await authorisation.require(connection, wish)
  authorisation.checkSender(connection, wish, rule, { value: command.data, json: data })
  const from = { user: connection.identity.user, connection: connection.id }
  const told = { event, data, from, at: now(connection) }
  await connection.services.publisher.signal(streamOf(connection, channel), told, rule)
}

async function history(connection: Connection, command: CommandOf<'history'>): Promise<void> {
  const { channel, since, before, limit = HISTORY_LIMIT, id } = command
  connection.services.safeguards.read(connection)
  const { retention } = await connection.services.authorisation.require(connection, { verb: 'history', channel })
  if (since !== undefined && before !== undefined)
    throw new HoldfastError('bad_request', 'since and before exclude each other')
  if (retention === undefined) throw new HoldfastError('permission_denied', 'this channel keeps no history')
  await connection.outbox.room()
  const bytesMax = connection.services.limits.subscription.recovery.bytesMax
  const log = { stream: streamOf(connection, channel), retention }
  const page = await readHistory(connection.services.engine, log, { since, before, limit, bytesMax })
  const head = { type: 'ok', id, epoch: page.epoch, more: page.more }
  // Again: other answers may have taken the room while the log was read.
  for (let room = connection.outbox.room(); room !== undefined; room = connection.outbox.room()) await room
  connection.send(encodeWithRaw(head, 'messages', encodeMessageList(channel, page.messages)))
}

async function presence(connection: Connection, { channel, limit, id }: CommandOf<'presence'>): Promise<void> {
  connection.services.safeguards.read(connection)
  await connection.services.authorisation.require(connection, { verb: 'presence', channel })
  const { members, counts } = await connection.services.presence.list(streamOf(connection, channel), limit)
  answer(connection, { id, members, counts })
}

async function state(connection: Connection, { id }: CommandOf<'state'>, data = 'null'): Promise<void> {
  const max = connection.services.limits.stateBytesMax
  if (Buffer.byteLength(data) > max) throw new HoldfastError('limit_exceeded', `data must be at most ${max} bytes`)
  connection.setState(data)
  answer(connection, { id })
}

async function ack(connection: Connection, { channel, offset, id }: CommandOf<'ack'>): Promise<void> {
  const rule = await connection.services.authorisation.require(connection, { verb: 'subscribe', channel })
  if (!rule.inbox || rule.retention === undefined) throw new HoldfastError('bad_request', 'channel must be an inbox')
  // A grant to read is none to mark as read.
  if (!connection.services.inboxes.channelsOf(connection.identity).includes(channel)) {
    connection.services.authorisation.denied(connection, channel, 'ack')
    throw new HoldfastError('permission_denied', 'channel must be an inbox of your own')
  }
  const { inboxes, receipts } = connection.services
  const inbox = streamOf(connection, channel)
  await receipts.acknowledged(inbox, await inboxes.acknowledge(inbox, rule.retention, offset))
  answer(connection, { id })
}

async function cancel(connection: Connection, { operation, id }: CommandOf<'cancel'>): Promise<void> {
  const { operations, authorisation } = connection.services
  const found = await operations.find(connection.identity, operation)
  if (found === undefined) {
    authorisation.denied(connection, `operation:${operation}`, 'cancel')
    throw new HoldfastError('not_found', 'this operation does not exist, or is not yours to cancel')
  }
  if (!(await operations.requestCancel(found.tenant, found.id))) throw new HoldfastError('already_ended')
  answer(connection, { id })
}

async function call(connection: Connection, command: CommandOf<'call'>): Promise<void> {
  const { method, timeout, id } = command
  // No rule says who may: methods are written for callers that are somebody.
  if (connection.identity.kind === 'anonymous') {
    connection.services.authorisation.denied(connection, '-', 'call')
    throw new HoldfastError('permission_denied', 'a method must be called by somebody known')
  }
  const json = await connection.services.methods.call(method, command.data, connection.identity, timeout)
  if (connection.isOpen) connection.send(encodeWithRaw({ type: 'ok', id }, 'data', { json }))
}

async function refresh(connection: Connection, { token, id }: CommandOf<'refresh'>): Promise<void> {
  await refreshIdentity(connection, token)
  const { expiresAt } = connection.identity
  answer(connection, { id, expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString() })
}

async function ping(connection: Connection, { id, at }: CommandOf<'ping'>): Promise<void> {
  connection.send(JSON.stringify({ type: 'pong', id, at }))
}

function answer(connection: Connection, members: { id: Command['id'] } & Record<string, unknown>): void {
  if (connection.isOpen) connection.send(JSON.stringify({ type: 'ok', ...members }))
}

function streamOf(connection: Connection, channel: string): Stream {
  return { tenant: connection.identity.tenant, channel }
}

function now(connection: Connection): string {
  return new Date(connection.services.clock.now()).toISOString()
}
