import { Command, CommanderError, Option } from 'commander'
import type { ListenOptions } from './commands/listen.js'
import type { PublishOptions } from './commands/publish.js'
import type { ServeOptions } from './commands/serve.js'
import type { TokenOptions } from './commands/token.js'
import type { WatchOptions } from './commands/watch.js'
import { EXIT, Failure } from './failure.js'
import { type Shell, processShell } from './shell.js'
import { VERSION } from './version.js'

/** Runs the command line `argv` (without the program itself) and resolves with its exit code. Never rejects. */
export async function main(argv: readonly string[], shell: Shell = processShell()): Promise<number> {
  const outcome = { exitCode: EXIT.done as number }
  try {
    await buildProgram(shell, outcome).parseAsync([...argv], { from: 'user' })
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

const EXIT_CODES = 'Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 cancelled (watch), 130 Ctrl-C.'

function buildProgram(shell: Shell, outcome: { exitCode: number }): Command {
  const program = new Command('holdfast')
    .description('Real-time channels, presence and operation progress that survive a lost connection')
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for the options and examples)')
    .addHelpText('after', `\n${EXIT_CODES}\n\nExamples:\n  $ holdfast serve --demo\n  $ holdfast watch index-4f2a\n`)
  const end = (exitCode: number): void => void (outcome.exitCode = exitCode)
  addServe(program, shell, end)
  addToken(program, shell, end)
  addPublish(program, shell, end)
  addListen(program, shell, end)
  addWatch(program, shell, end)
  return program
}

// A command is loaded when it runs, so that help and wrong usage are answered at once.

type End = (exitCode: number) => void

function addServe(program: Command, shell: Shell, end: End): void {
  program
    .command('serve')
    .description('run a server')
    .option('--port <port>', 'port to listen on (PORT; default 8000)')
    .option('--host <host>', 'address to listen on (HOST; default 127.0.0.1)')
    .option('--engine <engine>', 'memory, disk, or a redis:// address (REDIS_URL; default memory, in production disk)')
    .option('--data-dir <directory>', 'where the disk engine keeps its state (HOLDFAST_DATA_DIR; default .holdfast)')
    .option('--workers <count>', 'processes that serve together through Redis: a number, or auto (HOLDFAST_WORKERS)')
    .option('--config <file>', 'YAML file with settings')
    .option('--demo', 'serve the demo at / (development only, where it is the default)')
    .option('--no-demo', 'do not serve the demo')
    .option('--open', 'open the demo where there is a desktop')
    .addHelpText(
      'after',
      examples(
        'holdfast serve --demo --open',
        'PORT=9000 holdfast serve --data-dir ./data',
        'holdfast serve --engine redis://127.0.0.1:6379 --workers auto',
        'holdfast serve --config holdfast.yaml',
      ),
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./commands/serve.js')
      end(await serve(options, shell))
    })
}

function addToken(program: Command, shell: Shell, end: End): void {
  program
    .command('token')
    .description('print a token and nothing else')
    .requiredOption('--tenant <tenant>', 'tenant that the token is for')
    .requiredOption('--user <user>', 'user that the token is for')
    .option('--role <role>', 'role of the user (may be repeated)', collect, [])
    .option('--ttl <duration>', 'how long it is valid: 30s, 15m, 1h, 7d', '1h')
    .addOption(configOption())
    .addHelpText(
      'after',
      examples(
        'holdfast token --tenant acme --user ada',
        'holdfast token --tenant acme --user ada --role editor --ttl 15m',
      ),
    )
    .action(async (options: TokenOptions) => {
      const { token } = await import('./commands/token.js')
      end(await token(options, shell))
    })
}

function addPublish(program: Command, shell: Shell, end: End): void {
  const command = program
    .command('publish')
    .description('publish one message')
    .argument('<channel>', 'channel, such as room:lobby')
    .argument('<json>', 'data of the message, as JSON')
    .option('--event <event>', 'event of the message', 'message')
    .option('--key <key>', 'idempotency key: the same key publishes once')
  addRemote(command)
    .addHelpText('after', examples(`holdfast publish room:lobby '{"text":"hello"}' --event chat --tenant demo`))
    .action(async (channel: string, json: string, options: PublishOptions) => {
      const { publish } = await import('./commands/publish.js')
      end(await publish(channel, json, options, shell))
    })
}

function addListen(program: Command, shell: Shell, end: End): void {
  const command = program
    .command('listen')
    .description('print the messages of a channel until Ctrl-C')
    .argument('<channel>', 'channel, such as room:lobby')
    .option('--since <since>', 'begin with the newest N messages: newest:10')
    .option('--json', 'lines of JSON, also on a terminal')
  addRemote(command)
    .addHelpText(
      'after',
      examples('holdfast listen room:lobby --tenant demo', 'holdfast listen room:lobby --since newest:10 --json'),
    )
    .action(async (channel: string, options: ListenOptions) => {
      const { listen } = await import('./commands/listen.js')
      end(await listen(channel, options, shell))
    })
}

function addWatch(program: Command, shell: Shell, end: End): void {
  const command = program
    .command('watch')
    .description('show the progress of an operation until it ends')
    .argument('<operation>', 'id of the operation')
    .option('--json', 'every snapshot as a line of JSON')
  addRemote(command)
    .addHelpText(
      'after',
      `${examples('holdfast watch index-4f2a', 'holdfast watch import-42 --tenant acme --user ada')}\n${WATCH_CODES}\n`,
    )
    .action(async (operation: string, options: WatchOptions) => {
      const { watch } = await import('./commands/watch.js')
      end(await watch(operation, options, shell))
    })
}

const WATCH_CODES = 'Ends with 0 when it completed, 1 when it failed, expired or is not there, 3 when it was cancelled.'

function addRemote(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'tenant (HOLDFAST_TENANT; default demo)')
    .option('--user <user>', 'user (HOLDFAST_USER; default cli)')
    .option('--url <url>', 'address of the server (HOLDFAST_URL; default ws://127.0.0.1:8000/ws)')
    .option('--token <token>', 'token (HOLDFAST_TOKEN; default: one made with the secret at hand)')
    .addOption(configOption())
}

function configOption(): Option {
  return new Option('--config <file>', 'YAML file with settings')
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`
}
