import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { type AuthSettings, authSettings, completeAuth } from './auth-settings.js'
import {
  chooseEngine,
  DATA_DIRECTORY,
  ENGINE_EXPECTED,
  type EngineChoice,
  type EngineSettings,
  namesEngine,
} from './engine-choice.js'
import { EXIT, Failure, describeError } from './failure.js'

/** One rule, limit or timing of the server; its members are checked by the server itself, which knows them. */
const members = z.record(z.string(), z.unknown(), { error: 'a mapping of names to values' })

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const log = z.strictObject(
  {
    level: z.enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` }).default('info'),
    format: z.enum(['auto', 'json', 'pretty'], { error: 'one of auto, json, pretty' }).default('auto'),
  },
  { error: 'a mapping with level or format' },
)

const digits = (value: unknown): unknown =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value

const PORT_EXPECTED = 'an integer from 0 to 65535'
const WORKERS_MAX = 256
const WORKERS_EXPECTED = `auto or an integer from 1 to ${WORKERS_MAX}`
const ENVIRONMENT_EXPECTED = 'development, staging, production, or a name of yours, which is as strict as production'

/** A variable holds one line. */
const commaSeparated = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(',').map((entry) => entry.trim()) : value

/** In a variable `missing` stands for clients that send no `Origin`; a file says it with `allowMissing`. */
function originsOf(value: unknown): unknown {
  const entries = commaSeparated(value)
  if (typeof value !== 'string' || !Array.isArray(entries)) return value
  return { allow: entries.filter((entry) => entry !== 'missing'), allowMissing: entries.includes('missing') }
}

const names = z.preprocess(commaSeparated, z.array(z.string(), { error: 'a list of texts' })).optional()

/** Every setting of the standalone server. Flags, environment and file are all read through it. */
const settings = z.strictObject({
  port: z
    .preprocess(digits, z.int({ error: PORT_EXPECTED }).min(0, PORT_EXPECTED).max(65_535, PORT_EXPECTED))
    .default(8000),
  host: z.string({ error: 'a host name or address' }).min(1, 'a host name or address').default('127.0.0.1'),
  environment: z
    .string({ error: ENVIRONMENT_EXPECTED })
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, ENVIRONMENT_EXPECTED)
    .default('development'),
  origins: z
    .preprocess(
      originsOf,
      z.union([z.array(z.string()), members], { error: 'a list of origins, or a mapping with allow and allowMissing' }),
    )
    .optional(),
  hosts: names,
  trustedProxies: names,
  engine: z
    .custom<EngineSettings['engine']>(
      (value) => (typeof value === 'string' ? namesEngine(value) : members.safeParse(value).success),
      ENGINE_EXPECTED,
    )
    .optional(),
  cluster: members.optional(),
  clusterSecret: z.string({ error: 'text of at least 32 bytes' }).optional(),
  workers: z
    .preprocess(
      (value) => (value === 'auto' ? Math.min(availableParallelism(), WORKERS_MAX) : digits(value)),
      z.int({ error: WORKERS_EXPECTED }).min(1, WORKERS_EXPECTED).max(WORKERS_MAX, WORKERS_EXPECTED),
    )
    .optional(),
  secret: z.string({ error: 'text of at least 32 bytes' }).optional(),
  dataDir: z.string({ error: 'a directory' }).min(1, 'a directory').optional(),
  demo: z.boolean({ error: 'true or false' }).optional(),
  path: z
    .string({ error: 'a path such as /ws' })
    .regex(/^(?:\/[A-Za-z0-9_-]+)+$/, 'a path such as /ws')
    .default('/ws'),
  auth: authSettings.default({}),
  jwksUrl: z.string({ error: 'an https address' }).optional(),
  tokenIssuer: z.string({ error: 'text' }).optional(),
  tokenAudience: z.string({ error: 'text' }).optional(),
  channelTokens: members.optional(),
  channels: z.record(z.string(), members, { error: 'a mapping of channel patterns to rules' }).optional(),
  roles: z.record(z.string(), members, { error: 'a mapping of roles to what they grant' }).optional(),
  webhooks: members.optional(),
  webhookSecret: z.string({ error: 'text of at least 32 bytes' }).optional(),
  tenants: z.record(z.string(), members, { error: 'a mapping of tenants to what they have' }).optional(),
  plans: z.record(z.string(), members, { error: 'a mapping of plans to their quotas' }).optional(),
  defaultPlan: z.string({ error: 'the name of a plan' }).optional(),
  limits: members.optional(),
  overload: members.optional(),
  heartbeat: members.optional(),
  session: members.optional(),
  presence: members.optional(),
  operations: members.optional(),
  drain: members.optional(),
  log: log.prefault({}),
})

/** Rules, limits or timings of the server by name, as `@holdfast/server` takes them. */
type Members = Readonly<Record<string, unknown>>

/**
 * The settings of the standalone server, checked and with their defaults. `docs/reference/configuration.md` describes
 * each.
 */
export interface Configuration {
  readonly port: number
  readonly host: string
  readonly environment: string
  /** The pages that may connect. */
  readonly origins?: readonly string[] | Members | undefined
  /** The names that it answers for. */
  readonly hosts?: readonly string[] | undefined
  /** Proxies that are believed what they say of a client's address. */
  readonly trustedProxies?: readonly string[] | undefined
  readonly engine: EngineChoice
  /** How nodes that share an engine know each other. */
  readonly cluster?: Members | undefined
  /** What seals their messages, in place of `cluster.secret`. */
  readonly clusterSecret?: string | undefined
  /** Processes that serve together; undefined: this one alone. */
  readonly workers?: number | undefined
  readonly secret?: string | undefined
  readonly dataDir: string
  /** Undefined: in development. */
  readonly demo?: boolean | undefined
  readonly path: string
  readonly auth: AuthSettings
  /** In place of `auth.jwks.url`, `auth.issuer` and `auth.audience`, for variables. */
  readonly jwksUrl?: string | undefined
  readonly tokenIssuer?: string | undefined
  readonly tokenAudience?: string | undefined
  /** What signs the tokens of single channels. */
  readonly channelTokens?: Members | undefined
  readonly channels?: Readonly<Record<string, Members>> | undefined
  /** Named sets of grants. */
  readonly roles?: Readonly<Record<string, Members>> | undefined
  /** What is asked and told over HTTP. */
  readonly webhooks?: Members | undefined
  /** What webhooks are signed with, in place of `webhooks.secret`. */
  readonly webhookSecret?: string | undefined
  readonly tenants?: Readonly<Record<string, Members>> | undefined
  readonly plans?: Readonly<Record<string, Members>> | undefined
  readonly defaultPlan?: string | undefined
  readonly limits?: Members | undefined
  readonly overload?: Members | undefined
  readonly heartbeat?: Members | undefined
  readonly session?: Members | undefined
  readonly presence?: Members | undefined
  readonly operations?: Members | undefined
  readonly drain?: Members | undefined
  readonly log: { readonly level: (typeof LOG_LEVELS)[number]; readonly format: 'auto' | 'json' | 'pretty' }
}

/** The name of a setting. */
export type SettingName = keyof Configuration

/** What the command line says; undefined where it says nothing. */
export type Flags = { readonly [K in SettingName]?: unknown }

const FLAGS: Partial<Record<SettingName, string>> = {
  port: '--port',
  host: '--host',
  engine: '--engine',
  workers: '--workers',
  dataDir: '--data-dir',
  demo: '--demo',
}

/** The environment variable of each setting that has one. */
export const VARIABLES: Readonly<Partial<Record<SettingName, string>>> = {
  port: 'PORT',
  host: 'HOST',
  environment: 'HOLDFAST_ENV',
  origins: 'HOLDFAST_ORIGINS',
  hosts: 'HOLDFAST_HOSTS',
  trustedProxies: 'HOLDFAST_TRUSTED_PROXIES',
  engine: 'REDIS_URL',
  workers: 'HOLDFAST_WORKERS',
  secret: 'HOLDFAST_SECRET',
  clusterSecret: 'HOLDFAST_CLUSTER_SECRET',
  webhookSecret: 'HOLDFAST_WEBHOOK_SECRET',
  jwksUrl: 'HOLDFAST_JWKS_URL',
  tokenIssuer: 'HOLDFAST_ISSUER',
  tokenAudience: 'HOLDFAST_AUDIENCE',
  dataDir: 'HOLDFAST_DATA_DIR',
}

/** Where settings come from. A flag beats a variable, a variable beats the file, the file beats the default. */
export interface ConfigurationSources {
  readonly flags?: Flags
  /** Variables that are empty count as absent. */
  readonly env: NodeJS.ProcessEnv
  /** The path of a YAML file. */
  readonly file?: string | undefined
}

/** Reads and checks the settings. Throws a `Failure` that names the source, the expectation and the value received. */
export async function loadConfiguration(sources: ConfigurationSources): Promise<Configuration> {
  const file = sources.file === undefined ? {} : await readConfigurationFile(sources.file)
  const merged = merge(sources, file)
  const parsed = settings.safeParse(merged.values)
  if (parsed.success) {
    const { dataDir = DATA_DIRECTORY } = parsed.data
    const auth = await completeAuth(parsed.data.auth, parsed.data)
    return { ...parsed.data, auth, engine: chooseEngine(parsed.data), dataDir }
  }
  const problems = parsed.error.issues.map((issue) => describeIssue(issue, merged))
  throw new Failure(problems.join('\n'), EXIT.usage)
}

/** Where each setting comes from that is not a default: `--port`, `PORT`, `port in holdfast.yaml`. */
export async function settingSources(sources: ConfigurationSources): Promise<ReadonlyMap<string, string>> {
  const file = sources.file === undefined ? {} : await readConfigurationFile(sources.file)
  return merge(sources, file).origins
}

interface Merged {
  readonly values: Record<string, unknown>
  /** By setting: how its source is called. */
  readonly origins: Map<string, string>
  readonly file: string | undefined
}

function merge({ flags = {}, env, file }: ConfigurationSources, fromFile: Record<string, unknown>): Merged {
  const values: Record<string, unknown> = { ...fromFile }
  const origins = new Map(Object.keys(fromFile).map((name) => [name, `${name} in ${file}`]))
  const take = (name: string, value: unknown, origin: string): void => {
    if (value === undefined || value === '') return
    values[name] = value
    origins.set(name, origin)
  }
  for (const [name, variable] of Object.entries(VARIABLES)) take(name, env[variable], variable)
  for (const [name, flag] of Object.entries(FLAGS)) take(name, flags[name as SettingName], flag)
  return { values, origins, file }
}

async function readConfigurationFile(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Failure(`--config must be a file that can be read: ${describeError(error)}`, EXIT.usage)
  })
  return parseConfiguration(text, path)
}

/**
 * The mapping that a YAML text holds; an empty text holds an empty one. Throws a `Failure` that names `path` and the
 * line.
 */
export function parseConfiguration(text: string, path: string): Record<string, unknown> {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true })
  const problem = document.errors[0]
  if (problem) throw new Failure(`${path} is not valid YAML: ${firstLine(problem.message)}`, EXIT.usage)
  const value: unknown = document.toJS({ maxAliasCount: 20 }) ?? {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Failure(`${path} must hold a mapping of settings, received ${preview(value)}`, EXIT.usage)
}

function describeIssue(issue: z.core.$ZodIssue, { values, origins, file }: Merged): string {
  const [setting, ...rest] = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return describeUnknown([setting ?? '', ...rest], issue.keys, file)
  const origin = origins.get(setting ?? '') ?? setting ?? 'configuration'
  const [name, ...where] = origin.split(' in ')
  const full = [[name, ...rest].join('.'), ...where].join(' in ')
  const isSecret =
    ['secret', 'cluster', 'clusterSecret', 'webhookSecret', 'webhooks', 'channelTokens', 'tenants'].includes(
      setting ?? '',
    ) || rest.some((part) => ['apiKeys', 'keys', 'issuers'].includes(part))
  const received = isSecret ? 'something else' : withoutCredentials(preview(valueAt(values, issue.path)))
  return `${full} must be ${issue.message}, received ${received}`
}

function describeUnknown(path: string[], keys: string[], file: string | undefined): string {
  const names = keys.map((key) => [...path.filter((part) => part !== ''), key].join('.'))
  const known = path[0] === '' ? `; known are ${Object.keys(settings.shape).join(', ')}` : ''
  return `${names.join(', ')} in ${file} is not a setting${known}`
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], values)
}

function preview(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** An address may hold a password, also one that is misspelt. */
function withoutCredentials(text: string): string {
  return text.replace(/"[^"]*@/g, '"…@')
}

/** Below it the text is shown with a mark; that may be a secret. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/:$/, '')
}
