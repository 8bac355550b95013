/** How far a log had come when this node was last told of it. */
export interface KnownTop {
  readonly stream: string
  readonly epoch: string
  /** 0 and an empty id: the epoch began, and nothing was published under it. */
  readonly offset: number
  readonly id: string
}

interface Entry {
  epoch: string
  offset: number
  id: string
  /** The epoch before: what is told of it comes late. */
  before: string
  tick: number
}

/** Logs that are remembered at most, where no other number is given. */
export const TOPS_MAX = 100_000

/**
 * The newest message of each log that this node was told of, by an answer or by an announcement: what must still be there after a server was replaced. Time is
 * counted in ticks, one for each mark that is left in Redis (`muster.ts`): what was told before a tick was stored before the mark of that tick.
 */
export class KnownTops {
  readonly #max: number
  /** In order of their ticks. */
  readonly #table = new Map<string, Entry>()
  #tick = 1
  #forgotten = 0

  constructor(max: number = TOPS_MAX) {
    this.#max = max
  }

  /** Logs that are remembered. */
  get size(): number {
    return this.#table.size
  }

  /** What was told at or before this tick is not remembered in full; 0 while nothing was forgotten. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** Begins a tick; answers its number. */
  tick(): number {
    this.#tick += 1
    return this.#tick
  }

  acknowledged(
    stream: string,
    position: { readonly epoch: string; readonly offset: number; readonly id: string },
  ): void {
    const { epoch, offset, id } = position
    const known = this.#table.get(stream)
    if (known === undefined) this.#insert(stream, { epoch, offset, id, before: '', tick: this.#tick })
    else if (known.epoch === epoch) this.#advance(stream, known, offset, id)
    else if (known.before !== epoch) this.#replace(stream, known, epoch, offset, id)
  }

  rotated(stream: string, epoch: string): void {
    const known = this.#table.get(stream)
    if (known === undefined) this.#insert(stream, { epoch, offset: 0, id: '', before: '', tick: this.#tick })
    else if (known.epoch !== epoch) this.#replace(stream, known, epoch, 0, '')
  }

  /** What was told since a tick, that tick included. */
  *since(tick: number): Iterable<KnownTop> {
    for (const [stream, entry] of this.#table)
      if (entry.tick >= tick) yield { stream, epoch: entry.epoch, offset: entry.offset, id: entry.id }
  }

  #advance(stream: string, known: Entry, offset: number, id: string): void {
    // Answers and announcements come over two connections, in either order.
    if (offset < known.offset) return
    known.offset = offset
    known.id = id
    if (known.tick !== this.#tick) this.#toEnd(stream, known)
  }

  #replace(stream: string, known: Entry, epoch: string, offset: number, id: string): void {
    known.before = known.epoch
    known.epoch = epoch
    known.offset = offset
    known.id = id
    this.#toEnd(stream, known)
  }

  #toEnd(stream: string, known: Entry): void {
    known.tick = this.#tick
    this.#table.delete(stream)
    this.#table.set(stream, known)
  }

  #insert(stream: string, entry: Entry): void {
    this.#table.set(stream, entry)
    if (this.#table.size <= this.#max) return
    for (const [oldest, { tick }] of this.#table) {
      this.#table.delete(oldest)
      this.#forgotten = Math.max(this.#forgotten, tick)
      return
    }
  }
}
