import { createServer } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../packages/standalone/src/clock.js'
import type { Finding } from '../../packages/standalone/src/commands/doctor/finding.js'
import { redisFindings } from '../../packages/standalone/src/commands/doctor/redis-findings.js'
import { type Workplace, createWorkplace } from '../cli/command.js'
import { eventually } from '../kit/deadline.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'
import { RedisServer } from './kit/redis-server.js'

const ends: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(ends.map((end) => end())))

async function started<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const system = await starting
  ends.push(() => system.stop())
  return system
}

/** What is not well, as `check: message`. */
async function wrong(url: string, clock: Clock = systemClock): Promise<readonly string[]> {
  const findings = await redisFindings(url, clock)
  const bad = findings.filter(({ state, check }) => state !== 'ok' && !check.endsWith(' latency'))
  for (const { remedy } of bad) expect(remedy).toMatch(/.{10}/)
  return bad.map(({ state, check, message }: Finding) => `${state} ${check}: ${message}`)
}

const HEALTHY = { appendonly: 'yes' }

async function doctorOf(place: Workplace, url: string): Promise<{ code: number | null; checks: readonly string[] }> {
  place.env['REDIS_URL'] = url
  const { code, stdout } = await place.run('doctor', '--json')
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding)
  return { code, checks: findings.filter(({ state }) => state === 'fail').map(({ check }) => check) }
}

describe('doctor and one Redis', () => {
  it('say what does not fit the address, and what its settings risk', async () => {
    const redis = await started(
      RedisServer.start({ maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru', requirepass: 'right' }),
    )
    const replica = await started(
      RedisServer.start({ ...HEALTHY, replicaof: `127.0.0.1 ${redis.port}`, masterauth: 'right' }),
    )
    const name = `Redis 127.0.0.1:${redis.port}`
    expect(await wrong(redis.url)).toEqual([
      `warn ${name} memory policy: allkeys-lru: when its memory is full it removes messages`,
      `warn ${name} persistence: acknowledged messages can be lost when it restarts; readers are told`,
    ])
    expect(await wrong(`redis://127.0.0.1:${redis.port}`)).toEqual([expect.stringMatching(/^fail .* NOAUTH/)])
    expect(await wrong(`redis://:wrong@127.0.0.1:${redis.port}`)).toEqual([expect.stringMatching(/^fail .* WRONGPASS/)])
    expect(await wrong(replica.url)).toEqual([
      `fail Redis 127.0.0.1:${replica.port}: is a replica of 127.0.0.1:${redis.port} and takes no messages`,
    ])
    expect(await wrong(`redis+cluster://:right@127.0.0.1:${redis.port}`)).toEqual([
      `fail ${name}: belongs to no cluster`,
    ])
  })

  it('say that its clock is wrong', async () => {
    const redis = await started(RedisServer.start(HEALTHY))
    const ahead: Clock = { ...systemClock, now: () => systemClock.now() + 90_000 }
    expect(await wrong(redis.url, ahead)).toEqual([
      expect.stringMatching(/^fail .* clock: its clock is (?:89|9\d)\.\d s behind the one of this machine$/),
    ])
  })

  it.each<[string, string, string]>([
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', 'Something else listens there'],
    ['hangs up', '', 'Something else listens there'],
  ])('say that what listens there %s and is no Redis', async (_, said, remedy) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(said)).listen(0, '127.0.0.1')
    ends.push(async () => server.close())
    await eventually('it listens', () => server.listening)
    const { port } = server.address() as { port: number }
    const [finding] = await redisFindings(`redis://127.0.0.1:${port}`, systemClock)
    expect(finding).toMatchObject({ state: 'fail', check: `Redis 127.0.0.1:${port}` })
    expect(finding?.remedy).toContain(remedy)
  })
})

describe('doctor and Sentinel', () => {
  it('look at the sentinels and at the master that they name', async () => {
    const group = await started(SentinelGroup.start({ config: HEALTHY }))
    const place = await createWorkplace()
    ends.push(() => place.close())
    const master = await group.master()
    const hosts = group.nodes.map(({ host, port }) => `${host}:${port}`)
    expect(await wrong(group.url)).toEqual([])
    expect(await wrong(`redis+sentinel://${hosts.join(',')}/nobody`)).toEqual(
      hosts.map((host) => `fail Sentinel ${host}: knows no master "nobody"; it knows holdfast`),
    )
    expect(await wrong(`redis://${hosts[0]}`)).toEqual([`fail Redis ${hosts[0]}: is a sentinel`])
    expect(await wrong(`redis+sentinel://${hosts[0]},127.0.0.1:1/holdfast`)).toEqual([
      expect.stringMatching(/^warn Sentinel 127.0.0.1:1: cannot be used: .*ECONNREFUSED/),
    ])
    await master.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
    expect(await wrong(group.url)).toEqual([expect.stringContaining('allkeys-random: when its memory is full')])
    for (const server of group.servers) await server.kill()
    expect(await doctorOf(place, group.url)).toEqual({ code: 1, checks: [`Redis 127.0.0.1:${master.port}`] })
  })
})

describe('doctor and a cluster', () => {
  it('look at every master, whichever servers are named', async () => {
    const cluster = await started(RedisCluster.start({ config: HEALTHY }))
    const [first, second] = cluster.nodes.map(({ host, port }) => `${host}:${port}`)
    const findings = await redisFindings(`redis+cluster://${first}`, systemClock)
    expect(findings.filter(({ check }) => check.endsWith(' memory policy'))).toHaveLength(3)
    expect(await wrong(cluster.url)).toEqual([])
    expect(await wrong(`redis+cluster://${first},127.0.0.1:1`)).toEqual([
      expect.stringMatching(/^warn Redis 127.0.0.1:1: cannot be used: .*ECONNREFUSED/),
    ])
    expect(await wrong(`redis://${second}`)).toEqual([`fail Redis ${second}: belongs to a cluster`])
    const dead = await cluster.killMaster(0)
    expect(await wrong(cluster.url)).toEqual([
      expect.stringMatching(`^warn Redis 127.0.0.1:${dead.port}: cannot be used`),
      expect.stringMatching(/^warn Redis replicas: none takes the place of Redis 127\.0\.0\.1:\d+$/),
    ])
    const heir = await cluster.masterOf(0)
    await heir.kill()
    await eventually('the others see it', async () => {
      const [whole = ''] = await wrong(cluster.url)
      return new RegExp(`^fail Redis cluster: \\d+ of 16384 slots are served: Redis 127.0.0.1:${heir.port} away`).test(
        whole,
      )
    })
  })
})
