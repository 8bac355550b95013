import { slotInOpenBlock, type LineState } from '../line.js'
import type { Lot } from '../lot.js'
import { EPSILON_HOURS, type Rules } from '../rules.js'
import type { Settings } from '../settings.js'
import type { LinePicker } from './improved-loop.js'
import { ChangeoverTable } from './changeover-table.js'
import { RemainingFills } from './remaining-fills.js'

/** What a formula is computed from. */
export interface FitTerms {
  readonly fillHours: number
  /** The penalty of the changeover, 0 for the first lot of a block. */
  readonly penalty: number
  /** What would remain of the window, if none of the other lots fitted then; else 0. */
  readonly wasteHours: number
  /** Of the type filled last, or the first of a block. */
  readonly stays: boolean
  /** Of the lots of this type that remain, the one itself included. */
  readonly shortestFillHours: number
}

/** A formula; every lot that fits may be picked, the highest score first. */
export type FitScore = (terms: FitTerms) => number

/**
 * What an hour of filling is worth beside an hour of changeover or waste. Much makes long lots come first, which packs
 * lots of half a window well; little makes types stay together, which is better for many short ones.
 */
export const FILL_WEIGHTS: readonly number[] = [0.2, 1, 0.05]

const IMPOSSIBLE = -Infinity
/** What certainly does not fit is not scored; whether the rest does, the score says. */
const ROOM_TOLERANCE_HOURS = 1e-6
/** How much of the score of the lot after next counts. */
const LOOK_AHEAD = 0.25

/**
 * Picks by a score with a look one lot ahead, over the best few (beam). Other than in the reference, what is estimated
 * to fit later counts only lots that are still there then, a changeover is never a merit, and its penalty follows its
 * length where a matrix names one. A lot that would be late if it had to wait for another window is urgent: it gains
 * what its delay costs.
 */
export function improvedScorePicker(
  lots: readonly Lot[],
  rules: Rules,
  settings: Settings,
  formula: FitScore,
): LinePicker {
  const scores = new FitScores(lots, rules, settings, formula)
  const { beamWidth } = settings.strategies.smartPack
  return {
    next(remaining, line) {
      let picked: number | undefined
      let best = -Infinity
      for (const { index, lot, score } of scores.best(remaining, line, beamWidth)) {
        const sum = score + LOOK_AHEAD * scores.bestAfter(line, lot)
        if (sum > best) [best, picked] = [sum, index]
      }
      return picked
    },
    taken: (lot) => scores.take(lot),
  }
}

interface Candidate {
  readonly index: number
  readonly lot: Lot
  readonly score: number
}

/** Scores of lots where they would be filled next. */
class FitScores {
  readonly #rules: Rules
  readonly #weights: Settings['strategies']['smartPack']
  readonly #formula: FitScore
  readonly #types: ChangeoverTable
  readonly #numbers: Map<Lot, number>
  readonly #fills: RemainingFills

  constructor(lots: readonly Lot[], rules: Rules, settings: Settings, formula: FitScore) {
    this.#rules = rules
    this.#weights = settings.strategies.smartPack
    this.#formula = formula
    this.#types = new ChangeoverTable(lots, rules)
    this.#numbers = new Map(lots.map((lot) => [lot, this.#types.numberOf(lot.type)]))
    this.#fills = new RemainingFills(lots, this.#types)
  }

  take(lot: Lot): void {
    this.#fills.take(lot)
  }

  /** The `width` best that fit, best first; of equal ones the earlier first. */
  best(remaining: readonly Lot[], line: LineState, width: number): readonly Candidate[] {
    const score = this.#scoreOn(line)
    const beam: Candidate[] = []
    for (const [index, lot] of remaining.entries()) {
      const candidate = { index, lot, score: score(lot) }
      if (candidate.score === IMPOSSIBLE) continue
      let place = beam.length
      while (place > 0 && (beam[place - 1]?.score ?? 0) < candidate.score) place -= 1
      if (place >= width) continue
      beam.splice(place, 0, candidate)
      if (beam.length > width) beam.pop()
    }
    return beam
  }

