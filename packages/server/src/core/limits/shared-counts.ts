import type { Engine } from '../../engine/engine.js'
import type { Retries } from '../retries.js'

/** A number that nodes share, and what it must not pass. */
export interface Count {
  readonly name: string
  readonly max: number
  /** What is taken moves here from another node, where it is counted until it is given back there: it is counted, and not refused. */
  readonly isThere?: boolean
}

/** More than any share: a share never falls below 0, so taking this off empties it. */
const EVERYTHING = 1_000_000_000

/** Shares entered anew at a time. */
const BATCH = 100

type Answer = 'taken' | 'refused' | 'unknown'

/**
 * What this node holds of numbers that nodes share. It is counted here too: while the engine is away each bound holds for this node alone, and when it is back
 * this node's share is set to what is counted here.
 */
export class SharedCounts {
  readonly #engine: Pick<Engine, 'counters' | 'problem'>
  readonly #node: string
  readonly #retries: Pick<Retries, 'insist'>
  /** What is held here, by the name of the number. */
  readonly #here = new Map<string, number>()
  /** Numbers whose share may not be what is counted here. */
  readonly #unsettled = new Set<string>()
  #settling = false
  #settled = 0

  constructor(engine: Pick<Engine, 'counters' | 'problem'>, node: string, retries: Pick<Retries, 'insist'>) {
    this.#engine = engine
    this.#node = node
    this.#retries = retries
  }

  /** Numbers of which this node holds something. */
  get size(): number {
    return this.#here.size
  }

  /** How much of a number this node holds. */
  here(name: string): number {
    return this.#here.get(name) ?? 0
  }

  /** How much of it all nodes hold. Rejects when the engine cannot be reached. */
  async total(name: string): Promise<number> {
    return (await this.#engine.counters.add(name, 0, { node: this.#node })) ?? 0
  }

  /** Takes one of each, or of none: then the answer is one that would pass its maximum. */
  async take(counts: readonly Count[]): Promise<Count | undefined> {
    const full = counts.find(({ name, max, isThere }) => isThere !== true && this.here(name) >= max)
    if (full !== undefined) return full
    const settled = this.#settled
    for (const { name } of counts) this.#count(name, 1)
    const answers = await Promise.all(counts.map((count) => this.#ask(count)))
    const refused = counts.find((_, at) => answers[at] === 'refused')
    if (refused === undefined) return undefined
    counts.forEach(({ name }, at) => {
      this.#count(name, -1)
      if (answers[at] === 'taken') this.#giveBack(name)
      // The share was set while the question was under way, and this one with it.
      else if (settled !== this.#settled) this.#unsettle(name)
    })
    return refused
  }

  /** Gives one of each back. */
  leave(names: readonly string[]): void {
    for (const name of names) {
      this.#count(name, -1)
      this.#giveBack(name)
    }
  }

  /** Enters again what this node holds, whatever is left of it. Rejects when the engine refuses; what is not settled then is some time. */
  async restore(): Promise<void> {
    for (const name of this.#here.keys()) this.#unsettled.add(name)
    await this.#settle()
  }

  #count(name: string, by: number): void {
    const count = this.here(name) + by
    if (count > 0) this.#here.set(name, count)
    else this.#here.delete(name)
  }

  // With the engine

  async #ask({ name, max, isThere }: Count): Promise<Answer> {
    if (this.#engine.problem() !== undefined) return this.#unsettle(name)
    try {
      const options = isThere === true ? { node: this.#node } : { node: this.#node, max }
      return (await this.#engine.counters.add(name, 1, options)) === undefined ? 'refused' : 'taken'
    } catch {
      return this.#unsettle(name)
    }
  }

  #giveBack(name: string): void {
    if (this.#unsettled.has(name)) return
    this.#engine.counters.add(name, -1, { node: this.#node }).catch(() => this.#unsettle(name))
  }

  /** Nobody knows what the share is: it will be set. */
  #unsettle(name: string): 'unknown' {
    this.#unsettled.add(name)
    if (!this.#settling) {
      this.#settling = true
      void this.#retries.insist(() => this.#settle())
    }
    return 'unknown'
  }

  async #settle(): Promise<void> {
    while (this.#unsettled.size > 0) {
      const batch: Promise<void>[] = []
      for (const name of this.#unsettled) {
        batch.push(this.#settleOne(name))
        if (batch.length === BATCH) break
      }
      await Promise.all(batch)
    }
    this.#settling = false
  }

  /** One after the other on their way, so that what is asked for later counts on top. */
  async #settleOne(name: string): Promise<void> {
    const { counters } = this.#engine
    const count = this.here(name)
    this.#unsettled.delete(name)
    this.#settled += 1
    const emptied = counters.add(name, -EVERYTHING, { node: this.#node })
    const filled = count > 0 ? counters.add(name, count, { node: this.#node }) : undefined
    try {
      await Promise.all([emptied, filled])
    } catch (error) {
      this.#unsettled.add(name)
      throw error
    }
  }
}
