import { createClient } from '@redis/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { machineTime } from '../../../../../tests/kit/machine-time.js'
import { type Clock, systemClock } from '../../clock.js'
import { systemRandom } from '../../random.js'
import { silentLogger } from '../../telemetry/log.js'
import { ALL, KEPT } from '../conformance/model.js'
import { Recorder } from '../conformance/recorder.js'
import type { LogPage, PublishRequest, Stream } from '../engine.js'
import { RedisEngine } from './redis-engine.js'
import { eventually } from './testing/deadline.js'
import { engineOn } from './testing/redis-harness.js'
import { RedisProcess } from './testing/redis-process.js'

let server: RedisProcess
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  server = await RedisProcess.start()
})
afterAll(() => server.stop())
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(more: { commandTimeoutMs?: number } = {}): Promise<RedisEngine> {
  const engine = engineOn({ servers: [{ host: '127.0.0.1', port: server.port }], ...more })
  closing.push(() => engine.close())
  await engine.start()
  return engine
}

/** Starts an engine on a port of its own choosing, whether anybody listens there or not. */
async function startAt(port: number): Promise<RedisEngine> {
  const engine = engineOn({ servers: [{ host: '127.0.0.1', port }] })
  closing.push(() => engine.close())
  await engine.start()
  return engine
}

const roomOf = (n: number): Stream => ({ tenant: 'acme', channel: `room:${n}` })

const messageTo = (stream: Stream, data: string, more: Partial<PublishRequest> = {}): PublishRequest => ({
  stream,
  event: 'chat',
  data: JSON.stringify(data),
  from: { user: 'ada' },
  at: '2026-01-01T00:00:00.000Z',
  retention: KEPT,
  ...more,
})

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => (error as { code?: unknown }).code,
  )

/** A log is whole: what is stored is dense and ends with the top. */
function expectWhole({ first, top, messages }: LogPage): void {
  expect(messages.map(({ offset }) => offset)).toEqual(
    Array.from({ length: top.offset - first + 1 }, (_, n) => first + n),
  )
  if (messages.length > 0) expect(messages.at(-1)?.id).toBe(top.id)
}

describe('F-09 a server that is out of memory', () => {
  it('refuses publishes as a whole, serves reads, and goes on without a gap when it has memory again', async () => {
    const engine = await start()
    const state = { value: 'one', ifVersion: 0, ttlMs: 60_000 }
    await engine.publish(messageTo(roomOf(1), 'before', { state }))
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    try {
      const keyed = { idempotency: { scope: 'ada', key: 'k' }, state: { ...state, value: 'two', ifVersion: 1 } }
      expect(await codeOf(engine.publish(messageTo(roomOf(1), 'refused', keyed)))).toBe('engine_unavailable')
      expect(await codeOf(engine.publish(messageTo(roomOf(2), 'refused')))).toBe('engine_unavailable')
      expect(engine.problem()).toBeUndefined()
      const page = await engine.read(roomOf(1), KEPT, ALL)
      expect(page).toMatchObject({ top: { offset: 1 }, state: { value: 'one', version: 1 } })
      expectWhole(page)
      expect(await engine.tops([{ stream: roomOf(1), retention: KEPT }])).toMatchObject([{ top: { offset: 1 } }])
      expect(await engine.rotate(roomOf(3), 'none')).toBe('')
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
      expect(await engine.publish(messageTo(roomOf(1), 'refused', keyed))).toMatchObject({
        offset: 2,
        duplicate: false,
      })
      expectWhole(await engine.read(roomOf(1), KEPT, ALL))
    } finally {
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
    }
  })

  it('still lets members leave and nodes be reaped', async () => {
    const engine = await start()
    await engine.nodes.renew('n1', '', 60_000)
    const entry = { session: 's1', connection: 'c1', node: 'n1', user: 'ada', info: undefined }
    await engine.members.enter(roomOf(1), entry)
    await engine.members.enter(roomOf(1), { ...entry, session: 's2', connection: 'c2' })
    await engine.counters.add('users', 2, { node: 'n1' })
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    try {
      expect(await engine.members.leave(roomOf(1), entry)).toMatchObject({ changed: true })
      expect(await engine.counters.add('users', -1, { node: 'n1' })).toBe(1)
      await engine.nodes.leave('n1')
      expect(await engine.nodes.reap()).toEqual(['n1'])
      expect(await engine.members.list(roomOf(1), 10)).toMatchObject({ counts: { connections: 0 } })
    } finally {
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
    }
  })
})

