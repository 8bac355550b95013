import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { systemRandom } from '../../random.js'
import { silentLogger } from '../../telemetry/log.js'
import { Recorder } from '../conformance/recorder.js'
import type { PresenceEntry, Stream } from '../engine.js'
import { RedisEngine } from './redis-engine.js'
import { eventually } from './testing/deadline.js'
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

const roomOf = (n: number): Stream => ({ tenant: 'acme', channel: `room:${n}` })

describe('what a node holds', () => {
  it('is let go of by one of many reapers, each member told once', async () => {
    const [dead, one, other] = await startTogether(3)
    await dead.nodes.renew('dead', '', 60_000)
    const rooms = 40
    const entry = (n: number): PresenceEntry => ({
      session: `s${n}`,
      connection: `c${n}`,
      node: 'dead',
      user: `u${n % 7}`,
      info: undefined,
    })
    for (let n = 0; n < 400; n += 1) await dead.members.enter(roomOf(n % rooms), entry(n))
    for (let n = 0; n < 50; n += 1) await dead.counters.add(`c${n}`, 3, { node: 'dead' })
    const heard = Array.from({ length: rooms }, () => new Recorder())
    for (const [n, recorder] of heard.entries()) await one.listen(roomOf(n), recorder)
    await dead.nodes.leave('dead')
    const reaped = await Promise.all([one, other, one, other].map((engine) => engine.nodes.reap()))
    await eventually('all is let go of', async () => {
      for (let n = 0; n < rooms; n += 1)
        if ((await other.members.list(roomOf(n), 100)).counts.connections > 0) return false
      return true
    })
    expect(reaped.flat()).toEqual(['dead'])
    for (let n = 0; n < 50; n += 1) expect(await other.counters.add(`c${n}`, 1, { node: 'other', max: 1 })).toBe(1)
    await eventually('all are told', () => heard.every(({ changes }) => changes.length >= 10))
    for (const { changes } of heard) {
      expect(changes).toHaveLength(10)
      expect(changes.at(-1)?.counts).toEqual({ members: 0, connections: 0 })
    }
  })

  it('is found again when it was taken for dead: what came late under its old lease goes', async () => {
    const [engine, other] = await startTogether(2)
    await engine.nodes.renew('n1', '', 60_000)
    await engine.counters.add('c', 2, { node: 'n1' })
    // Redis loses the lease, and the rest is reaped, before the node knows.
    const [lease = ''] = (await server.command('KEYS', '*{nodes}:lease:=n1')).match(/t\d.*=n1/) ?? []
    await server.command('DEL', lease)
    expect(await other.nodes.reap()).toEqual(['n1'])
    expect(await engine.counters.add('c', 1, { node: 'n1' })).toBe(1)
    expect(await engine.nodes.renew('n1', '', 60_000)).toBe(false)
    expect(await engine.counters.add('c', 2, { node: 'n1' })).toBe(3)
    await other.nodes.reap()
    expect(await engine.counters.add('c', 1, { node: 'n1' })).toBe(3)
    expect(await engine.nodes.list()).toEqual([{ node: 'n1', about: '' }])
  })

  it('is not remembered longer than it is held', async () => {
    const [engine] = await startTogether(1)
    await engine.nodes.renew('n1', '', 60_000)
    const entry = { session: 's', connection: 'c', node: 'n1', user: 'ada', info: undefined }
    for (let n = 0; n < 20; n += 1) {
      await engine.counters.add(`user ${n}`, 1, { node: 'n1' })
      await engine.members.enter(roomOf(n), entry)
      if (n < 18) {
        await engine.counters.add(`user ${n}`, -1, { node: 'n1' })
        await engine.members.leave(roomOf(n), entry)
      }
    }
    await engine.nodes.reap()
    const keys = (await server.command('KEYS', '*:holdings:*')).match(/t\d.*/g) ?? []
    const sizes = await Promise.all(keys.map((key) => server.command('SCARD', key.trim())))
    expect(sizes.map((size) => Number(size.match(/\d+/)?.[0]))).toContain(4)
    await engine.nodes.leave('n1')
    expect(await engine.nodes.reap()).toEqual(['n1'])
    expect(await engine.members.list(roomOf(19), 1)).toMatchObject({ counts: { connections: 0 } })
  })

  /** Engines of nodes that share everything. */
  async function startTogether(count: 1): Promise<[RedisEngine]>
  async function startTogether(count: 2): Promise<[RedisEngine, RedisEngine]>
  async function startTogether(count: 3): Promise<[RedisEngine, RedisEngine, RedisEngine]>
  async function startTogether(count: number): Promise<RedisEngine[]> {
    const prefix = `t${process.pid}-${systemRandom.id(6)}`
    const servers = [{ host: '127.0.0.1', port: server.port }]
    const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
    const engines = Array.from({ length: count }, () => new RedisEngine({ servers, prefix }, parts))
    for (const engine of engines) closing.push(() => engine.close())
    await Promise.all(engines.map((engine) => engine.start()))
    return engines
  }
})