  /** The best score of another lot right behind this one; 0 where none is above. */
  bestAfter(line: LineState, lot: Lot): number {
    const [previous, type] = [this.#types.numberOf(line.previousType), this.#numbers.get(lot) ?? 0]
    const freeHours = this.#fillEnd(line, lot, previous, type)
    const roomHours = (line.closesHours ?? Infinity) - this.#weights.utilPadHours - freeHours + ROOM_TOLERANCE_HOURS
    return this.#fills.without(lot, () => {
      const score = this.#scoreOn({ ...line, freeHours, previousType: lot.type })
      let best = 0
      this.#fills.within(
        (next) => roomHours - this.#types.changeover(type, next),
        (next) => {
          best = Math.max(best, score(next))
        },
      )
      return best
    })
  }

  #scoreOn(line: LineState): (lot: Lot) => number {
    const { windowHours } = this.#rules
    const closesHours = (line.closesHours ?? Infinity) - this.#weights.utilPadHours
    const previous = this.#types.numberOf(line.previousType)
    const used = Math.min(1, Math.max(0, 1 - ((line.closesHours ?? 0) - line.freeHours) / windowHours))
    const { dynamicSwitchMultMin: atFirst, dynamicSwitchMultMax: atLast } = this.#weights
    const factor = atFirst + (atLast - atFirst) * used
    const { first, second } = this.#fills
    const leastNeeds = this.#types.leastNeeds(first)
    const leastNeedsButOne = this.#types.leastNeedsButOne(first, second)
    return (lot) => {
      const type = this.#numbers.get(lot) ?? 0
      const endHours = this.#fillEnd(line, lot, previous, type)
      const leftHours = closesHours - endHours
      if (!(leftHours >= -EPSILON_HOURS)) return IMPOSSIBLE
      const isShortest = lot.fillHours <= (first[type] ?? 0)
      const leastNeed = (isShortest ? leastNeedsButOne : leastNeeds)[type] ?? Infinity
      const score = this.#formula({
        fillHours: lot.fillHours,
        penalty: this.#penalty(previous, type) * factor,
        wasteHours: leastNeed > leftHours + EPSILON_HOURS ? Math.max(0, leftHours) : 0,
        stays: previous < 0 || previous === type,
        shortestFillHours: first[type] ?? Infinity,
      })
      return score + this.#urgency(lot, endHours)
    }
  }

  /** A changeover of usual length is as bad as the settings say, another one by the hours that it is longer. */
  #penalty(previous: number, type: number): number {
    if (previous < 0) return 0
    const { changeover } = this.#rules
    const same = previous === type
    const usual = same ? changeover.sameTypeHours : changeover.differentTypeHours
    const weight = same ? this.#weights.scoreBeta : this.#weights.scoreAlpha
    return Math.max(0, weight + this.#types.changeover(previous, type) - usual)
  }

  #urgency({ dueHours, priority = 1 }: Lot, endHours: number): number {
    if (dueHours === undefined) return 0
    const { latePenaltyPerHour, windowHours } = this.#rules
    return latePenaltyPerHour * priority * Math.max(0, windowHours - Math.max(0, dueHours - endHours))
  }

  #fillEnd(line: LineState, lot: Lot, previous: number, type: number): number {
    const atOnce = line.freeHours + (previous < 0 ? 0 : this.#types.changeover(previous, type)) + lot.fillHours
    // Working time is asked only where the lot would fit without a rest.
    if (this.#rules.calendar === undefined || atOnce > (line.closesHours ?? Infinity) + EPSILON_HOURS) return atOnce
    return slotInOpenBlock(line, lot, this.#rules)?.fillEnd ?? Infinity
  }
}
