import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { DEFAULT_CLUSTER_ID, DEFAULT_PREFIX, KEY_PART } from './keys.js'
import type { Address } from './shard.js'

/** How the servers are arranged: one; one master with replicas that Sentinel watches; a Redis Cluster. */
export type RedisMode = 'single' | 'sentinel' | 'cluster'

/** Where Redis is and how it is used. Defaults in brackets. */
export interface RedisEngineOptions {
  /** `single`. */
  readonly mode?: RedisMode
  /** The server; or the sentinels; or some servers of the cluster. */
  readonly servers: readonly Address[]
  /** The name under which the sentinels know the master. */
  readonly master?: string
  readonly username?: string
  readonly password?: string
  /** 0 to 1,024 (0); only 0 in a cluster. */
  readonly database?: number
  /** Whether connections are encrypted (false); an object says how, as for `tls.connect` of Node: `ca`, `cert`, `key`, `servername`. */
  readonly tls?: boolean | TlsOptions
  /** Credentials of the sentinels themselves (none). */
  readonly sentinel?: { readonly username?: string; readonly password?: string }
  /** What every key begins with: 1 to 64 of A-Z a-z 0-9 _ . - (`hf`). */
  readonly prefix?: string
  /** Which nodes belong together: those that share prefix and cluster id share everything, others nothing (`default`). */
  readonly clusterId?: string
  /** Milliseconds for a connection to be made, 50 to 60,000 (1,000). */
  readonly connectTimeoutMs?: number
  /** Milliseconds for a command to be answered, 50 to 60,000 (4,000). */
  readonly commandTimeoutMs?: number
  /** Commands without an answer per connection, 1 to 1,000,000 (10,000). */
  readonly commandsInFlightMax?: number
  /** Characters of those commands together, 1,024 to 1,099,511,627,776 (67,108,864). */
  readonly charactersInFlightMax?: number
  /** Milliseconds of silence after which it is proved that announcements arrive, 50 to 60,000 (10,000). */
  readonly probeMs?: number
  /** Milliseconds that nodes wait after a failover for one of which they hear nothing, four times as long for one that shows that it is coming, 50 to 60,000 (3,000). */
  readonly musterMs?: number
}

/** The options with every default filled in. */
export interface ResolvedRedisOptions {
  readonly mode: RedisMode
  readonly servers: readonly Address[]
  readonly master: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number | undefined
  readonly tls: boolean | TlsOptions
  readonly sentinel: { readonly username?: string; readonly password?: string }
  readonly prefix: string
  readonly clusterId: string
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
  readonly commandsInFlightMax: number
  readonly charactersInFlightMax: number
  readonly probeMs: number
  readonly musterMs: number
}

const FORMS =
  'redis://user:password@host:6379/0, rediss://… (encrypted), redis+sentinel://:password@host:26379,host:26379/master or redis+cluster://:password@host:6379,host:6379'

const URL_PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/

const DEFAULT_PORTS: Readonly<Record<RedisMode, number>> = { single: 6_379, sentinel: 26_379, cluster: 6_379 }

/**
 * The options that an address stands for. What is special in a URL is percent-encoded in user and password.
 *
 * @throws Error that names the forms expected. It does not repeat what was received: there may be a password in it.
 */
export function redisOptions(text: string): RedisEngineOptions {
  const [, scheme, kind, credentials, hosts = '', path = ''] = URL_PARTS.exec(text) ?? []
  if (scheme === undefined) throw misshapen('is not of such a form')
  const mode = (kind ?? 'single') as RedisMode
  const servers = hosts.split(',').map((host) => addressOf(host, DEFAULT_PORTS[mode]))
  if (mode === 'single' && servers.length > 1) throw misshapen('names several servers')
  return {
    mode,
    servers,
    ...(scheme === 'rediss' && { tls: true }),
    ...credentialsOf(credentials),
    ...placeOf(mode, path),
  }
}

