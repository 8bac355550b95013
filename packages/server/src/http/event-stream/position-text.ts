import { type Position, type Since, position, since } from '@holdfast/protocol'

/** `epoch.offset`, or with the id of the message at that offset. */
const POSITION = /^([A-Za-z0-9_-]{1,32})\.(0|[1-9]\d{0,15})(?:\.([A-Za-z0-9_-]{1,32}))?$/

/** Reads a position as an event stream writes it; undefined when it is none. */
export function readPosition(text: string): Position | undefined {
  const [, epoch, offset, id] = POSITION.exec(text) ?? []
  if (epoch === undefined) return undefined
  const read = { epoch, offset: Number(offset), ...(id !== undefined && { id }) }
  return position.check(read, 'position') === undefined ? read : undefined
}

/** Reads where a reader wants to start: a position, or `newest:N`. */
export function readSince(text: string): Since | undefined {
  return readPosition(text) ?? (since.check(text, 'since') === undefined ? (text as Since) : undefined)
}
