import { isLoopbackAddress } from '../../network-address.js'
import type { Logger } from '../../telemetry/log.js'
import { EngineUnavailableError } from '../unavailable.js'
import { asList, asText } from './reply.js'
import type { Commands, Script, Shard } from './shard.js'

/** What a server says of itself. */
export interface ServerFacts {
  readonly product: 'redis' | 'valkey'
  readonly version: string
  /** What it does when its memory is full; undefined where it does not say. */
  readonly evictionPolicy: string | undefined
  /** Whether it writes each change to a file; undefined where it does not say. */
  readonly keepsFile: boolean | undefined
}

/** The server cannot be used, however long one waits. */
export class UnfitServerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnfitServerError'
  }
}

/** The oldest Redis that has sharded Pub/Sub and flags for scripts. Valkey began after it. */
const REDIS_MAJOR_MIN = 7

/**
 * Looks at a server before it is used: whether it is a master, whether it is new enough.
 *
 * @throws UnfitServerError when it is too old.
 */
export async function examine(shard: Shard, line: Commands): Promise<ServerFacts> {
  const where = `${shard.address.host}:${shard.address.port}`
  const [info, standing] = await Promise.all([line.send(['INFO']), line.send(['ROLE'])])
  const facts = factsOf(asText(info))
  if (facts.product === 'redis' && Number.parseInt(facts.version) < REDIS_MAJOR_MIN) {
    throw new UnfitServerError(
      `the server at ${where} must be Redis ${REDIS_MAJOR_MIN}.0 or newer, or Valkey; it is Redis ${facts.version}`,
    )
  }
  const role = asText(asList(standing)[0])
  if (role !== 'master') throw new EngineUnavailableError(`the server at ${where} is a ${role}, not a master`)
  return facts
}

/** So that not the first to need a script finds it missing, while a second one is on its way already. */
export async function loadScripts(line: Commands, scripts: readonly Script[]): Promise<void> {
  const known = asList(await line.send(['SCRIPT', 'EXISTS', ...scripts.map(({ sha }) => sha)]))
  const missing = scripts.filter((_, at) => known[at] !== 1)
  await Promise.all(missing.map(({ text }) => line.send(['SCRIPT', 'LOAD', text])))
}

/** Says what is not as it is best: once for each server. */
export function warnOf(facts: ServerFacts, shard: Shard, log: Logger): void {
  const server = `${shard.address.host}:${shard.address.port}`
  if (facts.evictionPolicy !== undefined && facts.evictionPolicy !== 'noeviction') {
    log.warn(
      { server, policy: facts.evictionPolicy, remedy: 'CONFIG SET maxmemory-policy noeviction' },
      'when its memory is full this server removes messages; with the policy noeviction it refuses new ones instead',
    )
  }
  if (facts.keepsFile === false) {
    log.info(
      { server, remedy: 'CONFIG SET appendonly yes' },
      'acknowledged messages can be lost when this server restarts; readers will be told',
    )
  }
}

/** How a server is spoken to. */
export interface Protection {
  readonly hasPassword: boolean
  readonly isEncrypted: boolean
}

/** Says where others on the way could listen, or anybody could connect: once for each server beyond this machine. */
export function warnOfExposure({ address }: Shard, { hasPassword, isEncrypted }: Protection, log: Logger): void {
  if (address.host === 'localhost' || isLoopbackAddress(address.host)) return
  const server = `${address.host}:${address.port}`
  const warn = (rule: string, message: string): void => log.warn({ event: 'config.insecure', rule, server }, message)
  if (!isEncrypted)
    warn('engine.redis.tls', 'what goes to this server and comes from it can be read and changed on its way')
  if (!hasPassword)
    warn(
      'engine.redis.password',
      'this server is used without a password: whoever reaches it reads and writes everything',
    )
}

function factsOf(info: string): ServerFacts {
  const field = (name: string): string | undefined => new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1]
  const valkey = field('valkey_version')
  const keepsFile = field('aof_enabled')
  return {
    product: valkey === undefined ? 'redis' : 'valkey',
    version: valkey ?? field('redis_version') ?? '0',
    evictionPolicy: field('maxmemory_policy'),
    keepsFile: keepsFile === undefined ? undefined : keepsFile === '1',
  }
}
