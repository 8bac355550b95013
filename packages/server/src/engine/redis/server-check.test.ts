import { afterEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../telemetry/log.js'
import { examine, warnOf, warnOfExposure } from './server-check.js'
import type { Commands } from './shard.js'
import { engineOn } from './testing/redis-harness.js'
import { type Answer, ScriptedRedis, bulk, greeting } from './testing/scripted-redis.js'

const SHARD = { id: 'one', address: { host: '10.0.0.1', port: 6_379 } }

/** A server that says this of itself. */
function lineTo(info: string, role: string = 'master'): Commands {
  const send = async ([command]: readonly string[]): Promise<string | string[]> => (command === 'INFO' ? info : [role])
  return { send, run: () => Promise.reject(new Error('it runs no scripts')) }
}

/** What is logged of a server that says this of itself. */
async function warningsOf(info: string): Promise<string[]> {
  const lines: string[] = []
  const note = (fields: Record<string, unknown>, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  const log: Logger = { debug() {}, info: note, warn: note, error: note }
  warnOf(await examine(SHARD, lineTo(info)), SHARD, log)
  return lines
}

describe('the check of a server', () => {
  it('accepts Redis from 7.0 on, and any Valkey', async () => {
    expect(await examine(SHARD, lineTo('redis_version:7.0.0'))).toMatchObject({ product: 'redis', version: '7.0.0' })
    expect(await examine(SHARD, lineTo('redis_version:10.1.0'))).toMatchObject({ version: '10.1.0' })
    const valkey = '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n'
    expect(await examine(SHARD, lineTo(valkey))).toMatchObject({ product: 'valkey', version: '8.1.0' })
  })

  it('refuses older ones, and says what it found and what is needed', async () => {
    await expect(examine(SHARD, lineTo('redis_version:6.2.14'))).rejects.toThrow(
      'the server at 10.0.0.1:6379 must be Redis 7.0 or newer, or Valkey; it is Redis 6.2.14',
    )
  })

  it('refuses a replica for now', async () => {
    await expect(examine(SHARD, lineTo('redis_version:7.0.0', 'slave'))).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: 'the server at 10.0.0.1:6379 is a slave, not a master',
    })
  })

  it('F-10 warns of a policy that evicts, and says how to change it', async () => {
    expect(await warningsOf('redis_version:7.2.0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1')).toEqual([
      expect.stringMatching(/removes messages.*allkeys-lru.*CONFIG SET maxmemory-policy noeviction/),
    ])
  })

  it('says when what is acknowledged can be lost in a restart', async () => {
    expect(await warningsOf('redis_version:7.2.0\r\nmaxmemory_policy:noeviction\r\naof_enabled:0')).toEqual([
      expect.stringMatching(/can be lost when this server restarts.*CONFIG SET appendonly yes/),
    ])
  })

  it('does without what a managed server does not tell', async () => {
    expect(await warningsOf('redis_version:7.2.0')).toEqual([])
  })
})

describe('a server beyond this machine', () => {
  it.each<[string, boolean, boolean, string[]]>([
    ['redis.internal', false, false, ['engine.redis.tls', 'engine.redis.password']],
    ['10.0.0.7', true, false, ['engine.redis.tls']],
    ['127.0.0.1.evil.test', false, true, ['engine.redis.password']],
    ['redis.internal', true, true, []],
    ['127.0.0.1', false, false, []],
    ['::1', false, false, []],
    ['localhost', false, false, []],
  ])(
    'T-099 at %s, with a password: %s, encrypted: %s, is warned of where it can be heard or reached',
    (host, hasPassword, isEncrypted, rules) => {
      const warned: unknown[] = []
      const log = { ...silentLogger, warn: (fields: Record<string, unknown>) => void warned.push(fields['rule']) }
      warnOfExposure({ ...SHARD, address: { host, port: 6379 } }, { hasPassword, isEncrypted }, log)
      expect(warned).toEqual(rules)
    },
  )
})

describe('the start of an engine', () => {
  const closing: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function startOn(answer: Answer): Promise<string | undefined> {
    const redis = await ScriptedRedis.start(answer)
    closing.push(() => redis.stop())
    const engine = engineOn({ servers: [{ host: '127.0.0.1', port: redis.port }] })
    closing.push(() => engine.close())
    await engine.start()
    return engine.problem()
  }

  it('fails on a server that is too old', async () => {
    await expect(startOn(greeting('redis_version:6.2.14'))).rejects.toThrow(/must be Redis 7.0 or newer/)
  })

  it('gives up waiting for a replica or a right password after three attempts, and says what is wrong', async () => {
    const replica: Answer = (words) => (words[0] === 'ROLE' ? `*1\r\n${bulk('slave')}` : greeting()(words))
    const closed: Answer = () => '-NOAUTH Authentication required.'
    const [one, other] = await Promise.all([startOn(replica), startOn(closed)])
    expect(one).toMatch(/is a slave, not a master/)
    expect(other).toMatch(/NOAUTH/)
  })
})
