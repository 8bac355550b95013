import type { Clock } from '../clock.js'
import { type HandOver, NOTIFICATION_EVENT } from '../core/channels/receipts.js'
import { isText, membersOf } from '../core/members.js'
import type { Retries } from '../core/retries.js'
import type { Stream, StreamMessage } from '../engine/engine.js'
import { inParallel } from '../lifecycle/in-parallel.js'
import { dueKey } from './places.js'
import type { ReceiptName } from './receipt-store.js'

/** What was handed to connections of this node, of one notification. */
export interface HandOverCount extends ReceiptName {
  /** The id of its message. */
  readonly message: string
  readonly connections: number
  /** Whether one of the connections began just now. */
  readonly hasJustCome: boolean
}

/** What the counting of hand-overs works with. */
export interface HandOversParts {
  readonly clock: Pick<Clock, 'after'>
  readonly retries: Pick<Retries, 'insist'>
  /** Writes a count down; rejects when the engine refuses. */
  readonly write: (count: HandOverCount) => Promise<unknown>
}

/** Milliseconds over which counts are gathered. */
const GATHER_MS = 100

/** Notifications that are counted in that time; what is over is not. */
const GATHERED_MAX = 10_000

/** Notifications of an inbox that are counted when a connection is given all of it: the newest. */
const COUNTED_MAX = 100

/** Counts that are written at a time. */
const AT_ONCE = 16

/** What stands in the data of every notification with a receipt, and seldom elsewhere. */
const MARK = '"receipt":true'

/** Counts how often notifications with a receipt are handed to connections of this node, and writes that down a moment later. */
export class HandOvers {
  readonly #parts: HandOversParts
  #gathered = new Map<string, HandOverCount>()

  constructor(parts: HandOversParts) {
    this.#parts = parts
  }

  /** Messages of an inbox were handed to connections. */
  note({ tenant }: Stream, messages: readonly StreamMessage[], how: HandOver): void {
    const marked = messages.filter(({ event, data }) => event === NOTIFICATION_EVENT && data.includes(MARK))
    for (const message of marked.slice(-COUNTED_MAX)) {
      const id = idOf(message.data)
      if (id !== undefined) this.#add({ tenant, id, message: message.id, ...how })
    }
  }

  #add(count: HandOverCount): void {
    const key = dueKey(count.tenant, count.id)
    const before = this.#gathered.get(key)
    if (before === undefined && this.#gathered.size >= GATHERED_MAX) return
    if (this.#gathered.size === 0) this.#parts.clock.after(GATHER_MS, () => void this.flush())
    this.#gathered.set(key, {
      ...count,
      connections: count.connections + (before?.connections ?? 0),
      hasJustCome: count.hasJustCome || (before?.hasJustCome ?? false),
    })
  }

  /** Writes down what was gathered; resolves when each was tried. What the engine refused is tried again. */
  flush(): Promise<void> {
    const counts = [...this.#gathered.values()]
    this.#gathered = new Map()
    const { retries, write } = this.#parts
    return inParallel(counts, AT_ONCE, (count) => retries.insist(() => write(count)))
  }
}

function idOf(data: string): string | undefined {
  try {
    const { id, receipt } = membersOf(JSON.parse(data))
    return receipt === true && isText(id) ? id : undefined
  } catch {
    return undefined
  }
}
