import type { SettingsInput } from '../planning/settings.js'
import {
  type ConfigurationFormat,
  findConfigurationFile,
  readConfigurationFile,
  readConfigurationText,
} from './configuration-file.js'
import { layerOfMapping, layerOfPairs, type LayerRead } from './setting-layer.js'
import { settingsOfLayers, type SettingsRead } from './settings-of-layers.js'

/** Where configuration comes from. A later source goes before an earlier one: defaults, file, environment, overrides. */
export interface ConfigurationSources {
  /** File that must exist; left out: the first of `.fill-scheduler.yaml`, `.yml`, `.json` in `cwd` and `.config/fill-scheduler/config.yaml`, `.yml` in `home`. */
  readonly path?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home?: string | undefined
  /** By dotted name, `strategies.exact.timeLimitSeconds`; texts are JSON, else the text itself. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Variables with our prefix that are no settings, in upper case and without the prefix: `SECRET`. */
  readonly otherVariables?: readonly string[]
}

/** Settings with the file that they came from. */
export interface ConfigurationRead extends SettingsRead {
  readonly file?: string
}

/** Both the name of today and the older one. */
const PREFIX = /^FILL_?SCHEDULER_(?=.)/i

/**
 * Settings from what somebody wrote as nested mappings: names of today or older ones (`setting-table.ts`), each at most once. What is left out is as in `base`,
 * else as by default. Names and values that are wrong are problems, all of them at once; never throws.
 */
export function settingsFrom(value: unknown, base: SettingsInput = {}): SettingsRead {
  return settingsOfLayers([layerOfMapping(base), layerOfMapping(value)])
}

/** Settings from the text of a file; see `settingsFrom`. */
export function settingsFromText(text: string, format: ConfigurationFormat, base: SettingsInput = {}): SettingsRead {
  const { value, problems } = readConfigurationText(text, format)
  return settingsOfLayers([layerOfMapping(base), withProblems(layerOfMapping(value), problems)])
}

/** Settings of a program: defaults, file, environment (`FILL_SCHEDULER_STRATEGIES__EXACT__MAX_LOTS=40`), overrides. Never rejects because of what they say. */
export async function loadConfiguration(sources: ConfigurationSources): Promise<ConfigurationRead> {
  const { path, env = {}, cwd, home, overrides = {}, otherVariables = [] } = sources
  const found = path === undefined ? await findConfigurationFile(cwd, home) : { path, problems: [] }
  const file = found.path === undefined ? undefined : await readConfigurationFile(found.path)
  const read = settingsOfLayers([
    withProblems(layerOfMapping(file?.value ?? {}), [...found.problems, ...(file?.problems ?? [])]),
    layerOfPairs(pairsOfEnvironment(env, otherVariables)),
    layerOfPairs(Object.entries(overrides).map(([name, value]) => ({ name, segments: name.split('.'), value }))),
  ])
  return file === undefined ? read : { ...read, file: file.file }
}

function withProblems(read: LayerRead, problems: LayerRead['problems']): LayerRead {
  return { layer: read.layer, problems: [...problems, ...read.problems] }
}

function pairsOfEnvironment(
  env: NonNullable<ConfigurationSources['env']>,
  others: readonly string[],
): Parameters<typeof layerOfPairs>[0] {
  return Object.entries(env).flatMap(([name, value]) => {
    const own = name.replace(PREFIX, '')
    if (own === name || value === undefined || others.includes(own.toUpperCase())) return []
    return [{ name, segments: own.split('__'), value }]
  })
}
