import type { Cancel, Clock } from '../clock.js'

/** What lanes work with. */
export interface LanesParts {
  readonly clock: Pick<Clock, 'after'>
  /** Whether there is no sense in trying anything now; `resume` is called when there is again. */
  readonly isBlocked: () => boolean
  readonly onError: (error: unknown) => void
  /** Works under way at a time (default 64). */
  readonly atOnce?: number
  /** Works that wait at most (default 500,000). */
  readonly waitingMax?: number
}

type Work = () => Promise<unknown>

interface Lane {
  readonly works: Work[]
  /** Milliseconds until the next try; 0 while all goes well. */
  waitMs: number
  cancel: Cancel | undefined
}

/** Milliseconds to the first new try; each further one waits twice as long, up to the longest. */
const FIRST_MS = 200
const LONGEST_MS = 10_000

/** Works that have to be done, those of one lane one after the other. One that rejects is tried again until it does not, and what is behind it waits. */
export class Lanes {
  readonly #parts: LanesParts
  readonly #lanes = new Map<string, Lane>()
  /** Lanes whose first work can begin. */
  readonly #ready = new Set<Lane>()
  readonly #names = new Map<Lane, string>()
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

  /** Adds a work to a lane; false when too many wait already: then it is not done. */
  add(name: string, work: Work): boolean {
    const { waitingMax = 500_000 } = this.#parts
    if (this.#closed || this.#waiting >= waitingMax) return false
    this.#waiting += 1
    const known = this.#lanes.get(name)
    if (known !== undefined) {
      known.works.push(work)
      return true
    }
    const lane: Lane = { works: [work], waitMs: 0, cancel: undefined }
    this.#lanes.set(name, lane)
    this.#names.set(lane, name)
    this.#ready.add(lane)
    this.resume()
    return true
  }

  /** Begins what can be begun. */
  resume(): void {
    const { atOnce = 64, isBlocked } = this.#parts
    for (const lane of this.#ready) {
      if (this.#closed || this.#running >= atOnce || isBlocked()) return
      this.#ready.delete(lane)
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
    this.#names.clear()
    this.#ready.clear()
    this.#waiting = 0
    this.#tellIdle()
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
    if (lane.works.length > 0) this.#ready.add(lane)
    else {
      this.#lanes.delete(this.#names.get(lane) ?? '')
      this.#names.delete(lane)
    }
    this.#tellIdle()
  }

  /** What rejects because the engine is away needs no timer: it is tried when the engine is back. */
  #later(lane: Lane): void {
    if (this.#parts.isBlocked()) {
      this.#ready.add(lane)
      return
    }
    lane.waitMs = Math.min(Math.max(FIRST_MS, lane.waitMs * 2), LONGEST_MS)
    lane.cancel = this.#parts.clock.after(lane.waitMs, () => {
      lane.cancel = undefined
      this.#ready.add(lane)
      this.resume()
    })
  }

  #tellIdle(): void {
    if (this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
