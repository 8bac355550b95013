import type { RedisEngineOptions } from '@holdfast/server'
import { createClient } from '@redis/client'
import { type Clock, within } from '../../clock.js'
import { describeError } from '../../failure.js'
import { type Finding, fail } from './finding.js'

const ANSWER_MS = 3_000

/** Where a server of Redis is. */
export type RedisAddress = RedisEngineOptions['servers'][number]

/** A server that can be asked. Both reject with what the server refuses. */
export interface Asked {
  /** A reply as text. */
  text(...words: string[]): Promise<string>
  /** A reply that is a list of texts; empty where there is none. */
  list(...words: string[]): Promise<readonly string[]>
}

/** What was answered, or why nothing was. */
export type Reply<T> =
  | { readonly answer: T; readonly finding?: undefined }
  | { readonly answer?: undefined; readonly finding: Finding }

/** Asks a server over a connection of its own, for at most three seconds. Never rejects. */
export type RedisQuestioner = <T>(
  address: RedisAddress,
  question: (redis: Asked) => Promise<T>,
  isSentinel?: boolean,
) => Promise<Reply<T>>

/** Asks with the credentials of these options. */
export function questioner(options: RedisEngineOptions, clock: Clock): RedisQuestioner {
  return async (address, question, isSentinel = false) => {
    const { host, port } = address
    const check = `${isSentinel ? 'Sentinel' : 'Redis'} ${host}:${port}`
    const client = clientOf(options, address, isSentinel)
    const asked: Asked = {
      text: async (...words) => (await client.sendCommand(words)) as unknown as string,
      list: async (...words) => ((await client.sendCommand(words)) as unknown as string[] | null) ?? [],
    }
    try {
      const answered = client.connect().then(async () => ({ answer: await question(asked) }))
      return (await within(clock, ANSWER_MS, answered)) ?? { finding: silent(check) }
    } catch (error) {
      return { finding: refused(check, error) }
    } finally {
      client.destroy()
    }
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- longer than the function
function clientOf(options: RedisEngineOptions, { host, port }: RedisAddress, isSentinel: boolean) {
  const { tls, database, mode = 'single' } = options
  const { username, password } = isSentinel ? (options.sentinel ?? {}) : options
  const encryption = tls ? { tls: true as const, ...(typeof tls === 'object' && tls) } : {}
  const client = createClient({
    socket: { host, port, connectTimeout: ANSWER_MS, reconnectStrategy: false, ...encryption },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(mode !== 'cluster' && !isSentinel && database ? { database } : {}),
  })
  client.on('error', () => {})
  return client
}

function silent(check: string): Finding {
  return fail(
    check,
    `no answer within ${ANSWER_MS / 1000} s`,
    'Is it Redis that listens there, and does it live? See its log',
  )
}

/** Why it cannot be used, by what it said. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/WRONGPASS|NOAUTH|AUTH/, 'Mend user and password in REDIS_URL: redis://user:password@host:6379'],
  [/NOPERM/, 'Give its user the right to all commands on the keys and channels of Holdfast: ACL SETUSER'],
  [/ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout/i, 'Start it, or mend the address in REDIS_URL'],
  [/ENOTFOUND|EAI_AGAIN/, 'Mend the name of the host in REDIS_URL'],
  [/LOADING/, 'It reads its data; ask again in a moment'],
  [
    /certificate|SSL|TLS|wrong version number/i,
    'rediss:// is for encrypted connections, redis:// for others; the certificate has to be known',
  ],
  [/Protocol|Unknown RESP|Socket closed|Parse/i, 'Something else listens there: mend the address in REDIS_URL'],
]

function refused(check: string, error: unknown): Finding {
  const message = describeError(error) || String((error as { code?: string }).code)
  const remedy = REMEDIES.find(([pattern]) => pattern.test(message))?.[1]
  return fail(check, `cannot be used: ${message}`, remedy ?? 'Mend the address in REDIS_URL, or see its log')
}
