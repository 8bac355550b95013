import type { ServerMessage, ServerMessageType } from '@holdfast/protocol'

type Loose = { readonly [member: string]: Loose } & readonly Loose[]

/**
 * What the client relies on in each message of the server: less than the schemas of the protocol say, and a tenth of their size; a test
 * holds the two together. A check may throw, which is a no.
 */
const CHECKS: Record<ServerMessageType, (message: Loose) => unknown> = {
  welcome: ({ session, user, heartbeat, limits, channels }) =>
    areTexts(session!['id'], session!['secret'], user, ...channels!) &&
    areCounts(heartbeat!['interval'], heartbeat!['timeout']) &&
    areCounts(limits!['messageBytesMax'], limits!['commandsInFlightMax']),
  ok: ({ messages = [] as unknown as Loose }) => messages.every(isMessage),
  error: isNamed,
  subscribed: ({ channel, position, messages, members = [] as unknown as Loose }) =>
    areTexts(channel, position!['epoch'], ...members.map(({ user }) => user)) &&
    areCounts(position!['offset']) &&
    messages!.every(isMessage),
  message: isMessage,
  signal: isSent,
  joined: isMove,
  left: isMove,
  updated: isMove,
  gap: ({ channel, from, reason }) => areTexts(channel, reason) && areCounts(from),
  unsubscribed: (message) => isNamed(message) && areTexts(message['channel']),
  notice: isNamed,
  goodbye: ({ message, reconnect, code, after }) =>
    areTexts(message, reconnect) && areCounts(code) && (after === undefined || areCounts(after)),
  ping: () => true,
  pong: () => true,
}

const checks = new Map<unknown, (message: Loose) => unknown>(Object.entries(CHECKS))

/** Decodes a frame of the server. Whatever is not a message that the client knows is left out; never throws. */
export function decodeInbound(frame: string): ServerMessage[] {
  const messages: ServerMessage[] = []
  for (const line of frame.split('\n')) {
    try {
      const message = JSON.parse(line) as Loose
      if (checks.get(message['type'])?.(message)) messages.push(message as unknown as ServerMessage)
    } catch {
      // Not JSON, or not of the shape that its type promises.
    }
  }
  return messages
}

function isMessage(message: Loose): boolean {
  const { id, offset } = message
  return isSent(message) && areTexts(id) && (offset === undefined || areCounts(offset))
}

function isSent({ channel, event, from }: Loose): boolean {
  return areTexts(channel, event) && typeof from === 'object' && from !== null
}

function isMove({ channel, member, counts }: Loose): boolean {
  return areTexts(channel, member!['user']) && areCounts(counts!['members'])
}

function isNamed({ code, message }: Loose): boolean {
  return areTexts(code, message)
}

function areTexts(...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}

function areCounts(...values: unknown[]): boolean {
  return values.every(Number.isSafeInteger)
}
