import { type Command, Option } from 'commander'
import type { Shell } from '../shell.js'

/** What a command is given to declare itself with. */
export interface CommandContext {
  readonly shell: Shell
  /** Says how the command line ends; 0 where no command says it. */
  readonly end: (exitCode: number) => void
}

/** Gives a command its arguments, options, examples and action. */
export type Declare = (command: Command, context: CommandContext) => void

/** The examples below the help of a command. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`
}

/** `--config`, which every command has that reads settings. */
export function configOption(): Option {
  return new Option('--config <file>', 'YAML file with settings')
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** The options of every command that talks to a server. */
export function addRemoteOptions(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'tenant (HOLDFAST_TENANT; default demo)')
    .option('--user <user>', 'user (HOLDFAST_USER; default cli)')
    .option('--url <url>', 'address of the server (HOLDFAST_URL; default ws://127.0.0.1:8000/ws)')
    .option('--token <token>', 'token or API key (HOLDFAST_TOKEN; default: a token made with the secret at hand)')
    .addOption(configOption())
}
