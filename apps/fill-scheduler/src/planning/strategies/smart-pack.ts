import type { Settings } from '../settings.js'
import { classicScorePicker, type ScoreFormula } from './classic-score.js'
import { FILL_WEIGHTS, type FitScore, improvedScorePicker } from './improved-score.js'
import { heuristicStrategy } from './heuristic.js'

/** Scores each lot by what it uses of the window, what it switches and what it wastes, and looks one lot ahead. */
export const smartPack = heuristicStrategy({
  name: 'smart-pack',
  aliases: ['smart', 'smartpack'],
  description: 'Weighs window use, type switches and wasted window time, looking one lot ahead; a good first choice.',
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
  return {
    above: -Infinity,
    score: ({ needHours, penalty, wasteHours, isSameType, fillHours }) =>
      needHours - penalty - slackWasteWeight * wasteHours + (isSameType ? streakBonus : 0) - 0.01 * fillHours,
  }
}

function improvedFormula(settings: Settings, fillWeight: number): FitScore {
  const { slackWasteWeight, streakBonus } = settings.strategies.smartPack
  return ({ fillHours, penalty, wasteHours, stays }) =>
    fillWeight * fillHours - penalty - slackWasteWeight * wasteHours + (stays ? streakBonus : 0)
}
