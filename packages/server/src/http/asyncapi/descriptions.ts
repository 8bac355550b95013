import type { CommandType, ServerMessageType } from '@holdfast/protocol'

/** What a command asks for, in a sentence, and which messages answer it. */
export interface CommandDescription {
  readonly summary: string
  readonly answers: readonly ServerMessageType[]
}

/** Every command in words. */
export const COMMAND_DESCRIPTIONS: Readonly<Record<CommandType, CommandDescription>> = {
  hello: { summary: 'Says who is there, and which session goes on', answers: ['welcome', 'goodbye'] },
  subscribe: { summary: 'Listens to a channel, from a position on', answers: ['subscribed', 'error'] },
  unsubscribe: { summary: 'Listens to a channel no more', answers: ['ok', 'error'] },
  publish: { summary: 'Publishes a message to a channel', answers: ['ok', 'error'] },
  signal: { summary: 'Tells whoever listens now; nothing is kept, nothing answered but a refusal', answers: ['error'] },
  history: { summary: 'Reads what is stored of a channel', answers: ['ok', 'error'] },
  presence: { summary: 'Asks who is in a channel', answers: ['ok', 'error'] },
  state: { summary: 'Replaces the state of the session', answers: ['ok', 'error'] },
  ack: { summary: 'Moves the cursor of the user on an inbox channel', answers: ['ok', 'error'] },
  cancel: { summary: 'Asks the worker of an operation to stop', answers: ['ok', 'error'] },
  call: { summary: 'Calls a method of the application', answers: ['ok', 'error'] },
  refresh: { summary: 'Shows another token of the same user', answers: ['ok', 'error'] },
  ping: { summary: 'Asks whether the server is there', answers: ['pong'] },
}

/** Every message of a server in words. */
export const MESSAGE_DESCRIPTIONS: Readonly<Record<ServerMessageType, string>> = {
  welcome: 'The client is let in',
  ok: 'A command was carried out',
  error: 'A command was refused',
  subscribed: 'The client listens to a channel; carries the verdict on what was recovered',
  message: 'A message of a channel',
  signal: 'A signal of a channel, which is not kept',
  joined: 'A member has come',
  left: 'A member has gone',
  updated: 'A member has more or fewer connections, or tells something else of itself',
  gap: 'Messages were lost while connected; says which',
  unsubscribed: 'Access to a channel has ended',
  notice: 'Something that the client may want to know of the server or its token',
  goodbye: 'The connection ends, and what to do then; a close frame follows',
  ping: 'Asks whether the client is there; any frame answers',
  pong: 'The answer to a ping',
}

/** What the document says of the whole. */
export const OVERVIEW: string = `Channels, presence, recovery and the progress of long-running work over one WebSocket.

A frame is text and holds one or more JSON objects separated by a line feed, in both directions. Commands may carry an \`id\`, which the answer echoes. Members that are not known are
ignored, and so is a message of a type that is not known. Times are ISO-8601 in UTC with milliseconds.

Every end of a connection is announced by \`goodbye\`; \`x-close-reasons\` lists the pairs of code and reason, \`x-errors\` the codes of an \`error\`.`
