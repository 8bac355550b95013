import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addCompareSequences } from './commands/compare-sequences.js'
import { addCompare } from './commands/compare.js'
import { addConfig } from './commands/config.js'
import { addGenerate } from './commands/generate.js'
import { addSchedule } from './commands/schedule.js'
import { addServe } from './commands/serve.js'
import type { CommandSetting, GlobalOptions } from './options.js'
import { EXIT, Interruption, processShell, type Shell } from './shell.js'
import { tellTrouble } from './trouble.js'

const EXAMPLES = [
  'fill-scheduler schedule --data lots.csv --strategy exact',
  'fill-scheduler compare --data lots.csv --all-strategies',
  'fill-scheduler serve --example --open',
]

const HELP_COLUMNS = 120

/** Runs the command line `args` (without the program itself). Answers its exit code: 0 done, 1 any error, 130 Ctrl-C. Never rejects. */
export async function main(args: readonly string[], shell: Shell = processShell()): Promise<number> {
  const program = programOf({ shell })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return codeOf(shell.interrupted)
  } catch (error) {
    const { verbose = false } = program.opts<GlobalOptions>()
    return tellTrouble(error, shell, { json: args.includes('--json'), verbose })
  }
}

/** A server that was asked to end by the system, and did, has done what it should. */
function codeOf({ aborted, reason }: AbortSignal): number {
  if (!aborted) return EXIT.done
  return reason instanceof Interruption && reason.signal === 'SIGTERM' ? EXIT.done : EXIT.interrupted
}

function programOf(setting: CommandSetting): Command {
  const { stdout, stderr } = setting.shell
  const program = new Command('fill-scheduler')
    .description('Plans a sterile filling line: which lot when, in which clean window, on which line')
    .version(versionOf(), '--version', 'print the version')
    .option('-v, --verbose', 'say more when something goes wrong')
    .option('--config <file>', 'file of settings, YAML or JSON (default: .fill-scheduler.yaml, then that in ~/.config)')
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => stderr.columns ?? HELP_COLUMNS,
    })
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .addHelpText(
      'after',
      `\nExit codes: 0 done, 1 any error, 130 Ctrl-C\n\nExamples:\n${EXAMPLES.map((line) => `  $ ${line}\n`).join('')}`,
    )
  for (const add of [addSchedule, addCompare, addCompareSequences, addConfig, addGenerate, addServe])
    add(program, setting)
  return program
}

function versionOf(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
