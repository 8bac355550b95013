import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { STRATEGY_NAMES, type StrategyName } from '../../planning/strategy-name.js'
import { compare, type ComparisonOrder, SORT_KEYS, type SortKey } from '../comparing.js'
import { addPlanOptions, collect, type CommandSetting, type GlobalOptions, STRATEGY_LIST } from '../options.js'
import { loadLots, titleOf } from '../planning.js'
import { type SettingOptions, settingsOf, strategyNamed } from '../settings.js'
import type { Shell } from '../shell.js'
import { tellWarnings } from '../trouble.js'

interface CompareOptions extends Omit<SettingOptions, 'strategy'>, GlobalOptions {
  readonly strategies?: readonly string[]
  readonly allStrategies?: boolean
  readonly sortBy: SortKey
  readonly json?: boolean
}

const USUAL: readonly StrategyName[] = ['smart-pack', 'spt-pack', 'lpt-pack']

/** `compare`: several strategies and the order given, side by side. */
export function addCompare(program: Command, { shell }: CommandSetting): void {
  const command = program
    .command('compare')
    .description(
      'plan the lots of a file with several strategies; writes figures, a page and each plan into OUTPUT/comparison',
    )
  addPlanOptions(command)
    .option('-s, --strategies <names>', `some of ${STRATEGY_LIST}; repeatable (default: smart, spt, lpt)`, collect)
    .option('--strategy <names>', 'the same', collect)
    .option('--all-strategies', 'every strategy that can plan these lots')
    .addOption(new Option('--sort-by <figure>', 'how the table is sorted').choices(SORT_KEYS).default('makespan'))
    .action(() => run(command.optsWithGlobals<CompareOptions & { strategy?: readonly string[] }>(), shell))
}

async function run(
  { strategy, ...options }: CompareOptions & { strategy?: readonly string[] },
  shell: Shell,
): Promise<void> {
  const { json = false, sortBy } = options
  const chosen = choiceOf({ ...options, strategies: [...(options.strategies ?? []), ...(strategy ?? [])] })
  const settings = await settingsOf(options, shell)
  const { path, lots, problems } = await loadLots(settings, shell)
  if (!json) tellWarnings(problems, shell)
  const folder = json && options.output === undefined ? undefined : join(settings.output, 'comparison')
  await compare({ name: titleOf(path), lots, settings, ...chosen, sortBy, json, folder }, shell)
}

/** Of all strategies, those that were not named themselves may be left out. */
function choiceOf({
  allStrategies,
  strategies = [],
}: CompareOptions): Pick<ComparisonOrder, 'strategies' | 'whereApplicable'> {
  const named = new Set(strategies.map(strategyNamed))
  if (!allStrategies) return { strategies: named.size === 0 ? USUAL : [...named] }
  return { strategies: STRATEGY_NAMES, whereApplicable: new Set(STRATEGY_NAMES.filter((name) => !named.has(name))) }
}
