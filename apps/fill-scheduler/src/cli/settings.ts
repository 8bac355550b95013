import { homedir } from 'node:os'
import { distinctProblems } from '../io/distinct-problems.js'
import { loadConfiguration } from '../io/configuration.js'
import type { Settings } from '../planning/settings.js'
import { findStrategy } from '../planning/strategies/strategies.js'
import { STRATEGY_NAMES, type StrategyName } from '../planning/strategy-name.js'
import { InputError } from '../problem.js'
import { Failure, type Shell } from './shell.js'
import { tellWarnings } from './trouble.js'

/** Options that say by which settings to plan. */
export interface SettingOptions {
  readonly config?: string
  readonly set?: readonly string[]
  readonly data?: string
  readonly output?: string
  readonly strategy?: string
  readonly mode?: string
  readonly startTime?: string
  readonly lines?: string
}

/** Variables of `serve`, which are no settings of plans. */
const SERVER_VARIABLES = ['SECRET', 'DATA_DIR', 'ORIGINS', 'HOSTS', 'TRUSTED_PROXIES']

/** Defaults, under the file, under the environment, under the options. @throws InputError with everything that is wrong. */
export async function settingsOf(options: SettingOptions, shell: Shell): Promise<Settings> {
  const { settings, problems: found } = await loadConfiguration({
    ...(options.config === undefined ? {} : { path: options.config }),
    env: shell.env,
    cwd: shell.cwd,
    home: homedir(),
    overrides: overridesOf(options),
    otherVariables: SERVER_VARIABLES,
  })
  // Two checks may find the same.
  const problems = distinctProblems(found)
  if (problems.some(({ severity }) => severity === 'error')) throw new InputError(problems)
  tellWarnings(problems, shell)
  return settings
}

/** The strategy of a name or an alias. @throws Failure that names the choices. */
export function strategyNamed(text: string): StrategyName {
  const strategy = findStrategy(text)
  if (strategy !== undefined) return strategy.name
  throw new Failure(`--strategy must be one of ${STRATEGY_NAMES.join(', ')}, received "${text}"`)
}

function overridesOf({
  set = [],
  strategy,
  mode,
  startTime,
  lines,
  data,
  output,
}: SettingOptions): Record<string, string> {
  const pairs = set.map((text): [string, string] => {
    const at = text.indexOf('=')
    if (at <= 0) throw new Failure(`--set must be NAME=VALUE, received "${text}"`)
    return [text.slice(0, at).trim(), text.slice(at + 1)]
  })
  const named: Readonly<Record<string, string | undefined>> = {
    strategy: strategy === undefined ? undefined : strategyNamed(strategy),
    mode,
    start: startTime,
    lines,
    data,
    output,
  }
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries([...pairs, ...given])
}
