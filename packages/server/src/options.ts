import * as z from 'zod'
import type { ApiKeyOptions } from './access/api-key.js'
import type { Authenticator } from './access/authenticator.js'
import type { ChannelRule, ChannelRuleOptions } from './access/channel-rules.js'
import type { RoleBook } from './access/grants.js'
import { SECRET_BYTES_MIN } from './access/token.js'
import type { Clock } from './clock.js'
import type { DrainOptions } from './core/nodes/drain.js'
import type { Limits } from './core/limits/limits.js'
import type { LeaseOptions } from './core/nodes/node-lease.js'
import type { DiskEngineOptions } from './engine/disk/disk-engine.js'
import type { Engine } from './engine/engine.js'
import type { RedisEngineOptions } from './engine/redis/redis-options.js'
import { resolveApiKeys } from './options/api-key-options.js'
import { type ResolvedAuth, type TokenOptions, authSchema, resolveAuth } from './options/auth-options.js'
import { resolveRules, ruleSchema } from './options/channel-options.js'
import { type Environment, environmentSchema, strictnessOf } from './options/environment.js'
import { duration, isFunction, requireDuration, whole, word } from './options/leaves.js'
import { HEARTBEAT, type LimitOptions, limitsSchema, resolveLimits } from './options/limit-options.js'
import { type OverloadOptions, overloadSchema } from './options/rate-options.js'
import { OptionsError, describeFirst } from './options/options-error.js'
import { type OriginOptions, type ResolvedOrigins, originSchemas, resolveOrigins } from './options/origin-options.js'
import { type RoleOptions, resolveRoles, rolesSchema } from './options/role-options.js'
import { checkSecret } from './options/secret.js'
import { type Tenancy, type TenancyOptions, resolveTenancy, tenancySchemas } from './options/tenant-options.js'
import {
  type ResolvedWebhooks,
  type WebhookGroup,
  checkDecisions,
  resolveWebhooks,
  webhooksSchema,
} from './options/webhook-options.js'
import type { MemoryProbe } from './memory.js'
import type { Random } from './random.js'
import type { Logger } from './telemetry/log.js'

/**
 * Where state lives. `memory`: in this process. `disk`: in this process and in a directory, so that it outlives the process. `redis`: in Redis 7 or newer, or Valkey, shared by every node that names the same; an address such as
 * `redis://:password@host:6379`, `redis+sentinel://host:26379,host:26379/master`, `redis+cluster://host:6379,host:6379`, or the options in full. Or an engine of your own.
 */
export type EngineChoice =
  | 'memory'
  | { readonly disk: string | DiskEngineOptions }
  | { readonly redis: string | RedisEngineOptions }
  | Engine

/** How a node is set up. */
export interface HoldfastOptions extends TenancyOptions, OriginOptions, RoleOptions, WebhookGroup {
  /** Which tokens are accepted; or a function of your own from a credential to an identity. */
  readonly auth: (
    | (TokenOptions & { /** Whether `?token=` is read (default: outside production). */ readonly queryToken?: boolean })
    | Authenticator
  ) & { /** API keys for servers, beside those of `tenant(id).keys`. */ readonly apiKeys?: readonly ApiKeyOptions[] }
  /** The channel rules by pattern; the first that names a channel decides, and where none does everything is refused. */
  readonly channels?: Readonly<Record<string, ChannelRuleOptions>>
  /** Where state lives (default `memory`). */
  readonly engine?: EngineChoice
  /** Default `development`. A name that is not known is as strict as `production`. */
  readonly environment?: Environment
  /** The path of the WebSocket (default `/ws`). */
  readonly path?: string
  /** The name of this node (default: random). */
  readonly node?: string
  readonly limits?: LimitOptions
  /** What a node does without when its memory gets short. */
  readonly overload?: OverloadOptions
  readonly heartbeat?: {
    /** Default 25,000. */ readonly intervalMs?: number
    /** Default 35,000; more than `intervalMs`. */ readonly timeoutMs?: number
  }
  readonly session?: { /** How long a session outlives its connection (default 300,000). */ readonly windowMs?: number }
  readonly presence?: {
    /** Default 15,000. */ readonly graceMs?: number
    /** Default 250. */ readonly coalesceMs?: number
    /** Default 1,000. */ readonly sampleMax?: number
  }
  readonly operations?: {
    /** Milliseconds between updates (default 200). */ readonly conflateMs?: number
    /** Milliseconds without a word of its worker after which an operation is stalled (30,000), where its specification says nothing else. */
    readonly leaseMs?: number
    /** Operations below one operation (1,000). */ readonly childrenMax?: number
    /** Default `24h`. */ readonly runningTtl?: number | string
    /** Default `24h`. */ readonly completedTtl?: number | string
    /** Default `7d`. */ readonly failedTtl?: number | string
    /** Whether what programs leave in Redis is read (default true). */ readonly reports?: boolean
  }
  readonly drain?: {
    /** Default 0. */ readonly delayMs?: number
    /** Default 5,000. */ readonly windowMs?: number
    /** Default 500. */ readonly ratePerSecondMax?: number
    /** Default 30,000. */ readonly deadlineMs?: number
  }
  /** Tokens for single channels. */
  readonly channelTokens?: {
    /** What signs them, at least 32 bytes, the same on each node (default: a key made of `auth.secret`; without either there are none). */
    readonly secret?: string
  }
  /** What nodes that share an engine are to each other. */
  readonly cluster?: {
    /**
     * What seals the messages between nodes, at least 32 bytes, the same on each (default: made of `auth.secret`). Needed where an authenticator of your own meets
     * an engine that nodes share.
     */
    readonly secret?: string
    /** Milliseconds between renewals of the node's lease (3,000). */
    readonly renewMs?: number
    /** Milliseconds after which a node that was not heard of counts as dead (10,000); at least twice `renewMs`. */
    readonly leaseMs?: number
  }
  /** Where log lines go (default: nowhere). */
  readonly log?: Logger
  /** Time, for simulations. */
  readonly clock?: Clock
  /** Chance, for simulations. */
  readonly random?: Random
  /** How much memory is used and how much there is, for simulations. */
  readonly memory?: MemoryProbe
}

