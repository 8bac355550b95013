import { DEFAULT_FRAME_LIMITS } from '@holdfast/protocol'
import * as z from 'zod'
import type { Authenticator } from './access/authenticator.js'
import { type ChannelRule, type ChannelRuleOptions, resolveChannelRule } from './access/channel-rules.js'
import { SECRET_BYTES_MIN, type TokenOptions } from './access/token.js'
import type { Clock } from './clock.js'
import type { DrainOptions } from './core/drain.js'
import type { Limits } from './core/limits.js'
import type { LeaseOptions } from './core/node-lease.js'
import { durationMs } from './duration.js'
import type { DiskEngineOptions } from './engine/disk/disk-engine.js'
import type { Engine } from './engine/engine.js'
import type { RedisEngineOptions } from './engine/redis/redis-options.js'
import type { Random } from './random.js'
import type { Logger } from './telemetry/log.js'

/** Where a node runs: `production` and `staging` are strict, `development` is convenient. */
export type Environment = 'development' | 'staging' | 'production'

/** Every bound that may be changed, with its unit in its name. Defaults in brackets. */
export interface LimitOptions {
  /** Bytes of a frame, and of the data of one message, 1,024 to 16,777,216 (65,536). */
  readonly messageBytesMax?: number
  /** Bytes of a frame before authentication, 1,024 to 65,536 (16,384). */
  readonly handshakeBytesMax?: number
  /** Commands in one frame, 1 to 1,024 (64). */
  readonly commandsPerFrameMax?: number
  /** Nesting of arrays and objects in a command, 4 to 128 (32). */
  readonly jsonDepthMax?: number
  /** Members of one object in a command, 16 to 65,536 (256). */
  readonly objectKeysMax?: number
  /** Channels of one connection, 1 to 10,000 (256). */
  readonly channelsMax?: number
  /** Commands of one connection that wait for their answer, 1 to 1,024 (32). */
  readonly commandsInFlightMax?: number
  /** Bytes queued to one connection, 65,536 to 1,073,741,824 (1,048,576). */
  readonly outboxBytesMax?: number
  /** Milliseconds that a slow reader may take for what waits for it, 1,000 to 3,600,000 (30,000). */
  readonly outboxAgeMaxMs?: number
  /** Bytes queued to all slow readers of this node, 1,048,576 to 1,099,511,627,776 (268,435,456). Over it the largest queue is given up. */
  readonly outboxTotalBytesMax?: number
  /** Malformed commands before a connection is closed, 1 to 10,000 (10). */
  readonly errorsMax?: number
  /** Connections of one user, on all nodes, 1 to 1,000,000 (10). */
  readonly connectionsPerUserMax?: number
  /** Connections of one tenant, on all nodes, 1 to 100,000,000 (as many as the nodes take). */
  readonly connectionsPerTenantMax?: number
  /** Connections from one address (of IPv6: from one /64), on all nodes, 1 to 100,000,000 (as many as come). Behind a proxy all have the address of the proxy. */
  readonly connectionsPerAddressMax?: number
  /** Connections of this node, 1 to 1,000,000 (100,000). */
  readonly connectionsMax?: number
  /** Bytes of a session's state, 0 to 1,048,576 (16,384). */
  readonly stateBytesMax?: number
  /** Bytes of what a member tells of itself, 0 to 65,536 (1,024). */
  readonly presenceInfoBytesMax?: number
  /** Milliseconds until `hello` must have come, 100 to 120,000 (10,000). */
  readonly handshakeTimeoutMs?: number
  /** Messages that one subscription recovers at most, 0 to 9,999 (1,000). */
  readonly recoveryMessagesMax?: number
  /** Characters of data that one subscription recovers at most (half of `outboxBytesMax`). */
  readonly recoveryBytesMax?: number
  /** Messages that may arrive while one subscription recovers, 1 to 100,000 (1,000). */
  readonly gateMessagesMax?: number
  /** Characters of data that may arrive while one subscription recovers (a quarter of `outboxBytesMax`). */
  readonly gateBytesMax?: number
  /** Milliseconds without a message after which a channel is compared with its log, 100 to 3,600,000 (25,000). */
  readonly quietCheckMs?: number
  /** Messages of `whenDegraded: 'local'` that wait for the engine, 0 to 1,000,000 (10,000). */
  readonly spoolMessagesMax?: number
  /** Characters of data that wait so, 0 to 1,073,741,824 (16,777,216). */
  readonly spoolBytesMax?: number
}

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
export interface HoldfastOptions {
  /** Which tokens are accepted; or a function of your own from a credential to an identity. */
  readonly auth:
    | (TokenOptions & { /** Whether `?token=` is read (default: outside production). */ readonly queryToken?: boolean })
    | Authenticator
  /** The channel rules by pattern; the first that names a channel decides, and where none does everything is refused. */
  readonly channels?: Readonly<Record<string, ChannelRuleOptions>>
  /** Where state lives (default `memory`). */
  readonly engine?: EngineChoice
  /** Default `development`. */
  readonly environment?: Environment
  /** The path of the WebSocket (default `/ws`). */
  readonly path?: string
  /** The name of this node (default: random). */
  readonly node?: string
  readonly limits?: LimitOptions
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
    /** Default `24h`. */ readonly runningTtl?: number | string
    /** Default `24h`. */ readonly completedTtl?: number | string
    /** Default `7d`. */ readonly failedTtl?: number | string
  }
  readonly drain?: {
    /** Default 0. */ readonly delayMs?: number
    /** Default 5,000. */ readonly windowMs?: number
    /** Default 500. */ readonly ratePerSecondMax?: number
    /** Default 30,000. */ readonly deadlineMs?: number
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
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly auth: HoldfastOptions['auth']
  readonly queryToken: boolean
  readonly rules: readonly ChannelRule[]
  readonly engine: EngineChoice
  readonly environment: Environment
  readonly path: string
  readonly node: string | undefined
  readonly limits: Limits
  readonly drain: DrainOptions
  readonly cluster: LeaseOptions & { /** What the nodes share, and nobody else knows. */ readonly secret: string }
  readonly operations: {
    readonly conflateMs: number
    readonly runningMs: number
    readonly completedMs: number
    readonly failedMs: number
  }
}

