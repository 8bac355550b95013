import type { Command } from 'commander'
import { type Configuration, type ConfigurationSources, loadConfiguration, settingSources } from '../configuration.js'
import { engineName } from '../engine-choice.js'
import { EXIT } from '../failure.js'
import { createLog } from '../log.js'
import { findSecret } from '../secret.js'
import type { Shell } from '../shell.js'
import { createNode } from '../standalone-server.js'
import { paletteOf } from '../terminal/palette.js'
import { printJson, printTable, wantsJson } from './answer-output.js'
import { type CommandContext, type Declare, configOption, examples } from './command.js'

interface ConfigOptions {
  readonly config?: string
  readonly json?: boolean
}

/** `holdfast config`: what a server would be started with. */
export const declareConfig: Declare = (command, context) => {
  command.addHelpText(
    'after',
    examples('holdfast config check --config holdfast.yaml', 'holdfast config print --config holdfast.yaml'),
  )
  check(command, context)
  print(command, context)
}

function check(parent: Command, { shell, end }: CommandContext): void {
  parent
    .command('check')
    .description('say whether a server would start with the settings, and what is wrong')
    .addOption(configOption())
    .option('--json', 'the outcome as JSON, also on a terminal')
    .addHelpText(
      'after',
      `${examples('holdfast config check --config holdfast.yaml')}\nEnds with 2 when something is wrong.\n`,
    )
    .action(async (options: ConfigOptions) => end(await checkSettings(options, shell)))
}

/** Does everything that a start does before it listens. Throws the `Failure` that a start would. */
async function checkSettings(options: ConfigOptions, shell: Shell): Promise<number> {
  const configuration = await loadConfiguration(sourcesOf(options, shell))
  const { secret } = await findSecret(configuration, shell.cwd)
  const log = createLog({ level: 'silent', format: 'json' }, shell.stderr)
  await createNode({ configuration, secret, log, cwd: shell.cwd }).close()
  const { environment, engine, host, port } = configuration
  if (wantsJson(options, shell)) printJson({ ok: true, environment, engine: engineName(engine), host, port }, shell)
  else {
    const { green } = paletteOf(shell.stdout, shell.env)
    shell.stdout.write(`${green('ok')}  ${environment}, ${engineName(engine)} engine, ${host}:${port}\n`)
  }
  return EXIT.done
}

function print(parent: Command, { shell, end }: CommandContext): void {
  parent
    .command('print')
    .description('print the settings in force, and where each comes from; secrets are left out')
    .addOption(configOption())
    .option('--json', 'JSON, also on a terminal')
    .addHelpText('after', examples('holdfast config print --config holdfast.yaml', 'PORT=9000 holdfast config print'))
    .action(async (options: ConfigOptions) => end(await printSettings(options, shell)))
}

async function printSettings(options: ConfigOptions, shell: Shell): Promise<number> {
  const settings = await effectiveSettings(sourcesOf(options, shell))
  if (wantsJson(options, shell)) printJson(Object.fromEntries(settings.map(({ name, ...rest }) => [name, rest])), shell)
  else {
    const rows = settings.map(({ name, value, source }) => [name, source, asText(value)])
    printTable(['SETTING', 'FROM', 'VALUE'], rows, shell)
  }
  return EXIT.done
}

function sourcesOf({ config }: ConfigOptions, { env }: Shell): ConfigurationSources {
  return { env, file: config }
}

/** A setting in force. */
export interface EffectiveSetting {
  readonly name: string
  /** Without what is secret in it. */
  readonly value: unknown
  /** `PORT`, `port in holdfast.yaml`, `default`. */
  readonly source: string
}

/** Every setting that has a value, in the order of the schema. */
export async function effectiveSettings(sources: ConfigurationSources): Promise<readonly EffectiveSetting[]> {
  const configuration = await loadConfiguration(sources)
  const origins = await settingSources(sources)
  return Object.entries(configuration as Configuration & Record<string, unknown>)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value: masked(name, value), source: origins.get(name) ?? 'default' }))
}

const SECRET_NAME = /secret|password|passphrase|^key$|^k$|^d$|hash|^pem$/i
const HIDDEN = '…'

/** The value with everything left out that could open a door: secrets by their names, and credentials in addresses. */
function masked(name: string, value: unknown): unknown {
  if (typeof value === 'string') {
    return SECRET_NAME.test(name)
      ? HIDDEN
      : value.replace(/\/\/[^/@\s]*@/g, `//${HIDDEN}@`).replace(/([?&](?:token|key|secret)=)[^&\s]*/gi, `$1${HIDDEN}`)
  }
  if (Array.isArray(value)) return value.map((entry) => masked(name, entry))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, masked(member, inner)]))
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