describe('F-10 a server that evicts', () => {
  it('never answers a log with a hole: what is gone ends the epoch, or is told as gone', async () => {
    const engine = await start()
    const rooms = 60
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
    const used = Number(/used_memory:(\d+)/.exec(await server.command('INFO', 'memory'))?.[1])
    await server.command('CONFIG', 'SET', 'maxmemory', String(used + 500_000))
    try {
      const last = new Map<number, { epoch: string; offset: number }>()
      let restarts = 0
      for (let round = 0; round < 8; round += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: rooms }, (_, n) => engine.publish(messageTo(roomOf(n), 'x'.repeat(2_000)))),
        )
        for (const [n, outcome] of outcomes.entries()) {
          if (outcome.kind !== 'published') throw new Error(outcome.kind)
          const before = last.get(n)
          // I4, I5: in one epoch the next offset; or else another epoch, from the start.
          if (before?.epoch === outcome.epoch) expect(outcome.offset).toBe(before.offset + 1)
          else expect(outcome.offset).toBe(1)
          if (before !== undefined && before.epoch !== outcome.epoch) restarts += 1
          last.set(n, outcome)
        }
        for (let n = 0; n < rooms; n += 1) expectWhole(await engine.read(roomOf(n), KEPT, ALL))
      }
      expect(restarts).toBeGreaterThan(0)
    } finally {
      await server.command('CONFIG', 'SET', 'maxmemory', '0')
      await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    }
  })

  it('F-15 tells a log that was trimmed by somebody else as it is', async () => {
    const engine = await start()
    for (let n = 0; n < 5; n += 1) await engine.publish(messageTo(roomOf(1), 'x'))
    const keys = (await server.command('KEYS', '*:log:*acmeroom:1')).split('\r\n')
    for (const key of keys.filter((text) => text.includes(':log:'))) await server.command('XTRIM', key, 'MAXLEN', '0')
    expect(await engine.read(roomOf(1), KEPT, ALL)).toMatchObject({ first: 6, expired: false, messages: [] })
    expect(await engine.publish(messageTo(roomOf(1), 'y'))).toMatchObject({ offset: 6 })
    expect(await engine.read(roomOf(1), KEPT, ALL)).toMatchObject({ first: 6, expired: false })
  })
})

describe('F-62 nodes whose clocks differ by five minutes', () => {
  const FIVE_MINUTES = 300_000

  async function startWithClock(offsetMs: number, prefix: string): Promise<RedisEngine> {
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
    const servers = [{ host: '127.0.0.1', port: server.port }]
    const engine = new RedisEngine({ servers, prefix }, { clock, random: systemRandom, log: silentLogger })
    closing.push(() => engine.close())
    await engine.start()
    return engine
  }

  it('agree on leases, records, keys and who is there', async () => {
    const [early, late] = [await startWithClock(-FIVE_MINUTES, 'f62'), await startWithClock(FIVE_MINUTES, 'f62')]
    expect(await early.leases.hold('l', 'early', 10_000)).toBe(true)
    expect(await late.leases.hold('l', 'late', 10_000)).toBe(false)
    expect(await late.records.put('r', 'v', { ttlMs: 10_000 })).toBe(1)
    expect(await early.records.get('r')).toMatchObject({ value: 'v' })

    await early.nodes.renew('early', '', 10_000)
    await late.nodes.renew('late', '', 10_000)
    for (const engine of [early, late]) expect(await engine.nodes.list()).toHaveLength(2)
    const entry = { session: 's1', connection: 'c1', node: 'early', user: 'ada', info: undefined }
    await early.members.enter(roomOf(1), entry)
    expect(await late.nodes.reap()).toEqual([])
    expect(await late.members.list(roomOf(1), 10)).toMatchObject({ counts: { connections: 1 } })

    const keyed = messageTo(roomOf(1), 'x', { idempotency: { scope: 'ada', key: 'k' } })
    expect(await early.publish(keyed)).toMatchObject({ offset: 1, duplicate: false })
    expect(await late.publish(keyed)).toMatchObject({ offset: 1, duplicate: true })
    expect(await late.read(roomOf(1), KEPT, ALL)).toMatchObject({ top: { offset: 1 }, first: 1 })
  })

  it('let go of what a node held when its lease lapses by the time of Redis', async () => {
    const [early, late] = [await startWithClock(-FIVE_MINUTES, 'f62b'), await startWithClock(FIVE_MINUTES, 'f62b')]
    await late.nodes.renew('late', '', 200)
    await late.members.enter(roomOf(1), { session: 's', connection: 'c', node: 'late', user: 'ada', info: undefined })
    const heard = new Recorder()
    await early.listen(roomOf(1), heard)
    expect(await eventually('it is reaped', async () => (await early.nodes.reap())[0])).toBe('late')
    await eventually('it is told', () => heard.changes.length > 0)
    expect(heard.changes).toMatchObject([{ member: { user: 'ada', connections: 0 }, before: 1 }])
  })
})

