import type { Engine } from '../engine/engine.js'
import { CURSOR_MS, cursorOf } from './places.js'

/** Where a receiver is in the log of a tenant. */
export interface Cursor {
  readonly epoch: string
  /** Everything up to here is done. */
  readonly offset: number
  /** What is done above it. */
  readonly done: readonly number[]
}

/** A cursor as it is stored; version 0: there is none. */
export interface StoredCursor {
  readonly cursor: Cursor | undefined
  readonly version: number
}

/** The cursor of a receiver in the log of a tenant. Rejects when the engine refuses. */
export async function readCursor(
  engine: Pick<Engine, 'records'>,
  destination: string,
  tenant: string,
): Promise<StoredCursor> {
  const record = await engine.records.get(cursorOf(destination, tenant))
  return record === undefined
    ? { cursor: undefined, version: 0 }
    : { cursor: parse(record.value), version: record.version }
}

/** Stores a cursor over the version that is known; answers the new version, or undefined where another wrote meanwhile. */
export function writeCursor(
  engine: Pick<Engine, 'records'>,
  place: { readonly destination: string; readonly tenant: string },
  cursor: Cursor,
  ifVersion: number,
): Promise<number | undefined> {
  const key = cursorOf(place.destination, place.tenant)
  return engine.records.put(key, JSON.stringify(cursor), { ttlMs: CURSOR_MS, ifVersion })
}

function parse(text: string): Cursor | undefined {
  try {
    const { epoch, offset, done } = JSON.parse(text) as Partial<Cursor>
    if (typeof epoch !== 'string' || !Number.isSafeInteger(offset)) return undefined
    return { epoch, offset: offset ?? 0, done: Array.isArray(done) ? done : [] }
  } catch {
    return undefined
  }
}
