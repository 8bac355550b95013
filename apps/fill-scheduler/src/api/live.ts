import { join } from 'node:path'
import { type Holdfast, type HoldfastOptions, type Logger, createHoldfast } from '@holdfast/server'
import type { Store } from '../store/store.js'
import { TENANT } from './api-environment.js'

/** What the live side of a server is made of. */
export interface LiveOptions {
  readonly store: Store
  readonly secret: string
  readonly dataDir: string
  readonly redisUrl?: string | undefined
  readonly environment: 'development' | 'production'
  readonly origins?: readonly string[] | undefined
  readonly hosts?: readonly string[] | undefined
  readonly trustedProxies?: readonly string[] | undefined
  readonly log: Logger
}

/** Changes are kept for as long as a page that was cut off needs to come back. */
const HISTORY = { size: 50, ttl: '1h' } as const

/** Runs wait for a server that comes back, also over a holiday. */
const OPERATIONS = { runningTtl: '30d' } as const

/** On a person's own machine nobody waits for a restart to be a non-event. */
const AT_ONCE = { delayMs: 0, windowMs: 0, deadlineMs: 1_000 }

/** The word among `origins` that stands for programs, which name none. */
const MISSING = 'missing'

/** Holdfast as the fill scheduler uses it: one tenant, changes for the owner alone, and nobody but the server publishes. */
export function createLive(options: LiveOptions): Holdfast {
  const { store, secret, environment, origins, hosts, trustedProxies, log } = options
  return createHoldfast({
    auth: { secret, tenant: TENANT },
    channels: channelRules(store),
    engine: options.redisUrl === undefined ? { disk: join(options.dataDir, 'holdfast') } : { redis: options.redisUrl },
    environment,
    operations: OPERATIONS,
    ...(origins && {
      origins: { allow: origins.filter((origin) => origin !== MISSING), allowMissing: origins.includes(MISSING) },
    }),
    ...(hosts && { hosts }),
    ...(trustedProxies && { trustedProxies }),
    ...(environment === 'development' && { drain: AT_ONCE }),
    log,
  })
}

/** What is another's looks as if it did not exist. */
function channelRules({ schedules, comparisons }: Store): NonNullable<HoldfastOptions['channels']> {
  const idOf = (channel: string): string => channel.slice(channel.indexOf(':') + 1)
  return {
    'user:{user}': { history: HISTORY },
    'schedule:*': {
      subscribe: async ({ user }, channel) => (await schedules.status(user, idOf(channel))) !== undefined,
      history: HISTORY,
    },
    'comparison:*': {
      subscribe: async ({ user }, channel) => (await comparisons.status(user, idOf(channel))) !== undefined,
      history: HISTORY,
    },
  }
}