/** Thrown by `createHoldfast` for options that are not valid; the message names option, expectation and value received. */
export class OptionsError extends Error {
  readonly code = 'invalid_options'

  constructor(message: string) {
    super(message)
    this.name = 'OptionsError'
  }
}

/** Operations are a part of the product, not of the application's rules; a rule for them in the options goes first. */
const BUILT_IN_RULES: Readonly<Record<string, ChannelRuleOptions>> = {
  'operation:{id}': { subscribe: 'owner', publish: 'nobody', history: { size: 100, ttl: '24h' }, slow: 'latest' },
}

const HEARTBEAT = { intervalMs: 25_000, timeoutMs: 35_000 }

/** Secrets that stand in tutorials. */
const KNOWN_SECRETS = /^(.)\1*$|secret|password|changeme|change-me|your-|example|12345678901234567890/i

/**
 * Checks the options and fills in the defaults.
 *
 * @throws OptionsError naming the first option that is wrong.
 */
export function resolveOptions(options: HoldfastOptions): ResolvedOptions {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw new OptionsError(describeFirst(parsed.error, options))
  const { environment = 'development', path = '/ws', engine = 'memory', node, operations, drain } = parsed.data
  if ('secret' in options.auth) checkSecret('auth.secret', options.auth.secret, environment)
  checkHeartbeat(parsed.data)
  return {
    auth: options.auth,
    queryToken: ('queryToken' in options.auth ? options.auth.queryToken : undefined) ?? environment !== 'production',
    rules: resolveRules({
      ...options.channels,
      ...BUILT_IN_RULES,
      ...pick(options.channels, Object.keys(BUILT_IN_RULES)),
    }),
    engine: engine as EngineChoice,
    environment,
    path,
    node,
    limits: resolveLimits(parsed.data),
    drain: {
      delayMs: drain?.delayMs ?? 0,
      windowMs: drain?.windowMs ?? 5_000,
      ratePerSecondMax: drain?.ratePerSecondMax ?? 500,
      deadlineMs: drain?.deadlineMs ?? 30_000,
    },
    cluster: resolveCluster(options, environment),
    operations: {
      conflateMs: operations?.conflateMs ?? 200,
      runningMs: requireDuration(operations?.runningTtl ?? '24h'),
      completedMs: requireDuration(operations?.completedTtl ?? '24h'),
      failedMs: requireDuration(operations?.failedTtl ?? '7d'),
    },
  }
}

function pick<T>(from: Readonly<Record<string, T>> | undefined, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(from ?? {}).filter(([name]) => names.includes(name)))
}

function resolveRules(channels: Readonly<Record<string, ChannelRuleOptions>>): ChannelRule[] {
  try {
    return Object.entries(channels).map(([pattern, rule]) => resolveChannelRule(pattern, rule, requireDuration))
  } catch (error) {
    throw new OptionsError((error as Error).message)
  }
}

