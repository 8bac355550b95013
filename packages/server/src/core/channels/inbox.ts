import { type Position, channelSegment } from '@holdfast/protocol'
import type { Identity } from '../../access/identity.js'
import { type Engine, type Retention, type Stream, streamKey } from '../../engine/engine.js'
import { HoldfastError } from '../errors.js'

/** A reader that has acknowledged nothing: everything stored is new to it. */
const BEGINNING: Position = { epoch: 'beginning', offset: 0, id: '' }

/** How often a cursor that another connection moved at the same moment is tried again. */
const TRIES = 5

/** The channels that every connection of a user is subscribed to, and the user's cursor on each: how far the user has acknowledged. */
export class Inboxes {
  readonly #engine: Engine
  readonly #patterns: readonly string[]
  /** The last move under way of each cursor that is being moved. */
  readonly #moving = new Map<string, Promise<Position>>()

  /** `patterns` end in `{user}`. */
  constructor(engine: Engine, patterns: readonly string[]) {
    this.#engine = engine
    this.#patterns = patterns
  }

  /** The inbox channels of a user; servers and those who are anonymous have none. */
  channelsOf(identity: Identity): string[] {
    if (identity.kind !== undefined && identity.kind !== 'user') return []
    return this.#patterns.map((pattern) => pattern.replace('{user}', channelSegment(identity.user)))
  }

  /** Where the user's devices have read to; with nothing acknowledged, the beginning of what is stored. */
  async cursor(stream: Stream, retention: Retention): Promise<Position> {
    const acknowledged = await this.acknowledged(stream)
    if (acknowledged !== undefined) return acknowledged
    const { epoch } = await this.#engine.read(stream, retention, { limit: 0, bytesMax: 0, keep: 'newest' })
    return { ...BEGINNING, epoch }
  }

  /** How far the user has acknowledged; undefined while that is nothing. */
  async acknowledged(stream: Stream): Promise<Position | undefined> {
    const record = await this.#engine.records.get(cursorKey(stream))
    return record && (JSON.parse(record.value) as Position)
  }

  /**
   * Moves the cursor to `offset`, never back and never past the newest message; answers where it is then. Moves of one cursor take turns.
   *
   * @throws HoldfastError `engine_unavailable` when other nodes moved it again and again.
   */
  async acknowledge(stream: Stream, retention: Retention, offset: number): Promise<Position> {
    const key = cursorKey(stream)
    const move = (): Promise<Position> => this.#move(key, stream, retention, offset)
    const moved = this.#moving.get(key)?.then(move, move) ?? move()
    this.#moving.set(key, moved)
    try {
      return await moved
    } finally {
      if (this.#moving.get(key) === moved) this.#moving.delete(key)
    }
  }

  async #move(key: string, stream: Stream, retention: Retention, offset: number): Promise<Position> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const record = await this.#engine.records.get(key)
      const page = await this.#engine.read(stream, retention, {
        from: offset,
        limit: 1,
        bytesMax: Infinity,
        keep: 'oldest',
      })
      const held = record && (JSON.parse(record.value) as Position)
      const reached =
        offset >= page.top.offset ? page.top : { offset, id: page.messages.find((m) => m.offset === offset)?.id ?? '' }
      if (held?.epoch === page.epoch && held.offset >= reached.offset) return held
      const position = { epoch: page.epoch, ...reached }
      const options = { ttlMs: retention.ttlMs * 2, ifVersion: record?.version ?? 0 }
      if ((await this.#engine.records.put(key, JSON.stringify(position), options)) !== undefined) return position
    }
    throw new HoldfastError('engine_unavailable', 'the cursor could not be moved')
  }
}

function cursorKey(stream: Stream): string {
  return `cursor:${streamKey(stream)}`
}
