import type { Instance } from './instance.js'
import type { Pattern } from './pattern.js'

/** Bits of one half of a set; two halves are one exact number. */
const HALF_BITS = 26

/** After so many steps it is asked whether to go on. */
const STEPS_BETWEEN_ASKING = 1_024

/** So many sets that cannot be completed are remembered. */
const DEAD_ENDS_MAX = 500_000

/** A pattern, and what it costs more than the prices say it should: what the choices of a plan may cost together is limited by `spareHours`. */
export interface PricedPattern {
  readonly pattern: Pattern
  readonly extraHours: number
}

/** Blocks that fill every lot once and take at most `hoursMax`. */
interface CoverGoal {
  readonly spareHours: number
  readonly hoursMax: number
  /** What they may leave of all their windows together. */
  readonly slackHoursMax: number
  readonly blocksMax: number
  /** Patterns looked at before it gives up. */
  readonly stepsMax: number
  /** Asked now and then; it ends when it answers true. */
  readonly over: () => boolean
}

/** What the search came to: blocks, or, when it was `complete`, that there are none. */
interface Cover {
  readonly blocks?: readonly Pattern[]
  readonly complete: boolean
}

/**
 * Looks for blocks that fill every lot once, by trying: the class that the fewest patterns hold is filled by each of them in turn, and only patterns that still fit beside it go on. Where blocks hold many
 * lots that leaves few after two or three, and this is faster than a solver that knows nothing but rows. Sets of lots that were tried in vain are not tried again.
 */
export function findCover(instance: Instance, patterns: readonly PricedPattern[], goal: CoverGoal): Cover {
  return new CoverSearch(instance, patterns, goal).run()
}

/** What is left to spare, and of the slack, when a set of lots was filled in so many hours and blocks. */
interface State {
  readonly spare: number
  readonly slack: number
  readonly hours: number
  readonly blocks: number
}

/** Nothing can be done from the state that could not be done from the other, which was tried in vain. */
function isNoBetter(state: State, tried: State | undefined): boolean {
  if (tried === undefined || state.blocks < tried.blocks || state.hours < tried.hours - 1e-9) return false
  return state.spare <= tried.spare && state.slack <= tried.slack + 1e-9
}

class CoverSearch {
  readonly #patterns: readonly PricedPattern[]
  readonly #goal: CoverGoal
  /** Lots of each class that are left. */
  readonly #left: number[]
  readonly #entries: readonly (readonly (readonly [index: number, count: number])[])[]
  readonly #low: Int32Array
  readonly #high: Int32Array
  /** Classes with several lots are compared by count, the others as bits. */
  readonly #single: readonly boolean[]
  readonly #remembers: boolean
  readonly #chosen: number[] = []
  readonly #deadEnds = new Map<number, State>()
  #steps = 0
  #ended = false