describe('F-20 a Redis whose clock is set back', () => {
  it('gives versions of presence that rise all the same, also over a channel that was empty', async () => {
    const engine = await start()
    const entry = { session: 's', connection: 'c', node: 'n1', user: 'ada', info: undefined }
    const before = await engine.members.enter(roomOf(20), entry)
    // As if it had been entered an hour from now.
    const [key = ''] = (await server.command('KEYS', '*:users:*acmeroom:20')).match(/t\d.*acmeroom:20/) ?? []
    const ahead = before.version + 3_600_000_000
    await server.command('HSET', key, '', String(ahead))
    expect(await engine.members.leave(roomOf(20), entry)).toMatchObject({ version: ahead + 1 })
    expect(await engine.members.list(roomOf(20), 10)).toMatchObject({ version: 0, members: [] })
    expect(await engine.members.leave(roomOf(20), entry)).toMatchObject({ version: 0, changed: false })
    expect(Number((await server.command('PTTL', key)).slice(1))).toBeGreaterThan(0)
    expect(await engine.members.enter(roomOf(20), entry)).toMatchObject({ version: ahead + 2 })
    expect(await server.command('PTTL', key)).toMatch(/^:-1/)
  })
})

describe('F-14 a Redis that is not there', () => {
  it('does not keep a node from starting: it says what is wrong, refuses at once, and serves when Redis comes', async () => {
    const absent = await RedisProcess.start()
    closing.push(() => absent.stop())
    await absent.kill()
    const [began, begun] = [performance.now(), machineTime()]
    const engine = await startAt(absent.port)
    // Three attempts: after one second, and two more.
    expect(performance.now() - began).toBeGreaterThan(2_900)
    expect(machineTime() - begun).toBeLessThan(8_000)
    const problems: (string | undefined)[] = []
    engine.watch((problem) => problems.push(problem))
    expect(engine.problem()).toMatch(/cannot use the server at 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
    expect(await codeOf(engine.publish(messageTo(roomOf(1), 'x')))).toBe('engine_unavailable')
    expect(await codeOf(engine.listen(roomOf(1), new Recorder()))).toBe('engine_unavailable')
    expect(await codeOf(engine.nodes.renew('n1', '', 1_000))).toBe('engine_unavailable')
    await absent.begin()
    const back = machineTime()
    await eventually('it serves', () => engine.problem() === undefined)
    expect(machineTime() - back).toBeLessThan(3_000)
    expect(problems.at(-1)).toBeUndefined()
    expect(await engine.publish(messageTo(roomOf(1), 'x'))).toMatchObject({ offset: 1 })
  })

  it('is told by its name when that names nobody', async () => {
    const engine = engineOn({ servers: [{ host: 'redis.invalid', port: 6_379 }] })
    closing.push(() => engine.close())
    await engine.start()
    expect(engine.problem()).toMatch(/redis\.invalid:6379: .*(ENOTFOUND|EAI_AGAIN|no answer)/)
  })
})

describe('F-16 a real server', () => {
  it('T-098 that forgets its scripts is given them again, and nothing fails', async () => {
    const engine = await start()
    const outcomes: unknown[] = []
    for (let round = 0; round < 5; round += 1) {
      const publishes = Array.from({ length: 20 }, () => engine.publish(messageTo(roomOf(1), 'x')))
      await server.command('SCRIPT', 'FLUSH')
      outcomes.push(...(await Promise.all(publishes)))
    }
    expect(outcomes).toHaveLength(100)
    expect(await engine.read(roomOf(1), KEPT, ALL)).toMatchObject({ top: { offset: 100 }, first: 91 })
  })

  it('that wants another password is a problem until it takes ours again', async () => {
    const closed = await RedisProcess.start()
    closing.push(() => closed.stop())
    const engine = await startAt(closed.port)
    await closed.command('CONFIG', 'SET', 'requirepass', 'secret')
    const auth = ['AUTH', 'secret']
    await closed.commands(auth, ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await eventually('it says so', () => engine.problem()?.includes('NOAUTH'))
    expect(await codeOf(engine.publish(messageTo(roomOf(1), 'x')))).toBe('engine_unavailable')
    await closed.commands(auth, ['CONFIG', 'SET', 'requirepass', ''])
    await eventually('it serves', () => engine.problem() === undefined)
    expect(await engine.publish(messageTo(roomOf(1), 'x'))).toMatchObject({ kind: 'published' })
  })

  it('F-17 that has no room for another client is a problem until it has', async () => {
    const full = await RedisProcess.start()
    closing.push(() => full.stop())
    const engine = await startAt(full.port)
    const administrator = createClient({ socket: { host: '127.0.0.1', port: full.port } })
    await administrator.connect()
    closing.push(async () => administrator.destroy())
    // One place beside its own, and the engine needs two.
    await administrator.sendCommand(['CONFIG', 'SET', 'maxclients', '2'])
    await administrator.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await administrator.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    await eventually('it says so', () => engine.problem()?.includes('max number of clients'))
    await administrator.sendCommand(['CONFIG', 'SET', 'maxclients', '100'])
    await eventually('it serves', () => engine.problem() === undefined)
    expect(await engine.publish(messageTo(roomOf(1), 'x'))).toMatchObject({ kind: 'published' })
  })
})
