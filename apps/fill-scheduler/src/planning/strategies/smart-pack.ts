import type { Settings } from '../settings.js'
import { classicScorePicker, type ScoreFormula } from './classic-score.js'
import { heuristicStrategy } from './heuristic.js'

/** Scores each lot by what it uses of the window, what it switches and what it wastes, and looks one lot ahead. */
export const smartPack = heuristicStrategy({
  name: 'smart-pack',
  aliases: ['smart', 'smartpack'],
  description: 'Weighs window use, type switches and wasted window time, looking one lot ahead; a good first choice.',
  ordered: ({ lots }) => lots,
  classicPicker: (lots, { rules, settings }) => classicScorePicker(lots, rules, settings, classicFormula(settings)),
})

function classicFormula(settings: Settings): ScoreFormula {
  const { slackWasteWeight, streakBonus } = settings.strategies.smartPack
  return {
    above: -Infinity,
    score: ({ needHours, penalty, wasteHours, isSameType, fillHours }) =>
      needHours - penalty - slackWasteWeight * wasteHours + (isSameType ? streakBonus : 0) - 0.01 * fillHours,
  }
}
