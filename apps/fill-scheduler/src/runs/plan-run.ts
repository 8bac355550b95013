import { rulesOf } from '../io/rules-of.js'
import { settingsSchema } from '../planning/settings.js'
import type { PlanningProgress } from '../planning/strategy.js'
import { validateLots } from '../planning/validate-lots.js'
import { validatePlan } from '../planning/validate-plan.js'
import { InputError, type Problem } from '../problem.js'
import type { Run, StoredResult } from '../store/store.js'
import { planInThread } from './plan-in-thread.js'
import type { PhaseName } from './run-specs.js'

/** How a run is watched and stopped. */
export interface RunWatch {
  readonly signal: AbortSignal
  phase(name: PhaseName): void
  progress(progress: PlanningProgress): void
}

/** A plan that does not keep the rules: a mistake of this program. It is not kept. */
export class InvalidPlan extends Error {
  readonly code = 'invalid_plan'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(`the plan breaks the rules: ${problems[0]?.message ?? 'no reason known'}`)
    this.name = 'InvalidPlan'
    this.problems = problems
  }
}

/** Does a run, step by step. Throws an `InputError`, a `PlanningFailure`, an `InvalidPlan`, or the signal's reason. */
export async function planRun({ input, strategy, mode }: Run, watch: RunWatch): Promise<StoredResult> {
  const { lots, frozen } = input
  watch.phase('loading')
  const settings = settingsSchema.parse(input.settings)
  const rules = rulesOf(settings, frozen)
  watch.phase('validating')
  const problems = validateLots(lots, rules)
  if (problems.some(isError)) throw new InputError(problems)
  watch.phase('planning')
  const request = { lots, settings, strategy, mode, ...(frozen && { frozen }) }
  const onProgress = (progress: PlanningProgress): void => watch.progress(progress)
  const result = await planInThread(request, { signal: watch.signal, onProgress })
  watch.phase('checking')
  const objections = validatePlan(result.plan, lots, rules)
  if (objections.some(isError)) throw new InvalidPlan(objections)
  watch.phase('saving')
  return { ...result, problems: [...problems, ...objections] }
}

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}
