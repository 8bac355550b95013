import type { z } from 'zod'
import { DEFAULT_SETTINGS, type Settings, type SettingsInput, settingsSchema } from '../planning/settings.js'
import { findStrategy } from '../planning/strategies/strategies.js'
import type { Problem } from '../problem.js'
import { boundedProblems } from './problem-list.js'
import { received } from './received.js'
import { visible } from './reports/visible-text.js'
import { settingProblems } from './setting-checks.js'
import { type GivenSetting, isMapping, type LayerRead } from './setting-layer.js'
import { expectationAt } from './setting-schema.js'

/** Settings, and all that is wrong with what somebody gave. */
export interface SettingsRead {
  /** Every setting. Where a problem is an error these are the defaults. */
  readonly settings: Settings
  /** What was given, in the names of today, without defaults: what a template keeps. */
  readonly input: SettingsInput
  readonly problems: Problem[]
}

/** Makes settings of layers; a later one goes before an earlier one, setting by setting. */
export function settingsOfLayers(layers: readonly LayerRead[]): SettingsRead {
  const given = new Map(layers.flatMap(({ layer }) => [...layer]))
  const input = nested([...given.values()])
  const parsed = settingsSchema.safeParse(input)
  const found = [
    ...layers.flatMap(({ problems }) => problems),
    ...protoProblems(given),
    ...(parsed.success
      ? settingProblems(parsed.data)
      : parsed.error.issues.map((issue) => problemOf(issue, input, given))),
  ]
  const isRight = found.every(({ severity }) => severity === 'warning')
  return {
    settings: parsed.success && isRight ? parsed.data : DEFAULT_SETTINGS,
    input: input as SettingsInput,
    problems: boundedProblems(found),
  }
}

interface Mapping {
  [name: string]: unknown
}

/** Paths come from the table of settings, never from outside. */
function nested(given: readonly GivenSetting[]): Mapping {
  const input: Mapping = {}
  for (const { path, value } of given) {
    const segments = path.split('.')
    const last = segments.pop() ?? ''
    const group = segments.reduce((node, segment) => (node[segment] ??= {}) as Mapping, input)
    group[last] = path === 'strategy' ? strategyName(value) : path === 'allowedStrategies' ? namesIn(value) : value
  }
  return input
}

const namesIn = (value: unknown): unknown => (Array.isArray(value) ? value.map(strategyName) : value)

/** Older names of strategies are understood like older names of settings. */
function strategyName(value: unknown): unknown {
  return typeof value === 'string' ? (findStrategy(value)?.name ?? value) : value
}

function problemOf(issue: z.core.$ZodIssue, input: Mapping, given: ReadonlyMap<string, GivenSetting>): Problem {
  const field = visible(issue.path.join('.').slice(0, 200))
  const message = `${messageOf(issue, field, input)}${writtenAs(field, given)}.`
  return { severity: 'error', code: 'bad_setting', message, field }
}

function messageOf(issue: z.core.$ZodIssue, field: string, input: Mapping): string {
  if (issue.code === 'unrecognized_keys') return `${field} has no member ${issue.keys.map(received).join(', ')}`
  if (issue.code === 'invalid_key') return `${field} must have a name of 1 to 64 characters`
  const value = issue.path.reduce<unknown>((node, name) => (node as Mapping | undefined)?.[String(name)], input)
  const expected = expectationAt(issue.path) ?? issue.message
  return `${field} must be ${expected}, received ${received(value)}`
}

/** Where a setting was given under another name, people look for that one. */
function writtenAs(field: string, given: ReadonlyMap<string, GivenSetting>): string {
  const setting = [...given.values()].find(({ path }) => field === path || field.startsWith(`${path}.`))
  return setting === undefined || setting.name === setting.path ? '' : ` (given as ${setting.name})`
}

/** A member of this name would vanish without a word when objects are copied. */
function protoProblems(given: ReadonlyMap<string, GivenSetting>): Problem[] {
  return [...given.values()]
    .filter(({ value }) => hasProto(value))
    .map(({ path }) => ({
      severity: 'error',
      code: 'bad_setting',
      message: `${path} cannot have a member __proto__.`,
      field: path,
    }))
}

function hasProto(value: unknown): boolean {
  if (!isMapping(value)) return false
  const members: unknown[] = Object.values(value)
  return [value, ...members].some((map) => isMapping(map) && Object.hasOwn(map, '__proto__'))
}
