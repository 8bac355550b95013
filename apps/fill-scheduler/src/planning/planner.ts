import { InputError, type Problem } from '../problem.js'
import { givenOrder } from './given-order.js'
import { kpisOf } from './kpis.js'
import { remainingLots } from './replan.js'
import type { Rules } from './rules.js'
import { statisticsOf } from './statistics.js'
import { HEURISTICS } from './strategies/heuristics.js'
import { STRATEGIES } from './strategies/strategies.js'
import type { StrategyName } from './strategy-name.js'
import type { Planned, PlanningResult, PlanningTask, Strategy } from './strategy.js'
import { timetable } from './timetable.js'

/**
 * Plans with one strategy, or in the order given: decisions, times, figures, proof. Rejects with an `InputError` where
 * `refusals` has something to say, and with the signal's reason once that is aborted. Lots have to be valid
 * (`validateLots`); whether the plan is, is for `validatePlan` to say.
 */
export async function planLots(task: PlanningTask, name: StrategyName | 'given'): Promise<PlanningResult> {
  const began = task.now()
  const problems = refusals(task, name)
  if (problems.length > 0) throw new InputError(problems)
  task.signal?.throwIfAborted()
  const { arrangement, proof } = await decide(task, name)
  const plan = timetable(arrangement, task.rules)
  const statistics = statisticsOf(plan, task.lots, task.rules)
  return {
    strategy: name,
    mode: task.mode,
    plan,
    kpis: kpisOf(statistics),
    statistics,
    ...(proof === undefined ? {} : { proof }),
    elapsedMs: task.now() - began,
  }
}

/** Why this strategy cannot be asked for these lots, rules and settings: errors that name the setting. Empty: it can. */
export function refusals(
  task: Pick<PlanningTask, 'lots' | 'rules' | 'settings' | 'mode'>,
  name: StrategyName | 'given',
): readonly Problem[] {
  if (name === 'given') return []
  const strategy = strategyNamed(name)
  const notAllowed = task.settings.allowedStrategies?.includes(name) === false
  return [
    ...(notAllowed ? [notAllowedProblem(name, task.settings.allowedStrategies ?? [])] : []),
    ...(task.mode === 'classic' && HEURISTICS.includes(strategy) ? classicRefusals(task.rules) : []),
    ...(strategy.refusals?.(task) ?? []),
  ]
}

/** What begun work has filled, or is filling, is not planned again. */
async function decide(task: PlanningTask, name: StrategyName | 'given'): Promise<Planned> {
  const lots = remainingLots(task.lots, task.rules.starts)
  if (lots.length === 0) return { arrangement: task.rules.starts === undefined ? [[[]]] : [] }
  return name === 'given' ? { arrangement: givenOrder(lots, task.rules) } : strategyNamed(name).plan({ ...task, lots })
}

function strategyNamed(name: StrategyName): Strategy {
  const strategy = STRATEGIES.find((known) => known.name === name)
  if (strategy === undefined) throw new Error(`there is no strategy ${name}`)
  return strategy
}

function notAllowedProblem(name: StrategyName, allowed: readonly StrategyName[]): Problem {
  return {
    severity: 'error',
    code: 'strategy_not_allowed',
    message: `strategy must be one of ${allowed.join(', ')} (allowedStrategies), received ${name}`,
    field: 'allowedStrategies',
  }
}

function classicRefusals(rules: Rules): readonly Problem[] {
  const problem = (field: string, needs: string): Problem => ({
    severity: 'error',
    code: 'unsupported_by_classic',
    message: `mode classic needs ${needs}; use mode improved`,
    field,
  })
  return [
    ...(rules.lines > 1 ? [problem('lines', `lines to be 1, received ${rules.lines}`)] : []),
    ...(rules.calendar === undefined ? [] : [problem('calendar', 'no calendar')]),
  ]
}
