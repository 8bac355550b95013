import type { Lot } from '../lot.js'
import { EPSILON_HOURS, type Rules } from '../rules.js'
import type { Settings } from '../settings.js'
import type { OpenBlock, Picker } from './classic-loop.js'
import { ChangeoverTable } from './changeover-table.js'
import { RemainingFills } from './remaining-fills.js'

/** What a score depends on beside the lot: type filled last (-1: none) and how much of the window is used. */
interface Situation {
  readonly previous: number
  readonly usedHours: number
}

/** What a formula is computed from. */
export interface ScoreTerms {
  readonly fillHours: number
  readonly needHours: number
  /** The penalty of the changeover, 0 for the first lot of a block. */
  readonly penalty: number
  /** What would remain of the window, if nothing more fits then; else 0. */
  readonly wasteHours: number
  readonly isFirst: boolean
  readonly isSameType: boolean
  /** Of the lots of this type that remain, the one itself included. */
  readonly shortestFillHours: number
}

/** A formula, and from which score on a lot may be picked at all. */
export interface ScoreFormula {
  readonly above: number
  score(terms: ScoreTerms): number
}

const IMPOSSIBLE = -1e9
/** What certainly does not fit is not scored; whether the rest does, the score says. */
const ROOM_TOLERANCE_HOURS = 1e-6
/** How much of the score of the lot after next counts. */
const LOOK_AHEAD = 0.25

/**
 * Picks by a score with a look one lot ahead, over the best few (beam). The reference asks for the smallest need of all
 * remaining lots, the candidate included, in each score; that depends on the type of the candidate alone, so it is
 * computed once per type and pick: the same decisions in quadratic instead of cubic time.
 */
export function classicScorePicker(
  lots: readonly Lot[],
  rules: Rules,
  settings: Settings,
  formula: ScoreFormula,
): Picker {
  const { beamWidth, utilPadHours, ...weights } = settings.strategies.smartPack
  const types = new ChangeoverTable(lots, rules)
  const fills = new RemainingFills(lots, types)
  const numbers = new Map(lots.map((lot) => [lot, types.numberOf(lot.type)]))
  const capacity = rules.windowHours - utilPadHours
  let leastNeeds: Float64Array = new Float64Array()

  function penaltyFactor(usedHours: number): number {
    const used = Math.min(1, Math.max(0, usedHours / rules.windowHours))
    return weights.dynamicSwitchMultMin + (weights.dynamicSwitchMultMax - weights.dynamicSwitchMultMin) * used
  }

  function scoreIn({ previous, usedHours }: Situation): (lot: Lot) => number {
    const factor = penaltyFactor(usedHours)
    return (lot) => {
      const type = numbers.get(lot) ?? -1
      const needHours = needIn(previous, lot, type)
      if (usedHours + needHours > capacity + EPSILON_HOURS) return IMPOSSIBLE
      const isSameType = type === previous
      const left = capacity - (usedHours + needHours)
      return formula.score({
        fillHours: lot.fillHours,
        needHours,
        penalty: previous < 0 ? 0 : (isSameType ? weights.scoreBeta : weights.scoreAlpha) * factor,
        wasteHours: (leastNeeds[type] ?? Infinity) > left ? left : 0,
        isFirst: previous < 0,
        isSameType,
        shortestFillHours: fills.first[type] ?? Infinity,
      })
    }
  }

  function needIn(previous: number, lot: Lot, type: number): number {
    return (previous < 0 ? 0 : types.changeover(previous, type)) + lot.fillHours
  }

  function bestNext(lot: Lot, { previous, usedHours }: Situation): number {
    const type = numbers.get(lot) ?? -1
    const usedThen = usedHours + needIn(previous, lot, type)
    const score = scoreIn({ previous: type, usedHours: usedThen })
    const roomHours = capacity - usedThen + ROOM_TOLERANCE_HOURS
    let best = 0
    fills.within(
      (next) => roomHours - types.changeover(type, next),
      (next) => {
        if (next !== lot) best = Math.max(best, score(next))
      },
    )
    return best
  }

  return {
    pick(remaining: readonly Lot[], block: OpenBlock) {
      leastNeeds = types.leastNeeds(fills.first)
      const situation = { previous: types.numberOf(block.previousType), usedHours: block.usedHours }
      const beam = bestOf(remaining, scoreIn(situation), Math.max(IMPOSSIBLE, formula.above), beamWidth)
      let picked: number | undefined
      let best = -Infinity
      for (const { index, lot, score } of beam) {
        const sum = score + LOOK_AHEAD * bestNext(lot, situation)
        if (sum > best) [best, picked] = [sum, index]
      }
      return picked
    },
    taken: (lot) => fills.take(lot),
  }
}

interface Candidate {
  readonly index: number
  readonly lot: Lot
  readonly score: number
}

/** The `width` best above a score, best first; of equal ones the earlier first. */
function bestOf(lots: readonly Lot[], score: (lot: Lot) => number, above: number, width: number): Candidate[] {
  const beam: Candidate[] = []
  for (const [index, lot] of lots.entries()) {
    const candidate = { index, lot, score: score(lot) }
    if (candidate.score <= above) continue
    let place = beam.length
    while (place > 0 && (beam[place - 1]?.score ?? 0) < candidate.score) place -= 1
    if (place >= width) continue
    beam.splice(place, 0, candidate)
    if (beam.length > width) beam.pop()
  }
  return beam
}
