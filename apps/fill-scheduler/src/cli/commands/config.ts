import { extname, resolve } from 'node:path'
import type { Command } from 'commander'
import { exportConfiguration } from '../../io/configuration-export.js'
import { settingRows } from '../../io/reports/setting-rows.js'
import { type CommandSetting, type GlobalOptions } from '../options.js'
import { writeWhole } from '../output-files.js'
import { settingsOf } from '../settings.js'
import type { Shell } from '../shell.js'
import { textTable } from '../text-table.js'

/** Lines of an exported file that are shown. */
const PREVIEW_LINES = 15

/** `config`: write, check and show settings. */
export function addConfig(program: Command, { shell }: CommandSetting): void {
  const config = program.command('config').description('write, check and show settings')
  const exported = config
    .command('export')
    .description('write the default settings to a file, to be changed there')
    .requiredOption('-o, --output <file>', 'file to write')
    .option('-f, --format <format>', 'yaml or json (default: that of the file name, else yaml)')
    .option('--no-comments', 'in YAML, do not say of each setting what it is for')
    .action(() => write(exported.opts<ExportOptions>(), shell))
  const validate = config
    .command('validate')
    .description('check a file of settings')
    .requiredOption('-f, --file <file>', 'file to check')
    .action(() => check(validate.opts<{ file: string }>().file, shell))
  const show = config
    .command('show')
    .description('show the settings that hold: defaults, file, environment')
    .option('-f, --file <file>', 'file of settings')
    .option('--json', 'print one JSON document')
    .action(() => tell(show.optsWithGlobals<ShowOptions>(), shell))
}

interface ExportOptions {
  readonly output: string
  readonly format?: string
  readonly comments: boolean
}

interface ShowOptions extends GlobalOptions {
  readonly file?: string
  readonly json?: boolean
}

async function write({ output, format, comments }: ExportOptions, shell: Shell): Promise<void> {
  const text = exportConfiguration(format ?? (extname(output).toLowerCase() === '.json' ? 'json' : 'yaml'), {
    comments,
  })
  await writeWhole(resolve(shell.cwd, output), text)
  const lines = text.trimEnd().split('\n')
  const more = lines.length > PREVIEW_LINES ? `  … and ${lines.length - PREVIEW_LINES} lines more\n` : ''
  const preview = lines.slice(0, PREVIEW_LINES).map((line) => `  ${line}\n`)
  shell.stdout.write(`Wrote ${output}:\n${preview.join('')}${more}`)
}

async function check(file: string, shell: Shell): Promise<void> {
  await settingsOf({ config: resolve(shell.cwd, file) }, { ...shell, env: {} })
  shell.stdout.write(`${file} is valid.\n`)
}

async function tell({ file, config, json }: ShowOptions, shell: Shell): Promise<void> {
  const path = file ?? config
  const settings = await settingsOf(path === undefined ? {} : { config: resolve(shell.cwd, path) }, shell)
  if (json) return void shell.stdout.write(`${JSON.stringify(settings)}\n`)
  const rows = settingRows(settings).map(([name, value]) => [name, String(value)])
  const isOfStrategy = ([name = '']: readonly string[]): boolean => name.startsWith('strategies.')
  const own = rows.filter(isOfStrategy).map(([name = '', value = '']) => [name.slice('strategies.'.length), value])
  const general = rows.filter((row) => !isOfStrategy(row))
  shell.stdout.write(
    `${textTable([['Setting', 'Value'], ...general])}\n${textTable([['Strategy setting', 'Value'], ...own])}`,
  )
}
