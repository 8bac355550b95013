import type { Position } from '@holdfast/protocol'

/** Where positions are kept, so that a reader goes on where it was after a reload. Either method may be asynchronous. */
export interface CursorStore {
  /** The position saved last for a channel, if any. */
  load(channel: string): Position | undefined | Promise<Position | undefined>
  /** Keeps the position of a channel; called after the handlers of a message have settled. */
  save(channel: string, position: Position): void | Promise<void>
}

/** Keeps positions as long as the program runs. */
export function memoryCursor(): CursorStore {
  const positions = new Map<string, Position>()
  return {
    load: (channel) => positions.get(channel),
    save: (channel, position) => void positions.set(channel, position),
  }
}

/** Keeps positions in the browser's localStorage, under `prefix` and the channel's name. Use one prefix per tenant and user. */
export function localStorageCursor(prefix = 'holdfast:'): CursorStore {
  return {
    load: (channel) => parsePosition(localStorage.getItem(prefix + channel)),
    save: (channel, position) => localStorage.setItem(prefix + channel, JSON.stringify(position)),
  }
}

/** The position in a stored text; undefined for whatever is none, because storage belongs to others as well. */
export function parsePosition(stored: string | null | undefined): Position | undefined {
  try {
    const value = JSON.parse(stored ?? '') as Partial<Position> | null
    return typeof value?.epoch === 'string' && Number.isSafeInteger(value.offset) ? (value as Position) : undefined
  } catch {
    return undefined
  }
}
