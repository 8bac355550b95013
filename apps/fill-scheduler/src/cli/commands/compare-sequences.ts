import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { orderBySequence, readSequence } from '../../io/sequence-csv.js'
import { InputError } from '../../problem.js'
import { compare } from '../comparing.js'
import { readInput } from '../input-files.js'
import { addPlanOptions, collect, type CommandSetting, type GlobalOptions, STRATEGY_LIST } from '../options.js'
import { loadLots, titleOf } from '../planning.js'
import { type SettingOptions, settingsOf, strategyNamed } from '../settings.js'
import type { Shell } from '../shell.js'
import { tellWarnings } from '../trouble.js'

interface SequenceOptions extends Omit<SettingOptions, 'strategy'>, GlobalOptions {
  readonly seq: string
  readonly strategy?: readonly string[]
  readonly json?: boolean
}

/** `compare-sequences`: an order that somebody thought of, against what a strategy makes of the same lots. */
export function addCompareSequences(program: Command, { shell }: CommandSetting): void {
  const command = program
    .command('compare-sequences')
    .description('plan the lots in the order of a second file, and with a strategy; writes into OUTPUT/comparison')
  addPlanOptions(command)
    .requiredOption('--seq <file>', 'CSV file with the order: a column Lot ID; lots that it does not name come last')
    .option('-s, --strategy <names>', `some of ${STRATEGY_LIST} (default: that of the settings)`, collect)
    .action(() => run(command.optsWithGlobals<SequenceOptions>(), shell))
}

async function run({ strategy, ...options }: SequenceOptions, shell: Shell): Promise<void> {
  const { json = false } = options
  const settings = await settingsOf(options, shell)
  const strategies = strategy === undefined ? [settings.strategy] : [...new Set(strategy.map(strategyNamed))]
  const { path, lots, problems } = await loadLots(settings, shell)
  const sequence = readSequence(await readInput(resolve(shell.cwd, options.seq), '--seq'))
  if (sequence.problems.some(({ severity }) => severity === 'error')) throw new InputError(sequence.problems)
  const ordered = orderBySequence(lots, sequence.ids)
  if (!json) tellWarnings([...problems, ...sequence.problems, ...ordered.problems], shell)
  const folder = json && options.output === undefined ? undefined : join(settings.output, 'comparison')
  const name = titleOf(path)
  await compare({ name, lots: ordered.lots, settings, strategies, sortBy: 'makespan', json, folder }, shell)
}
