import type { Cancel, Clock } from '../../clock.js'
import type { Engine, Rate } from '../../engine/engine.js'
import { TokenBucket } from '../../token-bucket.js'

/** What a shared rate works with. */
export interface SharedRateParts {
  readonly engine: Pick<Engine, 'rates' | 'problem'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  /** How many nodes lived when that was last known; at least 1. */
  nodes(): number
}

/** How long tokens that a node has borrowed may be spent. */
const LAPSE_MS = 1_000

/** A node borrows at most what a bucket gets in this part of a second. */
const BORROWED_PER_SECOND = 20

/** How often as much as there is gets asked for, when others ask too; then only what is needed. */
const TRIES_MAX = 3

/** Names known at most; beyond it the oldest is forgotten, and with it what was borrowed. */
const NAMES_MAX = 100_000

interface Waiter {
  readonly cost: number
  answer(waitMs: number): void
}

/** What this node holds of one bucket. */
interface Purse {
  tokens: number
  lapsesAt: number
  /** What was borrowed last. */
  chunk: number
  /** As much as this, or more, was refused, and would be until then. */
  refusedCost: number
  refusedUntil: number
  refusedMs: number
  /** Those for whom tokens are being borrowed. */
  readonly waiting: Waiter[]
  /** What holds for this node alone while the engine is away. */
  alone: TokenBucket | undefined
}

/**
 * One rate for many names, over all nodes together. Tokens come from the bucket that the nodes share, borrowed in small chunks and spent here, so that what is allowed
 * seldom asks the engine, and what was refused does not ask again before its time. Borrowed tokens lapse after a second: in any window a name gets at most what its bucket holds, and
 * what it gets in a window that is a second longer. While the engine is away each node gives its share.
 */
export class SharedRate {
  readonly #parts: SharedRateParts
  readonly #rate: Rate
  readonly #purses = new Map<string, Purse>()
  #cancelSweep: Cancel | undefined

  constructor(parts: SharedRateParts, rate: Rate) {
    this.#parts = parts
    this.#rate = rate
  }

  /** Names of which something is held. */
  get size(): number {
    return this.#purses.size
  }

