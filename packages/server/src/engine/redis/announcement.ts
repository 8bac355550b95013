import type { MemberChange, Receiver, Signal, StreamMessage } from '../engine.js'

/** What is announced to the nodes that listen to a stream. A message of a stream without a log has an empty epoch and no offset. */
export type Announcement =
  | { readonly kind: 'message'; readonly epoch: string; readonly message: StreamMessage }
  | { readonly kind: 'signal'; readonly signal: Signal }
  | { readonly kind: 'members'; readonly change: MemberChange }
  | { readonly kind: 'rotated'; readonly epoch: string }
  | { readonly kind: 'text'; readonly text: string }

// The texts on the wire; `scripts/announcing.ts` writes some of them. What follows the first line is passed on as it came.
//
//   m<epoch> <offset>\n<body>                                                          a message; `m 0` where nothing is kept
//   s<body>                                                                            a signal
//   p<version> <before> <own> <members> <connections>\n<user as JSON>\n<info, or "">   a member changed
//   r<epoch>                                                                           this epoch began, the one before it ended
//   t<text>                                                                            a text of ours to ourselves
//
// A body is one line of JSON, the head, and then the data as it came: it is looked at, whether it is JSON, and passed on as the text it is.

/** The body of a message: what is stored in the log, and announced after its first line. */
export function encodeBody(message: Omit<StreamMessage, 'offset'>): string {
  const { id, event, from, at, final, data } = message
  return `${JSON.stringify({ id, event, from, at, ...(final && { final }) })}\n${data}`
}

/** The message of a body; undefined when it is none. `offset` 0 stands for a message that is not kept. */
export function decodeBody(body: string, offset: number): StreamMessage | undefined {
  const end = body.indexOf('\n')
  const head = end < 0 ? undefined : asObject(body.slice(0, end))
  if (head === undefined || typeof head['id'] !== 'string' || !isSigned(head)) return undefined
  const { id, event, from, at } = head
  const data = body.slice(end + 1)
  if (!isData(data)) return undefined
  const message = { id, offset: offset === 0 ? undefined : offset, event, data, from, at }
  return head['final'] === true ? { ...message, final: true } : message
}

/** The announcement of a message. */
export function encodeMessage(epoch: string, offset: number, body: string): string {
  return `m${epoch} ${offset}\n${body}`
}

/** The announcement of a signal. */
export function encodeSignal(signal: Signal): string {
  const { event, from, at, data } = signal
  return `s${JSON.stringify({ event, from, at })}\n${data}`
}

/** The announcement of a new epoch. */
export function encodeRotation(epoch: string): string {
  return `r${epoch}`
}

/** The announcement of a member's change. */
export function encodeMembers(change: MemberChange): string {
  const { member, counts, before, version } = change
  const numbers = [version, before, member.connections, counts.members, counts.connections].join(' ')
  return `p${numbers}\n${JSON.stringify(member.user)}\n${member.info === undefined ? '' : JSON.stringify(member.info)}`
}

/** A text from node to node, or from a node to itself. */
export function encodeText(text: string): string {
  return `t${text}`
}

/** What a text announces; undefined when it is no announcement of ours. Never throws. */
export function decodeAnnouncement(text: string): Announcement | undefined {
  switch (text[0]) {
    case 'm':
      return decodeMessage(text)
    case 's':
      return decodeSignal(text)
    case 'p':
      return decodeMembers(text)
    case 'r':
      return isEpoch(text.slice(1)) ? { kind: 'rotated', epoch: text.slice(1) } : undefined
    case 't':
      return { kind: 'text', text: text.slice(1) }
    default:
      return undefined
  }
}

/** Hands an announcement to one who listens to a stream. */
export function tell(receiver: Receiver, announcement: Announcement): void {
  switch (announcement.kind) {
    case 'message':
      receiver.message(announcement.epoch, announcement.message)
      break
    case 'signal':
      receiver.signal(announcement.signal)
      break
    case 'members':
      receiver.members(announcement.change)
      break
    case 'rotated':
      receiver.rotated(announcement.epoch)
      break
    case 'text':
      break
  }
}

function decodeMessage(text: string): Announcement | undefined {
  const space = text.indexOf(' ')
  const end = text.indexOf('\n')
  if (space < 0 || end < space) return undefined
  const epoch = text.slice(1, space)
  const offset = asCount(text.slice(space + 1, end))
  if (offset === undefined || (offset === 0 ? epoch !== '' : !isEpoch(epoch))) return undefined
  const message = decodeBody(text.slice(end + 1), offset)
  return message && { kind: 'message', epoch, message }
}

function decodeSignal(text: string): Announcement | undefined {
  const end = text.indexOf('\n')
  const head = end < 0 ? undefined : asObject(text.slice(1, end))
  if (head === undefined || !isSigned(head)) return undefined
  const { event, from, at } = head
  const data = text.slice(end + 1)
  return isData(data) ? { kind: 'signal', signal: { event, data, from, at } } : undefined
}

function decodeMembers(text: string): Announcement | undefined {
  const first = text.indexOf('\n')
  const second = text.indexOf('\n', first + 1)
  if (first < 0 || second < 0) return undefined
  const [version, before, connections, members, all, ...rest] = text.slice(1, first).split(' ').map(asCount)
  const user = asJson(text.slice(first + 1, second))
  if (version === undefined || before === undefined || connections === undefined || members === undefined)
    return undefined
  if (all === undefined || rest.length > 0 || typeof user !== 'string') return undefined
  const info = second + 1 === text.length ? undefined : asJson(text.slice(second + 1))
  const member = info === undefined ? { user, connections } : { user, connections, info }
  return { kind: 'members', change: { member, counts: { members, connections: all }, before, changed: true, version } }
}

/** It goes into frames as it is: what is not one line of JSON could say there what we have not said. */
function isData(text: string): boolean {
  return !text.includes('\n') && asJson(text) !== undefined
}

type Signed = Record<string, unknown> & Pick<Signal, 'event' | 'from' | 'at'>

function isSigned(head: Record<string, unknown>): head is Signed {
  return typeof head['event'] === 'string' && typeof head['at'] === 'string' && isSender(head['from'])
}

function isSender(from: unknown): boolean {
  if (typeof from !== 'object' || from === null) return false
  const { user, system, connection } = from as Record<string, unknown>
  return system === true || (typeof user === 'string' && (connection === undefined || typeof connection === 'string'))
}

function isEpoch(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text)
}

/** A whole number from 0 that a double holds exactly. */
function asCount(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined
  const count = Number(text)
  return Number.isSafeInteger(count) ? count : undefined
}

function asObject(text: string): Record<string, unknown> | undefined {
  const value = asJson(text)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
