import type { Cancel, Clock } from '../clock.js'
import { Fifo } from './fifo.js'

/** What lanes work with. */
export interface LanesParts {
  readonly clock: Pick<Clock, 'after'>
  /** Whether there is no sense in trying anything now; `resume` is called when there is again. */
  readonly isBlocked: () => boolean
  readonly onError: (error: unknown) => void
  /** Works under way at a time (default 64). */
  readonly atOnce?: number
  /** Works that wait at most (default 500,000); those of one tenant are half of them at most. */
  readonly waitingMax?: number
}

type Work = () => Promise<unknown>

/** The lanes of one tenant. */
interface Group {
  readonly name: string
  /** Lanes whose first work can begin. */
  readonly ready: Fifo<Lane>
  waiting: number
}

interface Lane {
  readonly name: string
  readonly group: Group
  readonly works: Work[]
  /** Milliseconds until the next try; 0 while all goes well. */
  waitMs: number
  cancel: Cancel | undefined
}

/** Milliseconds to the first new try; each further one waits twice as long, up to the longest. */
const FIRST_MS = 200
const LONGEST_MS = 10_000

/**
 * Works that have to be done, those of one lane one after the other. One that rejects is tried again until it does not, and what is behind it waits. Tenants take
 * turns, and none fills the room of the others.
 */
export class Lanes {
  readonly #parts: LanesParts
  readonly #lanes = new Map<string, Lane>()
  readonly #groups = new Map<string, Group>()
  /** Groups with something ready, each once: one whose turn was goes to the end. */
  readonly #turns = new Fifo<Group>()
  readonly #idle: (() => void)[] = []
  #running = 0
  #waiting = 0
  #closed = false

  constructor(parts: LanesParts) {
    this.#parts = parts
  }

  /** Works that are not done. */
  get size(): number {
    return this.#waiting
  }

  /** Adds a work to a lane of a tenant; false when too many wait already: then it is not done. */
  add(name: string, work: Work, tenant: string = ''): boolean {
    const { waitingMax = 500_000 } = this.#parts
    const group = this.#groups.get(tenant) ?? { name: tenant, ready: new Fifo<Lane>(), waiting: 0 }
    if (this.#closed || this.#waiting >= waitingMax || group.waiting >= waitingMax / 2) return false
    this.#groups.set(tenant, group)
    group.waiting += 1
    this.#waiting += 1
    const known = this.#lanes.get(name)
    if (known !== undefined) {
      known.works.push(work)
      return true
    }
    const lane: Lane = { name, group, works: [work], waitMs: 0, cancel: undefined }
    this.#lanes.set(name, lane)
    this.#makeReady(lane)
    this.resume()
    return true
  }

  /** Begins what can be begun. */
  resume(): void {
    const { atOnce = 64, isBlocked } = this.#parts
    while (!this.#closed && this.#running < atOnce && !isBlocked()) {
      const lane = this.#next()
      if (lane === undefined) return
      this.#running += 1
      void this.#run(lane)
    }
  }

  /** Resolves when nothing waits. */
  settled(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  /** Gives up whatever waits. */
  close(): void {
    this.#closed = true
    for (const { cancel } of this.#lanes.values()) cancel?.()
    this.#lanes.clear()
    this.#groups.clear()
    this.#waiting = 0
    this.#tellIdle()
  }

  #makeReady(lane: Lane): void {
    const { group } = lane
    group.ready.add(lane)
    if (group.ready.size === 1) this.#turns.add(group)
  }

  /** The next lane of the group whose turn it is. */
  #next(): Lane | undefined {
    const group = this.#turns.take()
    const lane = group?.ready.take()
    if (group !== undefined && group.ready.size > 0) this.#turns.add(group)
    return lane
  }

  async #run(lane: Lane): Promise<void> {
    const [work] = lane.works
    try {
      await work?.()
      this.#done(lane)
    } catch (error) {
      this.#parts.onError(error)
      if (!this.#closed) this.#later(lane)
    }
    this.#running -= 1
    this.resume()
  }

  #done(lane: Lane): void {
    if (this.#closed) return
    lane.works.shift()
    lane.waitMs = 0
    this.#waiting -= 1
    lane.group.waiting -= 1
    if (lane.works.length > 0) this.#makeReady(lane)
    else this.#lanes.delete(lane.name)
    if (lane.group.waiting === 0) this.#groups.delete(lane.group.name)
    this.#tellIdle()
  }

  /** What rejects because the engine is away needs no timer: it is tried when the engine is back. */
  #later(lane: Lane): void {
    if (this.#parts.isBlocked()) {
      this.#makeReady(lane)
      return
    }
    lane.waitMs = Math.min(Math.max(FIRST_MS, lane.waitMs * 2), LONGEST_MS)
    lane.cancel = this.#parts.clock.after(lane.waitMs, () => {
      lane.cancel = undefined
      this.#makeReady(lane)
      this.resume()
    })
  }

  #tellIdle(): void {
    if (this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