  constructor(instance: Instance, patterns: readonly PricedPattern[], goal: CoverGoal) {
    this.#patterns = patterns
    this.#goal = goal
    this.#left = instance.classes.map(({ lots }) => lots.length)
    this.#single = instance.classes.map(({ lots }, index) => lots.length === 1 && index < 2 * HALF_BITS)
    this.#remembers = this.#single.every(Boolean)
    this.#entries = patterns.map(({ pattern }) =>
      pattern.counts.flatMap((count, index): [number, number][] => (count > 0 ? [[index, count]] : [])),
    )
    this.#low = Int32Array.from(this.#entries, (entries) => this.#bits(entries, 0))
    this.#high = Int32Array.from(this.#entries, (entries) => this.#bits(entries, HALF_BITS))
  }

  run(): Cover {
    const all = Int32Array.from(this.#patterns.keys())
    const { spareHours, slackHoursMax } = this.#goal
    const found = this.#complete(all, 0, 0, { spare: spareHours, slack: slackHoursMax, hours: 0, blocks: 0 })
    if (!found) return { complete: !this.#ended }
    return { blocks: this.#chosen.flatMap((index) => this.#patterns[index]?.pattern ?? []), complete: true }
  }

  /** Fills what is left from these patterns, which all fit into it; true when it could. The two numbers are the set of lots that are filled. */
  #complete(fitting: Int32Array, low: number, high: number, state: State): boolean {
    const target = this.#rarest(fitting)
    if (target === 'none') return true
    if (target === 'dead' || state.blocks >= this.#goal.blocksMax) return false
    const key = high * 2 ** HALF_BITS + low
    if (this.#remembers && isNoBetter(state, this.#deadEnds.get(key))) return false
    for (const index of fitting) {
      const next = this.#holds(index, target) ? this.#after(state, index) : undefined
      if (next !== undefined && this.#try(index, fitting, low, high, next)) return true
      if (this.#ended) return false
    }
    if (this.#remembers && this.#deadEnds.size < DEAD_ENDS_MAX) this.#deadEnds.set(key, state)
    return false
  }

  #after(state: State, index: number): State | undefined {
    const { extraHours, pattern } = this.#patterns[index] ?? {}
    if (extraHours === undefined || pattern === undefined) return undefined
    const spare = state.spare - Math.max(0, extraHours)
    const slack = state.slack - Math.max(0, pattern.slackHours)
    const hours = state.hours + pattern.hours
    if (spare < 0 || slack < 0 || hours > this.#goal.hoursMax) return undefined
    return { spare, slack, hours, blocks: state.blocks + 1 }
  }

  #try(index: number, fitting: Int32Array, low: number, high: number, state: State): boolean {
    this.#take(index, -1)
    this.#chosen.push(index)
    const rest = this.#fittingBeside(index, fitting, state)
    const nextLow = low | (this.#low[index] ?? 0)
    const nextHigh = high | (this.#high[index] ?? 0)
    if (!this.#ended && this.#complete(rest, nextLow, nextHigh, state)) return true
    this.#chosen.pop()
    this.#take(index, 1)
    return false
  }

  #fittingBeside(index: number, fitting: Int32Array, { spare, slack }: State): Int32Array {
    const low = this.#low[index] ?? 0
    const high = this.#high[index] ?? 0
    this.#count(fitting.length)
    return fitting.filter(
      (other) =>
        ((this.#low[other] ?? 0) & low) === 0 &&
        ((this.#high[other] ?? 0) & high) === 0 &&
        (this.#patterns[other]?.extraHours ?? 0) <= spare &&
        (this.#patterns[other]?.pattern.slackHours ?? 0) <= slack &&
        this.#fits(other),
    )
  }

  #fits(index: number): boolean {
    return (this.#entries[index] ?? []).every(
      ([at, count]) => this.#single[at] === true || count <= (this.#left[at] ?? 0),
    )
  }

  /** The class with lots left that the fewest patterns hold; `dead`: one is held by none. */
  #rarest(fitting: Int32Array): number | 'none' | 'dead' {
    const holders = this.#left.map(() => 0)
    for (const index of fitting) {
      for (const [at] of this.#entries[index] ?? []) holders[at] = (holders[at] ?? 0) + 1
    }
    let rarest: number | 'none' = 'none'
    for (const [at, count] of holders.entries()) {
      if (this.#left[at] === 0) continue
      if (count === 0) return 'dead'
      if (rarest === 'none' || count < (holders[rarest] ?? 0)) rarest = at
    }
    return rarest
  }

  #holds(index: number, at: number): boolean {
    return (this.#patterns[index]?.pattern.counts[at] ?? 0) > 0
  }

  #take(index: number, sign: 1 | -1): void {
    for (const [at, count] of this.#entries[index] ?? []) this.#left[at] = (this.#left[at] ?? 0) + sign * count
  }

  #count(patterns: number): void {
    const before = Math.floor(this.#steps / STEPS_BETWEEN_ASKING)
    this.#steps += patterns + 1
    if (this.#steps > this.#goal.stepsMax) this.#ended = true
    if (Math.floor(this.#steps / STEPS_BETWEEN_ASKING) !== before && this.#goal.over()) this.#ended = true
  }

  #bits(entries: readonly (readonly [number, number])[], from: number): number {
    return entries.reduce(
      (bits, [at]) =>
        this.#single[at] === true && at >= from && at < from + HALF_BITS ? bits | (1 << (at - from)) : bits,
      0,
    )
  }
}
