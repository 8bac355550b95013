import { resolve } from 'node:path'
import type { Clock } from '../../clock.js'
import type { Configuration } from '../../configuration.js'
import { diskFindings } from './disk-findings.js'
import { type Finding, ok, warn } from './finding.js'
import { redisFindings } from './redis-findings.js'

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
  return typeof disk === 'string' ? diskFindings(resolve(cwd, disk), clock) : []
}

function memoryFinding(environment: string): Finding {
  if (environment === 'development') return ok('engine', 'memory; a restart forgets everything')
  return warn(
    'engine',
    `memory, in ${environment}: a restart forgets everything`,
    'Leave the engine out for disk, or name a Redis with REDIS_URL',
  )
}
