import { DateTime } from 'luxon'
import { settingsFrom } from '../io/configuration.js'
import type { Settings, SettingsInput } from '../planning/settings.js'
import { findStrategy } from '../planning/strategies/strategies.js'
import { type Mode, STRATEGY_NAMES, type StrategyName } from '../planning/strategy-name.js'
import type { Problem } from '../problem.js'
import type { Store } from '../store/store.js'
import { badRequest, notFound, refused } from './api-error.js'

/** Settings have years of four digits. */
const YEAR_MAX = 9_999

/** How somebody says by which settings to plan. */
export interface SettingsChoice {
  readonly template_id?: string | undefined
  readonly config?: unknown
  readonly strategy?: string | undefined
  readonly mode?: Mode | undefined
  readonly start_time?: string | undefined
}

/**
 * The settings of a request: those of a template, else of the user's default template where there is no `config`; over them `config`; over them strategy, mode and start.
 * @throws ApiError `invalid_config` with every problem; `not_found` for a template that is not there for this user.
 */
export async function chosenSettings(store: Store, userId: string, choice: SettingsChoice): Promise<Settings> {
  return settingsOver(await baseOf(store, userId, choice), choice)
}

/** The same over settings that are known. */
export function settingsOver(base: SettingsInput, choice: Omit<SettingsChoice, 'template_id'>): Settings {
  const read = settingsFrom(choice.config ?? {}, base)
  if (read.problems.some(isError)) throw refused('invalid_config', read.problems)
  return { ...withStart(read.settings, choice.start_time), ...strategyOf(choice), ...modeOf(choice) }
}

async function baseOf(store: Store, userId: string, choice: SettingsChoice): Promise<SettingsInput> {
  const { template_id: id, config } = choice
  if (id === undefined) return config === undefined ? ((await store.templates.default(userId))?.settings ?? {}) : {}
  const template = await store.templates.get(userId, id)
  if (template === undefined) throw notFound('template')
  return template.settings
}

/** The strategy of a name or alias. @throws ApiError that names the choices. */
export function strategyNamed(text: string, field: string = 'strategy'): StrategyName {
  const strategy = findStrategy(text)
  if (strategy !== undefined) return strategy.name
  throw badRequest(`${field} must be one of ${STRATEGY_NAMES.join(', ')}, received ${JSON.stringify(text)}`, field)
}

function strategyOf({ strategy }: SettingsChoice): Partial<Settings> {
  return strategy === undefined ? {} : { strategy: strategyNamed(strategy) }
}

function modeOf({ mode }: SettingsChoice): Partial<Settings> {
  return mode === undefined ? {} : { mode }
}

/** Settings have local times, requests instants: without an offset they are in UTC. */
function withStart(settings: Settings, startTime: string | undefined): Settings {
  if (startTime === undefined) return settings
  const time = DateTime.fromISO(startTime.trim().replace(' ', 'T'), { zone: 'utc' })
  const local = time.setZone(settings.timeZone)
  if (!local.isValid || local.year < 1 || local.year > YEAR_MAX)
    throw badRequest('start_time must be a time as ISO 8601 has it, 2025-01-01T08:00:00Z', 'start_time')
  return { ...settings, start: local.toFormat('yyyy-MM-dd HH:mm') }
}

/** Whether a problem refuses what it is about. */
export function isError({ severity }: Problem): boolean {
  return severity === 'error'
}
