import type { Command } from 'commander'
import { STRATEGY_NAMES } from '../planning/strategy-name.js'
import type { Shell } from './shell.js'

/** What commands are given to work with. */
export interface CommandSetting {
  readonly shell: Shell
}

/** Options of the whole program, as each command sees them. */
export interface GlobalOptions {
  readonly config?: string
  readonly verbose?: boolean
}

/** Takes an option that may be given several times, or once with commas. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((part) => part.trim())]
}

/** Takes an option that may be given several times, commas and all. */
function gather(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** What every command that plans understands. */
export function addPlanOptions(command: Command): Command {
  return command
    .option(
      '-d, --data <file>',
      'CSV file of the lots: Lot ID, Type, Vials, and Due and Priority where there are due dates',
    )
    .option('-o, --output <folder>', 'folder to write into; it is made where it is missing')
    .option('--mode <mode>', 'improved, or classic: the decisions of the reference formulas to the letter')
    .option('--start-time <time>', 'when the plan begins, "YYYY-MM-DD HH:MM"')
    .option('--lines <number>', 'how many lines fill side by side')
    .option('--set <name=value>', 'any other setting, such as windowHours=96; repeatable', gather)
    .option('--json', 'print one JSON document and nothing else; files are written only where --output names a folder')
}

/** Names of strategies for help texts. */
export const STRATEGY_LIST = STRATEGY_NAMES.join(', ')
