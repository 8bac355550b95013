import { InputError, type Problem } from '../../problem.js'
import type { Lot } from '../lot.js'
import { EPSILON_HOURS, type Rules } from '../rules.js'
import type { Settings } from '../settings.js'
import { fewestBlocks } from './fewest-blocks.js'
import { instanceOf } from './instance.js'

/** Why `exact` does not plan these lots under these rules, every reason at once, each an error that names the setting; empty when it does. Asked before planning; the strategy asks, too. */
export function exactRefusals(lots: readonly Lot[], rules: Rules, settings: Settings): Problem[] {
  const unsupported = unsupportedRules(lots, rules)
  return [...unsupported, ...tooMuch(lots, rules, settings, unsupported.length === 0)]
}

/** Refuses with an `InputError` what `exactRefusals` names. */
export function refuseUnlessExact(lots: readonly Lot[], rules: Rules, settings: Settings): void {
  const problems = exactRefusals(lots, rules, settings)
  if (problems.length > 0) throw new InputError(problems)
}

/** The problem with a plan of this many blocks, where that is more than is allowed. */
export function tooManyBlocks(blocks: number, settings: Settings): Problem {
  const { maxBlocks } = settings.strategies.exact
  return refusal(
    'too_many_blocks',
    'strategies.exact.maxBlocks',
    `strategies.exact.maxBlocks allows exact plans of at most ${maxBlocks} blocks, these lots need ${blocks}`,
  )
}

function unsupportedRules(lots: readonly Lot[], rules: Rules): Problem[] {
  const problems: Problem[] = []
  const refuse = (field: string, message: string): void =>
    void problems.push(refusal('unsupported_by_exact', field, message))
  if (rules.lines > 1) refuse('lines', `exact plans one line only, lines is ${rules.lines}; improver plans several`)
  if (rules.calendar !== undefined) refuse('calendar', 'exact knows no calendar: remove calendar, or choose improver')
  if (
    (rules.starts ?? []).some(
      (start) => start.freeHours > EPSILON_HOURS || start.open !== undefined || start.activities.length > 0,
    )
  ) {
    refuse('strategy', 'exact plans from an idle line and cannot go on with a running plan; choose improver')
  }
  if (rules.latePenaltyPerHour > 0 && lots.some(({ dueHours }) => dueHours !== undefined)) {
    const penalty = rules.latePenaltyPerHour
    refuse(
      'dueDates.latePenaltyPerHour',
      `exact knows no late costs: dueDates.latePenaltyPerHour must be 0 where lots have due dates, it is ${penalty}`,
    )
  }
  return problems
}

function tooMuch(lots: readonly Lot[], rules: Rules, settings: Settings, supported: boolean): Problem[] {
  const { maxLots, maxBlocks } = settings.strategies.exact
  if (lots.length > maxLots) {
    const message = `strategies.exact.maxLots allows exact plans of at most ${maxLots} lots, there are ${lots.length}`
    return [refusal('too_many_lots', 'strategies.exact.maxLots', message)]
  }
  if (!supported || lots.length === 0) return []
  const blocks = fewestBlocks(instanceOf(lots, rules)).all
  return blocks > maxBlocks ? [tooManyBlocks(blocks, settings)] : []
}

function refusal(code: string, field: string, message: string): Problem {
  return { severity: 'error', code, field, message }
}
