import { COMMANDS, type Command, type CommandId, type CommandType } from './commands.js'
import type { ErrorCode } from './error-codes.js'
import type { FrameLimits } from './limits.js'
import { describeIssue } from './schema.js'
import { scanCommand } from './scan.js'
import { SERVER_MESSAGES, type ServerMessage, type ServerMessageType } from './server-messages.js'

/** The WebSocket subprotocol of this version with JSON frames. */
export const SUBPROTOCOL = 'holdfast.v1+json'

/** A command as it arrived: checked, with the bytes of its `data` as they were. */
export interface DecodedCommand {
  readonly command: Command
  /** The JSON text of `data`, without a change; undefined when there is none. */
  readonly data: string | undefined
}

/** Why a command could not be taken. `malformed` counts towards "Too many errors". */
export interface Refusal {
  readonly error: ErrorCode
  readonly message: string
  readonly id: CommandId | undefined
  readonly malformed: boolean
}

/** One command of a frame, taken or refused. */
export type Decoded = DecodedCommand | Refusal

/** Whether a decoded command was refused. */
export function isRefusal(decoded: Decoded): decoded is Refusal {
  return 'error' in decoded
}

/** The schemas by name; a Map, so that no name reaches a prototype. */
const commandSchemas = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(COMMANDS) as [CommandType, (typeof COMMANDS)[CommandType]][],
)
const messageSchemas = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(SERVER_MESSAGES) as [ServerMessageType, (typeof SERVER_MESSAGES)[ServerMessageType]][],
)

/**
 * Decodes a frame of one or more commands. Total: whatever the text, it returns, in time linear in its length. The number of
 * commands is counted before the frame is split, nesting and members before a command is parsed. The size in bytes is the
 * transport's to check.
 */
export function decodeFrame(frame: string, limits: FrameLimits): Decoded[] {
  if (!fitsCommandCount(frame, limits.commandsPerFrameMax)) {
    return [
      refuse('limit_exceeded', `a frame must hold at most ${limits.commandsPerFrameMax} commands`, undefined, true),
    ]
  }
  const decoded: Decoded[] = []
  for (const line of frame.split('\n')) if (line.trim() !== '') decoded.push(decodeCommand(line, limits))
  return decoded.length > 0 ? decoded : [refuse('bad_request', 'a frame must hold a JSON object', undefined, true)]
}

function fitsCommandCount(frame: string, max: number): boolean {
  let count = 1
  for (let at = frame.indexOf('\n'); at >= 0; at = frame.indexOf('\n', at + 1)) {
    // A newline at the end closes the last command and opens none.
    if (at < frame.length - 1) count += 1
    if (count > max) return false
  }
  return true
}

function decodeCommand(line: string, limits: FrameLimits): Decoded {
  const scan = scanCommand(line, limits)
  if ('problem' in scan) return refuse('bad_request', `the command ${scan.problem}`, undefined, true)
  const value = parseObject(line)
  if (value === undefined) return refuse('bad_request', 'a command must be a JSON object', undefined, true)
  const id = readId(value)
  const schema = typeof value['type'] === 'string' ? commandSchemas.get(value['type'] as CommandType) : undefined
  if (schema === undefined) return refuseType(value['type'], id)
  const issue = schema.check(value, '')
  if (issue) return refuse(issue.path === 'channel' ? 'invalid_channel' : 'bad_request', describeIssue(issue), id, true)
  const data = scan.data && line.slice(scan.data.start, scan.data.end).trim()
  return { command: value as Command, data }
}

function refuseType(type: unknown, id: CommandId | undefined): Refusal {
  if (typeof type !== 'string') return refuse('bad_request', 'type must be text', id, true)
  return refuse('unknown_type', `type ${JSON.stringify(type.slice(0, 64))} is not a command`, id, false)
}

function refuse(error: ErrorCode, message: string, id: CommandId | undefined, malformed: boolean): Refusal {
  return { error, message, id, malformed }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function readId(value: Record<string, unknown>): CommandId | undefined {
  const id = value['id']
  if (typeof id === 'string') return id.length >= 1 && id.length <= 64 ? id : undefined
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined
}

/**
 * Decodes a frame from a server. What is not a message of this protocol is left out: a client must not end because a newer server
 * says more.
 */
export function decodeServerFrame(frame: string): ServerMessage[] {
  const messages: ServerMessage[] = []
  for (const line of frame.split('\n')) {
    const value = parseObject(line)
    const schema = value && messageSchemas.get(value['type'] as ServerMessageType)
    if (schema && !schema.check(value, '')) messages.push(value as ServerMessage)
  }
  return messages
}
