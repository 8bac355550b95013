import { Command } from 'commander'
import type { CommandContext, Declare } from './command.js'

/** A command by its name. It is loaded when it is asked for, so that help and wrong usage are answered at once. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Declare>
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run a server',
    load: async () => (await import('./serve.js')).declareServe,
  },
  {
    name: 'token',
    summary: 'print a token and nothing else',
    load: async () => (await import('./token.js')).declareToken,
  },
  {
    name: 'publish',
    summary: 'publish one message',
    load: async () => (await import('./publish.js')).declarePublish,
  },
  {
    name: 'listen',
    summary: 'print the messages of a channel until Ctrl-C',
    load: async () => (await import('./listen.js')).declareListen,
  },
  {
    name: 'watch',
    summary: 'show the progress of operations until they end',
    load: async () => (await import('./watch.js')).declareWatch,
  },
  {
    name: 'run',
    summary: 'run a command as an operation that can be watched',
    load: async () => (await import('./run/run.js')).declareRun,
  },
  {
    name: 'operation',
    summary: 'start, report, end, list and show operations',
    load: async () => (await import('./operation/operation.js')).declareOperation,
  },
  {
    name: 'history',
    summary: 'print the stored messages of a channel',
    load: async () => (await import('./history.js')).declareHistory,
  },
  {
    name: 'presence',
    summary: 'print who is in a channel',
    load: async () => (await import('./presence.js')).declarePresence,
  },
  {
    name: 'key',
    summary: 'make, list, rotate and revoke API keys',
    load: async () => (await import('./key.js')).declareKey,
  },
  {
    name: 'openapi',
    summary: 'print the OpenAPI document',
    load: async () => (await import('./openapi.js')).declareOpenapi,
  },
  {
    name: 'config',
    summary: 'check or print the settings of a server',
    load: async () => (await import('./config.js')).declareConfig,
  },
  {
    name: 'doctor',
    summary: 'say what is wrong with configuration, engine, clock, limits and server',
    load: async () => (await import('./doctor/doctor.js')).declareDoctor,
  },
  {
    name: 'completion',
    summary: 'print a script that completes the command line in a shell',
    load: async () => (await import('./completion.js')).declareCompletion,
  },
]

/** Adds every command to the program: those that `argv` names with all they have, the others by name. */
export async function addCommands(program: Command, context: CommandContext, argv: readonly string[]): Promise<void> {
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary)
    if (argv.slice(0, 2).includes(name)) (await load())(command, context)
  }
}

/** A program that has every command with all it has, to be looked at. */
export async function everyCommand(context: CommandContext): Promise<Command> {
  const program = new Command('holdfast').enablePositionalOptions()
  for (const { name, summary, load } of COMMANDS) (await load())(program.command(name).description(summary), context)
  return program
}
