import { Document, isMap, isScalar, type YAMLMap } from 'yaml'
import { DEFAULT_SETTINGS, type SettingsInput } from '../planning/settings.js'
import { InputError } from '../problem.js'
import { SETTING_TABLE } from './setting-table.js'

/** What is exported, and how. */
export interface ExportOptions {
  /** Left out: the defaults. */
  readonly settings?: SettingsInput
  /** In YAML, say of each setting what it is for (default true). */
  readonly comments?: boolean
}

/** Settings as the text of a file that says the same when it is read. @throws InputError for a format other than `yaml` and `json`. */
export function exportConfiguration(format: string, options: ExportOptions = {}): string {
  const { settings = DEFAULT_SETTINGS, comments = true } = options
  if (format === 'json') return `${JSON.stringify(settings, null, 2)}\n`
  if (format === 'yaml') return yamlOf(settings, comments)
  const message = `Unsupported format: ${format} (use yaml or json).`
  throw new InputError([{ severity: 'error', code: 'unsupported_format', message }])
}

function yamlOf(settings: SettingsInput, comments: boolean): string {
  const document = new Document(settings, { aliasDuplicateObjects: false })
  if (comments && isMap(document.contents)) {
    comment(document.contents, '')
    document.comment = leftOut(settings)
  }
  return document.toString({ lineWidth: 0 })
}

function comment(map: YAMLMap, prefix: string): void {
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue
    const path = `${prefix}${String(key.value)}`
    const note = noteOf(path)
    if (note !== '') key.commentBefore = ` ${note}`
    if (isMap(value) && !Object.hasOwn(SETTING_TABLE, path)) comment(value, `${path}.`)
  }
}

/** Settings that have no value by default are told at the end. */
function leftOut(settings: SettingsInput): string {
  const optional = ['allowedStrategies', 'calendar'] as const
  return optional
    .filter((name) => settings[name] === undefined)
    .flatMap((name) => Object.keys(SETTING_TABLE).filter((path) => path.split('.')[0] === name))
    .map((path) => ` ${path}: ${noteOf(path)}`)
    .join('\n')
}

const noteOf = (path: string): string => (Object.hasOwn(SETTING_TABLE, path) ? (SETTING_TABLE[path]?.note ?? '') : '')