function resolveLimits({ limits = {}, heartbeat = {}, session = {}, presence = {} }: z.infer<typeof schema>): Limits {
  const outboxBytesMax = limits.outboxBytesMax ?? 1_048_576
  return {
    messageBytesMax: limits.messageBytesMax ?? DEFAULT_FRAME_LIMITS.messageBytesMax,
    handshakeBytesMax: limits.handshakeBytesMax ?? DEFAULT_FRAME_LIMITS.handshakeBytesMax,
    commandsPerFrameMax: limits.commandsPerFrameMax ?? DEFAULT_FRAME_LIMITS.commandsPerFrameMax,
    jsonDepthMax: limits.jsonDepthMax ?? DEFAULT_FRAME_LIMITS.jsonDepthMax,
    objectKeysMax: limits.objectKeysMax ?? DEFAULT_FRAME_LIMITS.objectKeysMax,
    channelsMax: limits.channelsMax ?? 256,
    commandsInFlightMax: limits.commandsInFlightMax ?? 32,
    outboxBytesMax,
    outboxAgeMaxMs: limits.outboxAgeMaxMs ?? 30_000,
    outboxTotalBytesMax: limits.outboxTotalBytesMax ?? 268_435_456,
    errorsMax: limits.errorsMax ?? 10,
    connectionsPerUserMax: limits.connectionsPerUserMax ?? 10,
    connectionsPerTenantMax: limits.connectionsPerTenantMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    connectionsMax: limits.connectionsMax ?? 100_000,
    stateBytesMax: limits.stateBytesMax ?? 16_384,
    presenceInfoBytesMax: limits.presenceInfoBytesMax ?? 1_024,
    handshakeTimeoutMs: limits.handshakeTimeoutMs ?? 10_000,
    sessionWindowMs: session.windowMs ?? 300_000,
    quietCheckMs: limits.quietCheckMs ?? 25_000,
    spool: { messagesMax: limits.spoolMessagesMax ?? 10_000, bytesMax: limits.spoolBytesMax ?? 16_777_216 },
    heartbeat: {
      intervalMs: heartbeat.intervalMs ?? HEARTBEAT.intervalMs,
      timeoutMs: heartbeat.timeoutMs ?? HEARTBEAT.timeoutMs,
    },
    presence: {
      graceMs: presence.graceMs ?? 15_000,
      coalesceMs: presence.coalesceMs ?? 250,
      sampleMax: presence.sampleMax ?? 1_000,
    },
    subscription: {
      recovery: {
        messagesMax: limits.recoveryMessagesMax ?? 1_000,
        bytesMax: limits.recoveryBytesMax ?? outboxBytesMax / 2,
      },
      gate: { messagesMax: limits.gateMessagesMax ?? 1_000, bytesMax: limits.gateBytesMax ?? outboxBytesMax / 4 },
    },
  }
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

/** Whether nodes in other processes may use the engine. */
function isShared(engine: EngineChoice): boolean {
  if (engine === 'memory' || 'disk' in engine) return false
  return 'redis' in engine || !['memory', 'disk'].includes(engine.name)
}

function checkSecret(option: string, secret: string, environment: Environment): void {
  const bytes = Buffer.byteLength(secret)
  if (bytes < SECRET_BYTES_MIN)
    throw new OptionsError(`${option} must be at least ${SECRET_BYTES_MIN} bytes, received ${bytes}`)
  if (environment !== 'development' && KNOWN_SECRETS.test(secret)) {
    throw new OptionsError(
      `${option} must not be a known or repeated word in ${environment}; make one with: openssl rand -base64 48`,
    )
  }
}

function checkHeartbeat({ heartbeat = {} }: z.infer<typeof schema>): void {
  const { intervalMs = HEARTBEAT.intervalMs, timeoutMs = HEARTBEAT.timeoutMs } = heartbeat
  if (timeoutMs <= intervalMs)
    throw new OptionsError(`heartbeat.timeoutMs must be more than intervalMs (${intervalMs}), received ${timeoutMs}`)
}

function requireDuration(duration: number | string): number {
  const ms = durationMs(duration)
  if (ms === undefined)
    throw new OptionsError(
      `a duration must be milliseconds or text such as 30s, 5m, 1h or 7d, received ${JSON.stringify(duration)}`,
    )
  return ms
}

// The schema of the options. The message of each leaf completes "must be".

function whole(min: number, max: number): z.ZodOptional<z.ZodType<number>> {
  const expected = `an integer from ${min} to ${max}`
  const holds = (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
  return z.custom<number>(holds, expected).optional()
}

function word(expected: string, pattern: RegExp): z.ZodOptional<z.ZodType<string>> {
  return z.custom<string>((value) => typeof value === 'string' && pattern.test(value), expected).optional()
}

const access = z.custom<unknown>((value) => {
  const one = (item: unknown): boolean =>
    typeof item === 'function' ||
    (typeof item === 'string' && /^(nobody|anyone|member|server|owner|grant|role:.+)$/.test(item))
  return Array.isArray(value) ? value.every(one) : one(value)
}, 'nobody, anyone, member, server, owner, grant, role:NAME, a function, or an array of these')

const duration = z.custom<number | string>(
  (value) => durationMs(value as string) !== undefined,
  'milliseconds or text such as 30s, 5m, 1h or 7d',
)

const rule = z.strictObject({
  subscribe: access.optional(),
  publish: access.optional(),
  signal: access.optional(),
  presence: z.union([z.boolean(), access], 'true, false or who may').optional(),
  history: z
    .union(
      [z.literal(false), z.strictObject({ size: whole(1, 1_000_000), ttl: duration, read: access.optional() })],
      'false, or { size, ttl } with size from 1 to 1000000',
    )
    .optional(),
  slow: z.enum(['resume', 'drop-oldest', 'latest', 'close'], 'resume, drop-oldest, latest or close').optional(),
  whenDegraded: z.enum(['refuse', 'local'], 'refuse or local').optional(),
  inbox: z.boolean('true or false').optional(),
})

const isFunction = (value: unknown): boolean => typeof value === 'function'

function isNamed(value: unknown, name: 'disk' | 'redis'): boolean {
  const how = (value as Readonly<Record<string, unknown>> | undefined | null)?.[name]
  return (typeof how === 'string' && how !== '') || (typeof how === 'object' && how !== null)
}

const schema = z.strictObject({
  auth: z.union(
    [
      z.strictObject({
        secret: z.string(),
        issuer: z.string().optional(),
        audience: z.string().optional(),
        claims: z.strictObject({ tenant: z.string().optional(), user: z.string().optional() }).optional(),
        queryToken: z.boolean().optional(),
      }),
      z.custom<Authenticator>((value) => isFunction((value as Authenticator | undefined)?.authenticate)),
    ],
    'an object with secret (text), and optionally issuer, audience, claims, queryToken; or an object with a function authenticate',
  ),
  channels: z.record(z.string(), rule).optional(),
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
  environment: z.enum(['development', 'staging', 'production'], 'development, staging or production').optional(),
  path: word('a path such as /ws', /^\/[A-Za-z0-9_./-]*[A-Za-z0-9_-]$/),
  node: word('1 to 64 of A-Z a-z 0-9 _ . -', /^[A-Za-z0-9_.-]{1,64}$/),
  limits: z
    .strictObject({
      messageBytesMax: whole(1_024, 16_777_216),
      handshakeBytesMax: whole(1_024, 65_536),
      commandsPerFrameMax: whole(1, 1_024),
      jsonDepthMax: whole(4, 128),
      objectKeysMax: whole(16, 65_536),
      channelsMax: whole(1, 10_000),
      commandsInFlightMax: whole(1, 1_024),
      outboxBytesMax: whole(65_536, 1_073_741_824),
      outboxAgeMaxMs: whole(1_000, 3_600_000),
      outboxTotalBytesMax: whole(1_048_576, 1_099_511_627_776),
      errorsMax: whole(1, 10_000),
      connectionsPerUserMax: whole(1, 1_000_000),
      connectionsPerTenantMax: whole(1, 100_000_000),
      connectionsPerAddressMax: whole(1, 100_000_000),
      connectionsMax: whole(1, 1_000_000),
      stateBytesMax: whole(0, 1_048_576),
      presenceInfoBytesMax: whole(0, 65_536),
      handshakeTimeoutMs: whole(100, 120_000),
      quietCheckMs: whole(100, 3_600_000),
      spoolMessagesMax: whole(0, 1_000_000),
      spoolBytesMax: whole(0, 1_073_741_824),
      recoveryMessagesMax: whole(0, 9_999),
      recoveryBytesMax: whole(1_024, 1_073_741_824),
      gateMessagesMax: whole(1, 100_000),
      gateBytesMax: whole(1_024, 1_073_741_824),
    })
    .optional(),
  heartbeat: z.strictObject({ intervalMs: whole(20, 3_600_000), timeoutMs: whole(20, 3_600_000) }).optional(),
  session: z.strictObject({ windowMs: whole(0, 86_400_000) }).optional(),
  presence: z
    .strictObject({ graceMs: whole(0, 600_000), coalesceMs: whole(0, 10_000), sampleMax: whole(1, 1_000) })
    .optional(),
  operations: z
    .strictObject({
      conflateMs: whole(0, 60_000),
      runningTtl: duration.optional(),
      completedTtl: duration.optional(),
      failedTtl: duration.optional(),
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
})

function describeFirst(error: z.ZodError, options: unknown): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the options are not valid'
  const path = issue.path.map((part, index) => (index === 0 ? String(part) : `.${String(part)}`)).join('') || 'options'
  if (issue.code === 'unrecognized_keys')
    return `${path} has no option ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
  const received: unknown = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
    options,
  )
  return `${path} must be ${issue.message}, received ${issue.path.includes('secret') || issue.path[0] === 'auth' ? typeof received : show(received)}`
}

/** A value as an error message names it: never throws, never long. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
