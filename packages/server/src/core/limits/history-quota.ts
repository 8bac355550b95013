import type { Cancel, Clock } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'

/** What a history quota works with. */
export interface HistoryQuotaParts {
  readonly engine: Pick<Engine, 'registers' | 'problem'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  /** The name of the register. */
  readonly register: string
}

/** How long what logs keep is gathered before it is told. */
const TELL_MS = 200

/** How long what is known is believed. */
const BELIEVED_MS = 1_000

/** Logs whose weight is remembered. */
const WEIGHTS_MAX = 10_000

/** Logs told of at a time. */
const BATCH = 100

interface Weight {
  /** The position of the message that was published last: of two nodes that tell of one log the one that published later is right. */
  readonly epoch: string
  readonly offset: number
  readonly characters: number
  readonly keptMs: number
}

/**
 * What the histories of one tenant keep, over all nodes: a register with the weight of each log, for as long as the log lives. Publishes tell what their log weighs then, gathered
 * for a moment; so the quota may be passed by what the other nodes publish in that moment, and by what is under way.
 */
export class HistoryQuota {
  readonly max: number
  readonly #parts: HistoryQuotaParts
  readonly #untold = new Map<string, Weight>()
  /** What logs weighed when they were last published to here. */
  readonly #weights = new Map<string, number>()
  #used = 0
  #knownAt = -Infinity
  #learning: Promise<boolean> | undefined
  /** What was added since it was last told, and what is being told. */
  #added = 0
  #telling = 0
  #cancel: Cancel | undefined

  constructor(max: number, parts: HistoryQuotaParts) {
    this.max = max
    this.#parts = parts
  }

  /** Logs whose weight was not told yet. */
  get size(): number {
    return this.#untold.size
  }

  /** Whether more may be stored. A promise only where what this node knows is older than a second. */
  hasRoom(): boolean | Promise<boolean> {
    const { clock, engine } = this.#parts
    if (this.max === 0) return false
    // Either way: a clock may be set back.
    if (Math.abs(clock.now() - this.#knownAt) <= BELIEVED_MS || engine.problem() !== undefined) return this.#isUnder
    this.#learning ??= this.#learn()
    return this.#learning
  }

  /** A log keeps so much now, for `keptMs`, `more` of it since a moment ago. */
  weighed(channel: string, { more, ...weight }: Weight & { readonly more: number }): void {
    const { characters } = weight
    const before = this.#weights.get(channel) ?? characters - more
    if (this.#weights.size >= WEIGHTS_MAX) this.#weights.clear()
    this.#weights.set(channel, characters)
    this.#added += characters - before
    this.#untold.set(channel, weight)
    this.#cancel ??= this.#parts.clock.after(TELL_MS, () => void this.#tell())
  }

  /** What is kept on all nodes. Rejects when the engine cannot be reached. */
  async used(): Promise<number> {
    const { amount } = await this.#parts.engine.registers.totals(this.#parts.register)
    this.#know(amount)
    return amount + this.#added
  }

  close(): void {
    this.#cancel?.()
  }

  get #isUnder(): boolean {
    return this.#used + this.#telling + this.#added < this.max
  }

  async #learn(): Promise<boolean> {
    try {
      await this.used()
    } catch {
      // What was known last has to do.
    }
    this.#learning = undefined
    return this.#isUnder
  }

  #know(used: number): void {
    this.#used = used
    this.#knownAt = this.#parts.clock.now()
  }

  async #tell(): Promise<void> {
    const untold = [...this.#untold]
    this.#untold.clear()
    this.#telling = this.#added
    this.#added = 0
    for (let at = 0; at < untold.length; at += BATCH)
      await Promise.all(untold.slice(at, at + BATCH).map(([channel, weight]) => this.#put(channel, weight)))
    this.#telling = 0
    this.#cancel = undefined
    if (this.#untold.size > 0) this.#cancel = this.#parts.clock.after(TELL_MS, () => void this.#tell())
  }

  async #put(channel: string, { epoch, offset, characters, keptMs }: Weight): Promise<void> {
    const { engine, register } = this.#parts
    try {
      const request = { key: channel, value: epoch, rank: offset, amount: characters, ttlMs: keptMs }
      const put = await engine.registers.put(register, request)
      if (put !== undefined) this.#know(put.amount)
    } catch {
      // The next publish tells it.
    }
  }
}
