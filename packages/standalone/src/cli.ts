import { Command, CommanderError } from 'commander'
import { addCommands } from './commands/catalogue.js'
import { EXIT, Failure } from './failure.js'
import { type Shell, processShell } from './shell.js'
import { VERSION } from './version.js'

/** Runs the command line `argv` (without the program itself) and resolves with its exit code. Never rejects. */
export async function main(argv: readonly string[], shell: Shell = processShell()): Promise<number> {
  const outcome = { exitCode: EXIT.done as number }
  try {
    const program = buildProgram(shell)
    await addCommands(program, { shell, end: (exitCode) => void (outcome.exitCode = exitCode) }, argv)
    await program.parseAsync([...argv], { from: 'user' })
    return outcome.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if (error instanceof Failure) {
      if (error.exitCode !== EXIT.interrupted) shell.stderr.write(`holdfast: ${error.message}\n`)
      return error.exitCode
    }
    shell.stderr.write(`holdfast: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return EXIT.failed
  }
}

const EXIT_CODES =
  'Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 cancelled (watch, run, operation report), 130 Ctrl-C. `run` ends with the status of its command.'

function buildProgram(shell: Shell): Command {
  return new Command('holdfast')
    .description('Real-time channels, presence and operation progress that survive a lost connection')
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
      getOutHelpWidth: () => shell.stdout.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => shell.stderr.columns ?? HELP_COLUMNS,
    })
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for the options and examples)')
    .addHelpText('after', `\n${EXIT_CODES}\n\nExamples:\n${EXAMPLES.map((line) => `  $ ${line}\n`).join('')}`)
}

const HELP_COLUMNS = 120

const EXAMPLES = [
  'holdfast serve --demo',
  'holdfast run --label "Nightly import" -- ./import.sh',
  'holdfast watch import-42',
]
