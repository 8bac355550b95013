import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type RedisEngineOptions, redisOptions } from '@holdfast/server'
import { createClient } from '@redis/client'
import { type Clock, within } from '../../clock.js'
import type { Configuration } from '../../configuration.js'
import { describeError } from '../../failure.js'
import { formatBytes } from '../../quantity.js'
import { type Finding, clockFinding, fail, ok, warn } from './finding.js'

const ANSWER_MS = 3_000
const SLOW_MS = 5
const SPACE_BYTES_MIN = 536_870_912
const SLOW_SYNC_MS = 50

/** Looks at the engine that the configuration names. */
export async function engineFindings(
  configuration: Configuration,
  cwd: string,
  clock: Clock,
): Promise<readonly Finding[]> {
  const { engine, environment } = configuration
  if (engine === 'memory') return [memoryFinding(environment)]
  const { redis, disk } = engine
  if (redis !== undefined) return redisFindings(redis, clock)
  return typeof disk === 'string' ? diskFindings(resolve(cwd, disk, '..'), clock) : []
}

function memoryFinding(environment: string): Finding {
  if (environment === 'development') return ok('engine', 'memory; a restart forgets everything')
  return warn(
    'engine',
    `memory, in ${environment}: a restart forgets everything`,
    'Leave the engine out for disk, or name a Redis with REDIS_URL',
  )
}

async function redisFindings(redis: unknown, clock: Clock): Promise<readonly Finding[]> {
  const options = typeof redis === 'string' ? redisOptions(redis) : (redis as RedisEngineOptions)
  const found = await Promise.all(options.servers.map((server) => serverFindings(options, server, clock)))
  return found.flat()
}

type Address = RedisEngineOptions['servers'][number]

async function serverFindings(
  options: RedisEngineOptions,
  { host, port }: Address,
  clock: Clock,
): Promise<readonly Finding[]> {
  const check = `Redis ${host}:${port}`
  const isSentinel = options.mode === 'sentinel'
  const { username, password } = isSentinel ? (options.sentinel ?? {}) : options
  const client = createClient({
    socket: { host, port, connectTimeout: ANSWER_MS, reconnectStrategy: false, ...(options.tls ? { tls: true } : {}) },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(!isSentinel && options.database ? { database: options.database } : {}),
  })
  client.on('error', () => {})
  try {
    const asked = client.connect().then(() => questions(client, check, isSentinel, clock))
    return (
      (await within(clock, ANSWER_MS, asked)) ?? [fail(check, `no answer within ${ANSWER_MS / 1000} s`, START_REDIS)]
    )
  } catch (error) {
    return [
      fail(check, `cannot be used: ${describeError(error) || String((error as { code?: string }).code)}`, START_REDIS),
    ]
  } finally {
    client.destroy()
  }
}

const START_REDIS = 'Start it, or mend the address and the password in REDIS_URL'

interface Redis {
  sendCommand(words: readonly string[]): Promise<unknown>
}

async function questions(redis: Redis, check: string, isSentinel: boolean, clock: Clock): Promise<readonly Finding[]> {
  const info = String(await redis.sendCommand(['INFO']))
  const field = (name: string): string | undefined => new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1]
  const askedAt = clock.now()
  const [seconds = '0', micros = '0'] = (await redis.sendCommand(['TIME'])) as readonly string[]
  const latency = clock.now() - askedAt
  const skewMs = Number(seconds) * 1000 + Number(micros) / 1000 - (askedAt + latency / 2)
  const findings = [
    versionFinding(check, field),
    latencyFinding(check, latency),
    clockFinding(`${check} clock`, 'its clock', skewMs),
  ]
  return isSentinel
    ? findings
    : [...findings, memoryPolicy(check, field('maxmemory_policy')), appendOnly(check, field('aof_enabled'))]
}

function versionFinding(check: string, field: (name: string) => string | undefined): Finding {
  const valkey = field('valkey_version')
  const redis = field('redis_version') ?? '0'
  if (valkey !== undefined) return ok(check, `Valkey ${valkey}`)
  return Number.parseInt(redis) >= 7
    ? ok(check, `Redis ${redis}`)
    : fail(check, `Redis ${redis} is too old`, 'Use Redis 7.0 or newer, or Valkey')
}

function latencyFinding(check: string, ms: number): Finding {
  const name = `${check} latency`
  if (ms <= SLOW_MS) return ok(name, `${ms} ms`)
  return warn(name, `${ms} ms for one answer`, 'Place it in the same network: every message waits for it once')
}

function memoryPolicy(check: string, policy: string | undefined): Finding {
  const name = `${check} memory policy`
  if (policy === undefined || policy === 'noeviction') return ok(name, policy ?? 'not told')
  return warn(name, `${policy}: when its memory is full it removes messages`, 'CONFIG SET maxmemory-policy noeviction')
}

function appendOnly(check: string, enabled: string | undefined): Finding {
  const name = `${check} persistence`
  if (enabled !== '0') return ok(name, enabled === '1' ? 'append-only file' : 'not told')
  return warn(name, 'acknowledged messages can be lost when it restarts; readers are told', 'CONFIG SET appendonly yes')
}

async function diskFindings(directory: string, clock: Clock): Promise<readonly Finding[]> {
  const check = 'disk'
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const syncMs = await timeOfSync(join(directory, `doctor-${randomUUID()}`), clock)
    const { bavail, bsize } = await statfs(directory)
    return [ok(check, `${directory} can be written`), syncFinding(syncMs), spaceFinding(bavail * bsize)]
  } catch (error) {
    return [
      fail(
        check,
        `${directory} cannot be written: ${describeError(error)}`,
        'Name another with HOLDFAST_DATA_DIR, or give this user the right to write it',
      ),
    ]
  }
}

async function timeOfSync(path: string, clock: Clock): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write('doctor')
    const begunAt = clock.now()
    await file.sync()
    return clock.now() - begunAt
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

function syncFinding(ms: number): Finding {
  if (ms <= SLOW_SYNC_MS) return ok('disk sync', `${ms} ms`)
  return warn(
    'disk sync',
    `${ms} ms until a write is safe`,
    'Use a disk of its own, or one that is nearer: every publish waits for it',
  )
}

function spaceFinding(bytes: number): Finding {
  if (bytes >= SPACE_BYTES_MIN) return ok('disk space', `${formatBytes(bytes)} free`)
  return warn('disk space', `${formatBytes(bytes)} free`, 'Make room: a full disk refuses messages')
}