/** The options with every default filled in. */
export interface ResolvedOptions extends Tenancy, ResolvedOrigins {
  readonly auth: ResolvedAuth
  readonly queryToken: boolean
  readonly channelTokenSecret: string | undefined
  readonly apiKeys: readonly ApiKeyOptions[]
  readonly rules: readonly ChannelRule[]
  readonly roles: RoleBook
  readonly webhooks: ResolvedWebhooks | undefined
  readonly engine: EngineChoice
  readonly environment: Environment
  readonly path: string
  readonly node: string | undefined
  readonly limits: Limits
  readonly drain: DrainOptions
  readonly cluster: LeaseOptions & { /** What the nodes share, and nobody else knows. */ readonly secret: string }
  readonly operations: {
    readonly conflateMs: number
    readonly leaseMs: number
    readonly childrenMax: number
    readonly runningMs: number
    readonly completedMs: number
    readonly failedMs: number
    readonly reports: boolean
  }
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws OptionsError naming the first option that is wrong.
 */
export function resolveOptions(options: HoldfastOptions): ResolvedOptions {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw new OptionsError(describeFirst(parsed.error, options))
  const { environment = 'development', path = '/ws', engine = 'memory', node, operations, drain } = parsed.data
  const auth = resolveAuth(options, environment)
  checkHeartbeat(parsed.data)
  const tenancy = resolveTenancy(options)
  return {
    auth,
    queryToken:
      ('queryToken' in options.auth ? options.auth.queryToken : undefined) ??
      strictnessOf(environment) !== 'production',
    channelTokenSecret: resolveChannelTokenSecret(options, environment),
    apiKeys: resolveApiKeys(options.auth),
    ...resolveAccess(options, environment, tenancy),
    engine: engine as EngineChoice,
    environment,
    path,
    node,
    limits: resolveLimits(parsed.data),
    ...tenancy,
    ...resolveOrigins(options, environment, tenancy),
    drain: {
      delayMs: drain?.delayMs ?? 0,
      windowMs: drain?.windowMs ?? 5_000,
      ratePerSecondMax: drain?.ratePerSecondMax ?? 500,
      deadlineMs: drain?.deadlineMs ?? 30_000,
    },
    cluster: resolveCluster(options, environment),
    operations: {
      conflateMs: operations?.conflateMs ?? 200,
      leaseMs: operations?.leaseMs ?? 30_000,
      childrenMax: operations?.childrenMax ?? 1_000,
      runningMs: requireDuration(operations?.runningTtl ?? '24h'),
      completedMs: requireDuration(operations?.completedTtl ?? '24h'),
      failedMs: requireDuration(operations?.failedTtl ?? '7d'),
      reports: operations?.reports ?? true,
    },
  }
}

function resolveAccess(
  options: HoldfastOptions,
  environment: Environment,
  tenancy: Tenancy,
): Pick<ResolvedOptions, 'rules' | 'roles' | 'webhooks'> {
  const rules = resolveRules(options.channels)
  const webhooks = resolveWebhooks(options, environment)
  checkDecisions(rules, webhooks)
  return { rules, roles: resolveRoles(options, tenancy), webhooks }
}

function resolveCluster(
  { cluster = {}, auth, engine = 'memory' }: HoldfastOptions,
  environment: Environment,
): ResolvedOptions['cluster'] {
  const { renewMs = 3_000, leaseMs = 10_000 } = cluster
  if (leaseMs < renewMs * 2)
    throw new OptionsError(`cluster.leaseMs must be at least twice renewMs (${renewMs}), received ${leaseMs}`)
  const secret = cluster.secret ?? ('secret' in auth ? auth.secret : undefined)
  if (secret === undefined && isShared(engine))
    throw new OptionsError(
      `cluster.secret must be at least ${SECRET_BYTES_MIN} bytes where nodes share an engine and auth has no secret, received undefined`,
    )
  if (secret !== undefined) checkSecret('cluster.secret', secret, environment)
  // Within one process nobody else can say anything.
  return { renewMs, leaseMs, secret: secret ?? '' }
}

function resolveChannelTokenSecret(
  { channelTokens = {}, auth }: HoldfastOptions,
  environment: Environment,
): string | undefined {
  if (channelTokens.secret !== undefined) checkSecret('channelTokens.secret', channelTokens.secret, environment)
  return channelTokens.secret ?? ('secret' in auth ? auth.secret : undefined)
}

/** Whether nodes in other processes may use the engine. */
function isShared(engine: EngineChoice): boolean {
  if (engine === 'memory' || 'disk' in engine) return false
  return 'redis' in engine || !['memory', 'disk'].includes(engine.name)
}

function checkHeartbeat({ heartbeat = {} }: z.infer<typeof schema>): void {
  const { intervalMs = HEARTBEAT.intervalMs, timeoutMs = HEARTBEAT.timeoutMs } = heartbeat
  if (timeoutMs <= intervalMs)
    throw new OptionsError(`heartbeat.timeoutMs must be more than intervalMs (${intervalMs}), received ${timeoutMs}`)
}

function isNamed(value: unknown, name: 'disk' | 'redis'): boolean {
  const how = (value as Readonly<Record<string, unknown>> | undefined | null)?.[name]
  return (typeof how === 'string' && how !== '') || (typeof how === 'object' && how !== null)
}

const schema = z.strictObject({
  auth: authSchema,
  channels: z.record(z.string(), ruleSchema).optional(),
  roles: rolesSchema.optional(),
  webhooks: webhooksSchema.optional(),
  engine: z
    .custom<unknown>(
      (value) =>
        value === 'memory' ||
        isNamed(value, 'disk') ||
        isNamed(value, 'redis') ||
        isFunction((value as Engine | undefined)?.publish),
      '"memory", { disk: a directory or options }, { redis: an address or options }, or an engine',
    )
    .optional(),
  environment: environmentSchema,
  ...originSchemas,
  path: word('a path such as /ws', /^\/[A-Za-z0-9_./-]*[A-Za-z0-9_-]$/),
  node: word('1 to 64 of A-Z a-z 0-9 _ . -', /^[A-Za-z0-9_.-]{1,64}$/),
  limits: limitsSchema.optional(),
  overload: overloadSchema.optional(),
  ...tenancySchemas,
  heartbeat: z.strictObject({ intervalMs: whole(20, 3_600_000), timeoutMs: whole(20, 3_600_000) }).optional(),
  session: z.strictObject({ windowMs: whole(0, 86_400_000) }).optional(),
  presence: z
    .strictObject({ graceMs: whole(0, 600_000), coalesceMs: whole(0, 10_000), sampleMax: whole(1, 1_000) })
    .optional(),
  operations: z
    .strictObject({
      conflateMs: whole(0, 60_000),
      leaseMs: whole(1_000, 86_400_000),
      childrenMax: whole(0, 10_000),
      runningTtl: duration.optional(),
      completedTtl: duration.optional(),
      failedTtl: duration.optional(),
      reports: z.boolean('true or false').optional(),
    })
    .optional(),
  drain: z
    .strictObject({
      delayMs: whole(0, 600_000),
      windowMs: whole(0, 600_000),
      ratePerSecondMax: whole(1, 100_000),
      deadlineMs: whole(0, 3_600_000),
    })
    .optional(),
  channelTokens: z.strictObject({ secret: z.string('text').optional() }).optional(),
  cluster: z
    .strictObject({ secret: z.string('text').optional(), renewMs: whole(20, 60_000), leaseMs: whole(40, 600_000) })
    .optional(),
  log: z
    .custom<Logger>(
      (value) => isFunction((value as Logger | undefined)?.info),
      'a logger with debug, info, warn and error',
    )
    .optional(),
  clock: z.custom<Clock>((value) => isFunction((value as Clock | undefined)?.now), 'a clock').optional(),
  random: z.custom<Random>((value) => isFunction((value as Random | undefined)?.id), 'a random').optional(),
  memory: z.custom<MemoryProbe>(isFunction, 'a function').optional(),
})