/** @throws Error that names the option, what is expected of it and what was received. */
export function resolveRedisOptions(options: RedisEngineOptions): ResolvedRedisOptions {
  const { mode = 'single', servers, master = '', database } = options
  const { prefix = DEFAULT_PREFIX, clusterId = DEFAULT_CLUSTER_ID } = options
  expect(['single', 'sentinel', 'cluster'].includes(mode), 'mode', 'single, sentinel or cluster', mode)
  expect(servers.length > 0, 'servers', 'at least one address', servers)
  for (const { host, port } of servers)
    expect(host !== '' && isWithin(port, 1, 65_535), 'servers', 'hosts with ports from 1 to 65535', { host, port })
  expect((mode === 'sentinel') === (master !== ''), 'master', 'the name of the set, with mode sentinel only', master)
  expect(isWithin(database ?? 0, 0, mode === 'cluster' ? 0 : 1_024), 'database', '0 to 1024, in a cluster 0', database)
  expect(KEY_PART.test(prefix), 'prefix', '1 to 64 of A-Z a-z 0-9 _ . -', prefix)
  expect(KEY_PART.test(clusterId), 'clusterId', '1 to 64 of A-Z a-z 0-9 _ . -', clusterId)
  return {
    mode,
    servers,
    master,
    username: options.username,
    password: options.password,
    database: database === 0 ? undefined : database,
    tls: options.tls ?? false,
    sentinel: options.sentinel ?? {},
    prefix,
    clusterId,
    connectTimeoutMs: bounded('connectTimeoutMs', options.connectTimeoutMs ?? 1_000, 50, 60_000),
    commandTimeoutMs: bounded('commandTimeoutMs', options.commandTimeoutMs ?? 4_000, 50, 60_000),
    commandsInFlightMax: bounded('commandsInFlightMax', options.commandsInFlightMax ?? 10_000, 1, 1_000_000),
    charactersInFlightMax: bounded(
      'charactersInFlightMax',
      options.charactersInFlightMax ?? 67_108_864,
      1_024,
      1_099_511_627_776,
    ),
    probeMs: bounded('probeMs', options.probeMs ?? 10_000, 50, 60_000),
    musterMs: bounded('musterMs', options.musterMs ?? 3_000, 50, 60_000),
  }
}

function addressOf(text: string, defaultPort: number): Address {
  const [, bracketed, plain, port] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) throw misshapen('names a server that is not host:port')
  const address = { host, port: port === undefined ? defaultPort : Number(port) }
  if (!isWithin(address.port, 1, 65_535)) throw misshapen('names a port that there is not')
  return address
}

function credentialsOf(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined || text === '') return {}
  const colon = text.indexOf(':')
  const username = decoded(colon < 0 ? text : text.slice(0, colon))
  const password = colon < 0 ? '' : decoded(text.slice(colon + 1))
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) }
}

/** What stands behind the servers: a database, or the name of a master and then perhaps a database. */
function placeOf(mode: RedisMode, path: string): { master?: string; database?: number } {
  const [master, place, ...rest] = mode === 'sentinel' ? path.split('/').map(decoded) : ['', path]
  if (rest.length > 0 || (mode === 'cluster' && path !== '')) throw misshapen('has more behind its servers')
  if (mode === 'sentinel' && !master) throw misshapen('names no master behind its sentinels')
  if (place && !/^\d{1,4}$/.test(place)) throw misshapen('names a database that is no number')
  return { ...(master && { master }), ...(place && { database: Number(place) }) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw misshapen('has a % that encodes nothing')
  }
}

function misshapen(what: string): Error {
  return new Error(`engine.redis must be an address like ${FORMS}; the one received ${what}`)
}

function bounded(option: string, value: number, least: number, most: number): number {
  expect(isWithin(value, least, most), option, `an integer from ${least} to ${most}`, value)
  return value
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function expect(holds: boolean, option: string, expectation: string, received: unknown): void {
  if (!holds) throw new Error(`engine.redis.${option} must be ${expectation}, received ${JSON.stringify(received)}`)
}
