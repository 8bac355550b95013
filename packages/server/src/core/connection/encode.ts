import {
  type CloseReason,
  type CommandId,
  ERRORS,
  type ErrorCode,
  type GapRange,
  type Position,
  type Reconnect,
  type Recovered,
  encodeData,
} from '@holdfast/protocol'
import { timestamp } from '../../clock.js'
import type { MemberList, Signal, StreamMessage } from '../../engine/engine.js'
import type { PresenceChange } from '../channels/roster.js'
import type { HoldfastError } from '../errors.js'

/** JSON text that goes into a message as it is. */
export interface RawJson {
  readonly json: string
}

/** The text of a server message, with one more member whose value is JSON text already. */
export function encodeWithRaw(message: object, member: string, raw: RawJson | undefined): string {
  const text = JSON.stringify(message)
  return raw === undefined ? text : `${text.slice(0, -1)},"${member}":${raw.json}}`
}

/** The text of a message. Nothing in it depends on who gets it. */
export function encodeStreamMessage(channel: string, message: StreamMessage): string {
  const offset = message.offset === undefined ? '' : `"offset":${message.offset},`
  return (
    `{"type":"message","channel":"${channel}","id":"${message.id}",${offset}"event":${JSON.stringify(message.event)},` +
    `"data":${message.data},"from":${JSON.stringify(message.from)},"at":"${message.at}"}`
  )
}

/** The text of a signal. */
export function encodeSignal(channel: string, signal: Signal): string {
  return (
    `{"type":"signal","channel":"${channel}","event":${JSON.stringify(signal.event)},"data":${signal.data},` +
    `"from":${JSON.stringify(signal.from)},"at":"${signal.at}"}`
  )
}

/** The text of a presence change. */
export function encodePresence(channel: string, change: PresenceChange): string {
  return JSON.stringify({ type: change.kind, channel, member: change.member, counts: change.counts })
}

/** The text of a gap on a live subscription; `position` is where the stream goes on. */
export function encodeGap(channel: string, range: GapRange, position?: Position): string {
  return JSON.stringify({ type: 'gap', channel, ...range, ...(position && { position }) })
}

/** What a subscription starts with. */
export interface Subscribed {
  readonly channel: string
  readonly position: Required<Position>
  readonly recovered: Recovered
  readonly gap: GapRange | undefined
  readonly messages: readonly StreamMessage[]
  readonly present: MemberList | undefined
}

function shown(present: MemberList | undefined): Pick<MemberList, 'members' | 'counts'> | undefined {
  return present && { members: present.members, counts: present.counts }
}

/** The text of the answer to a subscribe, the messages recovered included. */
export function encodeSubscribed(start: Subscribed, id?: CommandId): string {
  const { channel, position, recovered, gap, messages, present } = start
  const head = { type: 'subscribed', id, channel, epoch: position.epoch, position, recovered, gap, ...shown(present) }
  return encodeWithRaw(head, 'messages', encodeMessageList(channel, messages))
}

/** A JSON array of messages. */
export function encodeMessageList(channel: string, messages: readonly StreamMessage[]): RawJson {
  return { json: `[${messages.map((message) => encodeStreamMessage(channel, message)).join(',')}]` }
}

/** The text of an error. */
export function encodeError(error: HoldfastError, id?: CommandId): string {
  const { code, message, retryable, retryAfter, details } = error
  const head = { type: 'error', id, code, message, retryable, retryAfter }
  return encodeWithRaw(head, 'details', details === undefined ? undefined : encodeDetails(details))
}

/** Undefined for what cannot be encoded: the refusal itself has to arrive. */
function encodeDetails(details: unknown): RawJson | undefined {
  try {
    return { json: encodeData(details) }
  } catch {
    return undefined
  }
}

/** The text of a refusal by the codec. */
export function encodeRefusal(code: ErrorCode, message: string, id: CommandId | undefined): string {
  return JSON.stringify({ type: 'error', id, code, message, retryable: ERRORS[code].retryable })
}

/** How a close differs from its entry in the table. */
export interface Farewell {
  readonly reconnect?: Reconnect
  /** Milliseconds before the client comes back. */
  readonly after?: number
}

/** The text that precedes every close. */
export function encodeGoodbye({ code, reason, reconnect }: CloseReason, farewell: Farewell): string {
  return JSON.stringify({ type: 'goodbye', code, message: reason, reconnect, ...farewell })
}

/** The text that tells of a token that expires soon. */
export function encodeExpiryNotice(expiresAt: number | undefined): string {
  const details = expiresAt === undefined ? undefined : { expiresAt: timestamp(expiresAt) }
  return JSON.stringify({ type: 'notice', code: 'token_expiring', message: 'The token expires soon', details })
}
