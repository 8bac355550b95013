import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../../clock.js'
import type { Configuration } from '../../configuration.js'
import { describeError } from '../../failure.js'
import { formatBytes } from '../../quantity.js'
import { type Finding, fail, ok, warn } from './finding.js'
import { redisFindings } from './redis-findings.js'

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
