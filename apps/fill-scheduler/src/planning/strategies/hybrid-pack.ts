import type { Settings } from '../settings.js'
import { classicScorePicker, type ScoreFormula } from './classic-score.js'
import { FILL_WEIGHTS, type FitScore, improvedScorePicker } from './improved-score.js'
import { heuristicStrategy } from './heuristic.js'

/** The score of `smart-pack` with a liking for staying with a type, and for short lots of it. */
export const hybridPack = heuristicStrategy({
  name: 'hybrid-pack',
  aliases: ['hybrid', 'hybridpack'],
  description: 'Weighs like smart-pack, but prefers to stay with a type and to fill its short lots first.',
  ordered: ({ lots }) => lots,
  picksInOrder: false,
  classicPicker: (lots, { rules, settings }) => classicScorePicker(lots, rules, settings, classicFormula(settings)),
  improvedPickers: FILL_WEIGHTS.map(
    (fillWeight) =>
      (lots, { rules, settings }) =>
        improvedScorePicker(lots, rules, settings, improvedFormula(settings, fillWeight)),
  ),
})

function classicFormula(settings: Settings): ScoreFormula {
  const { slackWasteWeight, streakBonus } = settings.strategies.smartPack
  const { sameTypeBonus, sptWeight, switchPenaltyMult } = settings.strategies.hybridPack
  return {
    // A slip of the reference (it meant to drop what is impossible), kept because its results are expected.
    above: -1e-9,
    score({ needHours, penalty, wasteHours, isFirst, isSameType, fillHours, shortestFillHours }) {
      const stays = isFirst || isSameType
      const score = needHours - penalty * switchPenaltyMult - slackWasteWeight * wasteHours
      const liking = stays
        ? streakBonus + sameTypeBonus + sptWeight / Math.max(fillHours, 1e-6)
        : Math.max(0, 2 - 0.02 * shortestFillHours)
      return score + liking - 0.005 * fillHours
    },
  }
}

function improvedFormula(settings: Settings, fillWeight: number): FitScore {
  const { slackWasteWeight, streakBonus } = settings.strategies.smartPack
  const { sameTypeBonus, sptWeight, switchPenaltyMult } = settings.strategies.hybridPack
  return ({ fillHours, penalty, wasteHours, stays, shortestFillHours }) => {
    const score = fillWeight * fillHours - penalty * switchPenaltyMult - slackWasteWeight * wasteHours
    return (
      score +
      (stays
        ? streakBonus + sameTypeBonus + sptWeight / Math.max(fillHours, 1e-6)
        : Math.max(0, 2 - 0.02 * shortestFillHours))
    )
  }
}
