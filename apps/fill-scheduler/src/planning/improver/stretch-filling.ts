import type { Random } from '../../random.js'
import { ArrangementBuilder } from '../arrangement-builder.js'
import { freshBlock, type LineState } from '../line.js'
import type { Lot } from '../lot.js'
import { type Stretch, stretches } from '../open-time.js'
import type { Arrangement } from '../plan.js'
import { changeoverHours, EPSILON_HOURS, type Rules } from '../rules.js'

/** So many ways to fill one stretch are looked at. */
const STEPS_MAX = 2_000

/** Wasting no more than this before a rest is good enough, in hours. */
const WASTE_HOURS = 0.05

/** How often a lot is passed over, so that the same lots are not always chosen. */
const BLINK = 0.25

/** Stretches of working time that are shorter are not filled, in hours. */
const STRETCH_HOURS_MIN = 0.1

/** After so many stretches it is asked whether it is late. */
const STRETCHES_BETWEEN_ASKING = 16

const NEVER = (): boolean => false

/** What is left of working time before the next rest, or before the window closes. */
interface Room {
  readonly hours: number
  /** Working time before the rest behind which the room lies; a changeover that fits there costs nothing here. */
  readonly beforeHours: number
  readonly previousType: string | undefined
}

/** The best lots for a room so far. */
interface Search {
  readonly candidates: readonly Lot[]
  readonly chosen: Lot[]
  best: readonly Lot[]
  least: number
  steps: number
}

/**
 * Fills one stretch of working time after the other, each with the lots that waste least of it before the rest that ends it, long ones first (after the minimum bin slack heuristic of J. Gupta and J. Ho,
 * 1999); a change of type counts as waste, too. For rules with a calendar; plans that end before `horizonHours` know all their stretches.
 */
export class StretchFilling {
  readonly #lots: readonly Lot[]
  readonly #rules: Rules
  readonly #open: readonly Stretch[]

  constructor(lots: readonly Lot[], rules: Rules, horizonHours: number) {
    this.#lots = lots.toSorted((a, b) => b.fillHours - a.fillHours)
    this.#rules = rules
    const open: Stretch[] = []
    for (const stretch of stretches(0, rules.calendar, STRETCH_HOURS_MIN)) {
      if (stretch.fromHours > horizonHours) break
      open.push(stretch)
    }
    this.#open = open
  }

  /**
   * One plan; with `random` some lots are passed over here and there, so that every call gives another one. Undefined where `isLate` says so before it is done. Throws a `RangeError` for a lot that fits
   * into no window.
   */
  filled(random?: Random, isLate: () => boolean = NEVER): Arrangement | undefined {
    return new Filling(this.#lots, this.#rules, this.#open, random).run(isLate)
  }
}

/** One plan on its way. */
class Filling {
  readonly #rules: Rules
  readonly #builder: ArrangementBuilder
  readonly #random: Random | undefined
  readonly #open: readonly Stretch[]
  /** The longest first. */
  readonly #remaining: Lot[]

  constructor(lots: readonly Lot[], rules: Rules, open: readonly Stretch[], random: Random | undefined) {
    this.#rules = rules
    this.#random = random
    this.#builder = new ArrangementBuilder(rules)
    this.#remaining = [...lots]
    this.#open = open
  }

  run(isLate: () => boolean): Arrangement | undefined {
    for (let count = 1; this.#remaining.length > 0; count++) {
      this.#next()
      if (count % STRETCHES_BETWEEN_ASKING === 0 && isLate()) return undefined
    }
    return this.#builder.arrangement
  }

  #next(): void {
    const line = this.#builder.nextLine
    const state = this.#builder.line(line)
    const inBlock = state.closesHours === undefined ? [] : this.#chosen(state)
    const [first] = inBlock
    if (first !== undefined && this.#builder.fits(line, first)) return this.#place(line, inBlock)
    const cleaned = freshBlock(state, [], this.#rules)?.after ?? state
    const [opening = this.#remaining[0], ...others] = this.#chosen(cleaned)
    if (opening === undefined) return
    this.#builder.placeInNewBlock(line, opening)
    this.#take(opening)
    this.#place(line, others)
  }

  /** Those of them that fit where they come to stand. */
  #place(line: number, lots: readonly Lot[]): void {
    for (const lot of lots) {
      if (!this.#builder.fits(line, lot)) continue
      this.#builder.place(line, lot)
      this.#take(lot)
    }
  }

  #take(lot: Lot): void {
    this.#remaining.splice(this.#remaining.indexOf(lot), 1)
  }

  /** The lots that fill the first room that any fits into. */
  #chosen(state: LineState): readonly Lot[] {
    let beforeHours = 0
    for (let at = firstEndingAfter(this.#open, state.freeHours); at < this.#open.length; at++) {
      const { fromHours, toHours } = this.#open[at] ?? { fromHours: Infinity, toHours: Infinity }
      const from = Math.max(fromHours, state.freeHours)
      const to = Math.min(toHours, state.closesHours ?? Infinity)
      if (from >= to) return []
      const lots = this.#fill({ hours: to - from, beforeHours, previousType: state.previousType })
      if (lots.length > 0) return lots
      beforeHours = Math.max(beforeHours, to - from)
    }
    return []
  }

  #fill(room: Room): readonly Lot[] {
    const candidates = this.#remaining.filter(
      (lot) => lot.fillHours <= room.hours && (this.#random === undefined || this.#random() >= BLINK),
    )
    const search = { candidates, chosen: [], best: [], least: Infinity, steps: 0 }
    this.#descend(search, room, 0, 0)
    return search.best
  }

  /** Tries what may follow the lots that are chosen, those before `from` being tried already. */
  #descend(search: Search, room: Room, from: number, extraHours: number): void {
    const { candidates, chosen } = search
    const { hours: left, beforeHours, previousType: previous } = room
    const waste = this.#waste(left, previous) + extraHours
    if (chosen.length > 0 && waste < search.least - EPSILON_HOURS) {
      search.best = [...chosen]
      search.least = waste
    }
    for (let at = from; at < candidates.length && search.least > WASTE_HOURS && search.steps < STEPS_MAX; at++) {
      const lot = candidates[at]
      if (lot === undefined) return
      search.steps++
      const changeover = changeoverHours(this.#rules.changeover, previous, lot.type)
      const hours = left - lot.fillHours - (changeover <= beforeHours + EPSILON_HOURS ? 0 : changeover)
      if (hours < -EPSILON_HOURS) continue
      chosen.push(lot)
      const after = { hours, beforeHours: 0, previousType: lot.type }
      this.#descend(search, after, at + 1, extraHours + this.#extra(previous, lot.type))
      chosen.pop()
    }
  }

  /** How much longer the changeover is than staying with the type. */
  #extra(previous: string | undefined, type: string): number {
    const { changeover } = this.#rules
    return (
      changeoverHours(changeover, previous, type) -
      changeoverHours(changeover, previous === undefined ? undefined : type, type)
    )
  }

  /** What is left and too short for the next changeover. */
  #waste(leftHours: number, previous: string | undefined): number {
    const hours = previous === undefined ? 0 : changeoverHours(this.#rules.changeover, previous, previous)
    return leftHours >= hours ? leftHours - hours : leftHours
  }
}

function firstEndingAfter(open: readonly Stretch[], hours: number): number {
  let low = 0
  let high = open.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((open[middle]?.toHours ?? Infinity) > hours) high = middle
    else low = middle + 1
  }
  return low
}
