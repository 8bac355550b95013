import { createHash } from 'node:crypto'
import { lotsFromJson } from '../io/lots-json.js'
import { readLots } from '../io/lots-csv.js'
import type { LotsRead } from '../io/lot-draft.js'
import { rulesOf } from '../io/rules-of.js'
import type { Lot } from '../planning/lot.js'
import { refusals } from '../planning/planner.js'
import type { Settings } from '../planning/settings.js'
import type { StrategyName } from '../planning/strategy-name.js'
import type { Problem } from '../problem.js'
import type { PlanInput } from '../store/store.js'
import { refused } from './api-error.js'
import { isError } from './chosen-settings.js'

/** Where the lots of a request stand. */
export interface LotsSource {
  readonly lots_data?: unknown
  readonly csv_file?: File
}

/** Reads the lots of a request; all problems at once. */
export async function lotsOf(source: LotsSource, settings: Settings): Promise<LotsRead> {
  const { csv_file: file, lots_data: list } = source
  return file ? readLots(new Uint8Array(await file.arrayBuffer()), settings) : lotsFromJson(list, settings)
}

/** What stands in the way of planning these lots with these strategies: combinations that a strategy does not know. */
export function objectionsTo(
  lots: readonly Lot[],
  settings: Settings,
  strategies: readonly StrategyName[],
  frozen?: PlanInput['frozen'],
): readonly Problem[] {
  const task = { lots, rules: rulesOf(settings, frozen), settings, mode: settings.mode }
  return strategies.flatMap((strategy) => refusals(task, strategy))
}

/** Everything that planning needs. @throws ApiError `invalid_lots` or `invalid_config` with every problem. */
export async function planInputOf(
  source: LotsSource,
  settings: Settings,
  strategies: readonly StrategyName[],
): Promise<PlanInput> {
  const { lots, problems } = await lotsOf(source, settings)
  if (problems.some(isError)) throw refused('invalid_lots', problems)
  const objections = objectionsTo(lots, settings, strategies)
  if (objections.some(isError)) throw refused('invalid_config', objections)
  return { lots, settings, lotsHash: hashOf(lots) }
}

/** SHA-256 of lots, in hex: the same lots in the same order have the same. */
export function hashOf(lots: readonly Lot[]): string {
  const rows = lots.map(({ id, type, vials, dueHours, priority }) => [
    id,
    type,
    vials,
    dueHours ?? null,
    priority ?? null,
  ])
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex')
}
