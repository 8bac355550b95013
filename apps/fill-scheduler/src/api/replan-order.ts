import type { z } from '@hono/zod-openapi'
import { lotsFromJson } from '../io/lots-json.js'
import { planTime } from '../io/plan-time.js'
import { rulesOf } from '../io/rules-of.js'
import type { Lot } from '../planning/lot.js'
import { remainingLots } from '../planning/replan.js'
import { type Settings, settingsSchema } from '../planning/settings.js'
import { validateLots } from '../planning/validate-lots.js'
import type { Problem } from '../problem.js'
import type { PlanInput, Schedule, StoredResult } from '../store/store.js'
import { badRequest, refused } from './api-error.js'
import { isError, settingsOver } from './chosen-settings.js'
import { hashOf, objectionsTo } from './plan-order.js'
import type { replanJson } from './plan-request.js'

type Replan = z.output<typeof replanJson>

/**
 * What is to be planned when a schedule is planned anew from a moment on: the lots that no line had begun by then, and further ones. Hours count from the same start as
 * before. @throws ApiError `invalid_lots`, `invalid_config`, `bad_request` where the moment is none.
 */
export function replanOf(
  { input }: Schedule,
  { plan, strategy, mode }: StoredResult,
  request: Replan,
): { readonly settings: Settings; readonly input: PlanInput } {
  const before = settingsSchema.parse(input.settings)
  const settings = settingsOver(before, { strategy, mode, ...request })
  const moved = FIXED.filter((name) => settings[name] !== before[name]).map(movedSetting)
  if (moved.length > 0) throw refused('invalid_config', moved)
  const fromHours = planTime(settings).parse(request.from)
  if (fromHours === undefined || fromHours < 0)
    throw badRequest('from must be a time, not before the start of the plan', 'from')
  const starts = rulesOf(settings, { activities: plan.activities, fromHours }).starts ?? []
  const frozen = { activities: starts.flatMap(({ activities }) => activities), fromHours }
  const remaining = remainingLots(input.lots, starts)
  const lots = checkedLots({ remaining, further: request.lots_data }, settings, frozen)
  const objections = objectionsTo(lots, settings, [settings.strategy], frozen)
  if (objections.some(isError)) throw refused('invalid_config', objections)
  return { settings, input: { lots, settings, frozen, lotsHash: hashOf(lots) } }
}

/** Settings that say when hour 0 is: what has begun would be at another time. */
const FIXED = ['start', 'timeZone'] as const

function movedSetting(field: (typeof FIXED)[number]): Problem {
  const message = `${field} must stay as it was: what has begun keeps its time`
  return { severity: 'error', code: 'start_changed', message, field }
}

interface LotsOfReplan {
  readonly remaining: readonly Lot[]
  readonly further: unknown
}

/** All of them, if nothing is wrong with them. The fill rate may be another than before. */
function checkedLots(
  { remaining, further }: LotsOfReplan,
  settings: Settings,
  frozen: NonNullable<PlanInput['frozen']>,
): readonly Lot[] {
  const read = further === undefined ? { lots: [], problems: [] } : lotsFromJson(further, settings)
  const filled = new Set(frozen.activities.map(({ lotId }) => lotId))
  const twice = read.lots.filter(({ id }) => filled.has(id)).map(({ id }) => filledAlready(id))
  const lots = [...remaining, ...read.lots].map((lot) => ({
    ...lot,
    fillHours: lot.vials / settings.fillRateVialsPerHour,
  }))
  const problems = [...read.problems, ...twice, ...validateLots(lots, rulesOf(settings, frozen))]
  if (problems.some(isError)) throw refused('invalid_lots', problems)
  return lots
}

function filledAlready(lotId: string): Problem {
  const message = `Lot ${lotId} has been filled, or is being filled, at that time.`
  return { severity: 'error', code: 'duplicate_lot', message, lotId }
}
