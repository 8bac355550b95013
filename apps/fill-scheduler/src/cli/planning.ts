import { basename, resolve } from 'node:path'
import { distinctProblems } from '../io/distinct-problems.js'
import { readLots } from '../io/lots-csv.js'
import { rulesOf } from '../io/rules-of.js'
import type { Lot } from '../planning/lot.js'
import type { Settings } from '../planning/settings.js'
import type { PlanningResult } from '../planning/strategy.js'
import type { StrategyName } from '../planning/strategy-name.js'
import { remainingLots } from '../planning/replan.js'
import { validateLots } from '../planning/validate-lots.js'
import { validatePlan } from '../planning/validate-plan.js'
import { InputError, type Problem } from '../problem.js'
import { planInThread } from '../runs/plan-in-thread.js'
import type { PlanInput } from '../store/store.js'
import { readInput } from './input-files.js'
import { ProgressLine } from './progress-line.js'
import type { Shell } from './shell.js'

/** Lots that can be planned, and warnings about them. */
export interface LoadedLots {
  readonly path: string
  readonly lots: readonly Lot[]
  readonly problems: readonly Problem[]
}

/** Reads and checks the file of lots; with `frozen` work, those that are still to be planned behind it. All are answered: what is late counts also where it was filled before. @throws InputError with every problem, row by row; Failure where it cannot be read. */
export async function loadLots(settings: Settings, shell: Shell, frozen?: PlanInput['frozen']): Promise<LoadedLots> {
  const path = resolve(shell.cwd, settings.data)
  const read = readLots(await readInput(path, '--data'), settings)
  refuseErrors(read.problems)
  const rules = rulesOf(settings, frozen)
  const problems = distinctProblems([...read.problems, ...validateLots(remainingLots(read.lots, rules.starts), rules)])
  refuseErrors(problems)
  return { path, lots: read.lots, problems }
}

/** What to plan, and whether the plan is looked at when it is done. */
export interface PlanOrder {
  readonly lots: readonly Lot[]
  readonly settings: Settings
  readonly strategy: StrategyName | 'given'
  readonly frozen?: NonNullable<PlanInput['frozen']>
  readonly validation: boolean
}

/** A plan, and what is to be said about it: warnings. */
export interface CheckedPlan {
  readonly result: PlanningResult
  readonly problems: readonly Problem[]
}

/** Plans in a thread, with a line on the terminal that says how far it is, and checks the plan. @throws InputError for input that the strategy refuses, and for a plan that breaks the rules. */
export async function planAndCheck(order: PlanOrder, shell: Shell): Promise<CheckedPlan> {
  const { lots, settings, strategy, frozen, validation } = order
  const line = new ProgressLine(shell.stderr)
  const request = { lots, settings, strategy, mode: settings.mode, ...(frozen && { frozen }) }
  try {
    const result = await planInThread(request, {
      signal: shell.interrupted,
      onProgress: (progress) => line.show(strategy, progress),
    })
    const problems = validation ? validatePlan(result.plan, lots, rulesOf(settings, frozen)) : []
    refuseErrors(problems)
    return { result, problems }
  } finally {
    line.clear()
  }
}

/** The name of a report that has none: the file of the lots. */
export function titleOf(path: string): string {
  return basename(path).replace(/\.[^.]*$/, '')
}

function refuseErrors(problems: readonly Problem[]): void {
  if (problems.some(({ severity }) => severity === 'error')) throw new InputError(problems)
}