  /**
   * Takes `cost` tokens (default 1) of `name` and answers 0; where there are not as many, takes none and answers after how many milliseconds to try again (Infinity:
   * more than a bucket holds). A promise only where tokens have to be borrowed; it does not reject.
   */
  take(name: string, cost: number = 1): number | Promise<number> {
    if (cost > this.#rate.burst) return Infinity
    const now = this.#parts.clock.now()
    const purse = this.#purses.get(name) ?? this.#open(name)
    if (this.#parts.engine.problem() !== undefined) return this.#takeAlone(purse, cost, now)
    if (purse.waiting.length > 0) return this.#wait(purse, cost)
    if (this.#spend(purse, cost, now)) return 0
    if (cost >= purse.refusedCost && isAhead(purse.refusedUntil, purse.refusedMs, now)) return purse.refusedUntil - now
    const answer = this.#wait(purse, cost)
    void this.#borrow(name, purse)
    return answer
  }

  /** Forgets everything. */
  close(): void {
    this.#cancelSweep?.()
    this.#purses.clear()
  }

  #wait(purse: Purse, cost: number): Promise<number> {
    return new Promise((answer) => {
      purse.waiting.push({ cost, answer })
    })
  }

  #spend(purse: Purse, cost: number, now: number): boolean {
    if (!isAhead(purse.lapsesAt, LAPSE_MS, now)) purse.tokens = 0
    if (purse.tokens < cost) return false
    purse.tokens -= cost
    return true
  }

  /** Borrows until everybody who waits was answered. Whoever comes meanwhile waits too. */
  async #borrow(name: string, purse: Purse): Promise<void> {
    try {
      while (purse.waiting.length > 0) {
        const waitMs = await this.#borrowOnce(name, purse)
        const now = this.#parts.clock.now()
        this.#serve(purse, now)
        const [first] = purse.waiting
        if (first !== undefined && waitMs > 0) this.#refuse(purse, first.cost, waitMs, now)
      }
    } catch {
      const now = this.#parts.clock.now()
      for (const { cost, answer } of purse.waiting.splice(0)) answer(this.#takeAlone(purse, cost, now))
    }
  }

  /** Borrows what is needed, and a chunk if there is as much; 0, or after how long there is what the first who waits needs. */
  async #borrowOnce(name: string, purse: Purse): Promise<number> {
    const { rates } = this.#parts.engine
    const first = (purse.waiting[0]?.cost ?? 0) - this.#left(purse)
    const all = purse.waiting.reduce((sum, { cost }) => sum + cost, 0) - this.#left(purse)
    let wanted = Math.min(Math.max(all, this.#chunk(purse)), this.#rate.burst)
    for (let tries = 1; ; tries += 1) {
      const waitMs = await rates.take(name, wanted, this.#rate)
      if (waitMs === 0) return this.#put(purse, wanted)
      if (wanted <= first) return waitMs
      // How long it would take says how much there is; others may be faster.
      const there = Math.floor(wanted - (waitMs * this.#rate.perSecond) / 1_000)
      wanted = tries < TRIES_MAX ? Math.max(there, first) : first
    }
  }

  #left(purse: Purse): number {
    return isAhead(purse.lapsesAt, LAPSE_MS, this.#parts.clock.now()) ? purse.tokens : 0
  }

  /** What to borrow ahead: more than last time where that was used up before it lapsed, nothing where it lapsed. */
  #chunk(purse: Purse): number {
    const isUsedUp = isAhead(purse.lapsesAt, LAPSE_MS, this.#parts.clock.now())
    return isUsedUp ? Math.min(purse.chunk * 2, this.#rate.perSecond / BORROWED_PER_SECOND) : 0
  }

  #put(purse: Purse, tokens: number): number {
    purse.tokens = this.#left(purse) + tokens
    purse.chunk = tokens
    purse.lapsesAt = this.#parts.clock.now() + LAPSE_MS
    purse.refusedUntil = 0
    return 0
  }

  #serve(purse: Purse, now: number): void {
    for (let [next] = purse.waiting; next !== undefined && this.#spend(purse, next.cost, now); [next] = purse.waiting) {
      purse.waiting.shift()
      next.answer(0)
    }
  }

  /** Everybody who waits is told the same: there is not enough for the first of them. */
  #refuse(purse: Purse, cost: number, waitMs: number, now: number): void {
    purse.refusedCost = cost
    purse.refusedUntil = now + waitMs
    purse.refusedMs = waitMs
    for (const { answer } of purse.waiting.splice(0)) answer(waitMs)
  }

  #takeAlone(purse: Purse, cost: number, now: number): number {
    purse.alone ??= new TokenBucket()
    const { perSecond, burst } = this.#share()
    // What the shared bucket can hold fits into the share as well.
    return purse.alone.take(cost, now, { perSecond, burst: Math.max(burst, cost) })
  }

  /** What one node may give by itself. */
  #share(): Rate {
    const nodes = this.#parts.nodes()
    return { perSecond: this.#rate.perSecond / nodes, burst: this.#rate.burst / nodes }
  }

  // The table

  #open(name: string): Purse {
    const [oldest] = this.#purses.size >= NAMES_MAX ? this.#purses.keys() : []
    if (oldest !== undefined) this.#purses.delete(oldest)
    const purse: Purse = {
      tokens: 0,
      lapsesAt: 0,
      chunk: 0,
      refusedCost: 0,
      refusedUntil: 0,
      refusedMs: 0,
      waiting: [],
      alone: undefined,
    }
    this.#purses.set(name, purse)
    this.#cancelSweep ??= this.#parts.clock.after(LAPSE_MS * 2, () => this.#sweep())
    return purse
  }

  /** Forgets what is as good as new. */
  #sweep(): void {
    const now = this.#parts.clock.now()
    for (const [name, purse] of this.#purses) if (this.#isIdle(purse, now)) this.#purses.delete(name)
    this.#cancelSweep = this.#purses.size === 0 ? undefined : this.#parts.clock.after(LAPSE_MS * 2, () => this.#sweep())
  }

  #isIdle(purse: Purse, now: number): boolean {
    if (purse.waiting.length > 0 || isAhead(purse.lapsesAt, LAPSE_MS, now)) return false
    if (isAhead(purse.refusedUntil, purse.refusedMs, now)) return false
    return purse.alone === undefined || purse.alone.isFull(now, this.#share())
  }
}

/** Whether an end that was set `ms` before it is still to come: where the clock was set back it is taken to be over. */
function isAhead(end: number, ms: number, now: number): boolean {
  return end > now && end - now <= ms
}
