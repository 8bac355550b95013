import { readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { InputError, type Problem } from '../problem.js'
import { visible } from './reports/visible-text.js'

/** Formats of configuration. */
export type ConfigurationFormat = 'yaml' | 'json'

/** What a text says, and all that is wrong with the text itself. */
export interface ConfigurationText {
  readonly value: unknown
  readonly problems: readonly Problem[]
}

const BYTES_MAX = 256 * 1024
const DEPTH_MAX = 100
/** How often anchors may be used: enough for people, too few for a text that unfolds to gigabytes. */
const ALIASES_MAX = 50

const IN_FOLDER = ['.fill-scheduler.yaml', '.fill-scheduler.yml', '.fill-scheduler.json']
const IN_FOLDER_OLDER = ['.fillscheduler.yaml', '.fillscheduler.yml']
const AT_HOME = ['.config/fill-scheduler/config.yaml', '.config/fill-scheduler/config.yml']
const AT_HOME_OLDER = ['.config/fillscheduler/config.yaml', '.config/fillscheduler/config.yml']

/** The format of a file by the ending of its name. @throws InputError for any other than .yaml, .yml and .json. */
export function formatOf(fileName: string): ConfigurationFormat {
  const ending = extname(fileName).toLowerCase()
  if (ending === '.yaml' || ending === '.yml') return 'yaml'
  if (ending === '.json') return 'json'
  throw refusal('unsupported_format', `Unsupported config file format: ${ending || 'none'} (use .yaml, .yml or .json).`)
}

/** Parses a configuration. Nothing but blanks and comments is an empty mapping in YAML. Never throws. */
export function readConfigurationText(text: string, format: ConfigurationFormat): ConfigurationText {
  if (Buffer.byteLength(text) > BYTES_MAX) {
    return { value: {}, problems: refusal('too_large', `A configuration has at most ${BYTES_MAX} bytes.`).problems }
  }
  const source = text.replace(/^\ufeff/, '')
  if (isDeep(source)) {
    const message = `A configuration is nested at most ${DEPTH_MAX} deep.`
    return { value: {}, problems: refusal(`bad_${format}`, message).problems }
  }
  try {
    return format === 'json' ? readJson(source) : readYaml(source)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return {
      value: {},
      problems: refusal(`bad_${format}`, `The configuration cannot be read: ${visible(reason)}`).problems,
    }
  }
}

/** The parser calls itself for each level, and a stack that is nearly full ends the process. Brackets and indicators in texts count, too: nobody has that many. */
function isDeep(source: string): boolean {
  let depth = 0
  for (const [mark] of source.matchAll(/[[{\]}]/g)) {
    depth += mark === '[' || mark === '{' ? 1 : -1
    if (depth > DEPTH_MAX) return true
  }
  return source.split('\n').some((line) => (line.match(/[-?:](?=\s|$)/g)?.length ?? 0) > DEPTH_MAX)
}

function readYaml(source: string): ConfigurationText {
  const document = parseDocument(source, {
    schema: 'core',
    version: '1.2',
    resolveKnownTags: false,
    prettyErrors: true,
  })
  const problems = [...document.errors, ...document.warnings].map(({ message, linePos }) =>
    problemAt('bad_yaml', message, linePos?.[0].line),
  )
  const value: unknown = problems.length > 0 ? {} : document.toJS({ maxAliasCount: ALIASES_MAX })
  return { value: value ?? {}, problems }
}

/** JSON is YAML, too, whose parser tells members that are there twice. */
function readJson(source: string): ConfigurationText {
  const value: unknown = JSON.parse(source)
  const { errors } = parseDocument(source, { schema: 'json', prettyErrors: true })
  const twice = errors.filter(({ code }) => code === 'DUPLICATE_KEY')
  return { value, problems: twice.map(({ message, linePos }) => problemAt('bad_json', message, linePos?.[0].line)) }
}

function problemAt(code: string, message: string, row: number | undefined): Problem {
  const text = `The configuration cannot be read: ${visible(message.split('\n')[0] ?? '')}`
  return { severity: 'error', code, message: text, ...(row === undefined ? {} : { row }) }
}

/** A configuration file that was found. */
export interface ConfigurationFile extends ConfigurationText {
  readonly file: string
}

/** Reads the file that `path` names. */
export async function readConfigurationFile(path: string): Promise<ConfigurationFile> {
  try {
    const format = formatOf(path)
    const { size } = await stat(path)
    if (size > BYTES_MAX)
      throw refusal('too_large', `A configuration has at most ${BYTES_MAX} bytes, ${path} has ${size}.`)
    return { file: path, ...readConfigurationText(await readFile(path, 'utf8'), format) }
  } catch (error) {
    return { file: path, value: {}, problems: problemsOf(error, path) }
  }
}

function problemsOf(error: unknown, path: string): readonly Problem[] {
  if (error instanceof InputError) return error.problems
  const { code, message } = error as NodeJS.ErrnoException
  return refusal('config_not_read', `The configuration ${path} cannot be read: ${code ?? message}.`).problems
}

/** The first file that exists: in the folder, then at home, the names of today before the older ones. Others of the same place are a warning. */
export async function findConfigurationFile(
  folder: string,
  home: string | undefined,
): Promise<{ path: string | undefined; problems: Problem[] }> {
  const places = [[...IN_FOLDER, ...IN_FOLDER_OLDER].map((name) => join(folder, name))]
  if (home !== undefined) places.push([...AT_HOME, ...AT_HOME_OLDER].map((name) => join(home, name)))
  for (const place of places) {
    const exist = await Promise.all(place.map(isFile))
    const [path, ...others] = place.filter((_, index) => exist[index])
    if (path !== undefined) return { path, problems: others.map((other) => unused(other, path)) }
  }
  return { path: undefined, problems: [] }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function unused(path: string, used: string): Problem {
  return { severity: 'warning', code: 'config_not_used', message: `${path} is not used, because there is ${used}.` }
}

function refusal(code: string, message: string): InputError {
  return new InputError([{ severity: 'error', code, message }])
}
