import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Stream } from '../engine.js'
import { Recorder } from './recorder.js'

/** What a test of shared state works on. */
export interface SharedState {
  readonly engine: Engine
  pass(ms: number): Promise<void>
  delivered(): Promise<void>
}

const ROOM: Stream = { tenant: 'acme', channel: 'room:1' }

/** The contract of what nodes share beside logs: records, leases, counters, nodes, control, members. */
export function describeSharedState(current: () => SharedState): void {
  let engine: Engine
  let pass: SharedState['pass']
  let delivered: SharedState['delivered']

  beforeEach(() => {
    ;({ engine, pass, delivered } = current())
  })

  describe('records', () => {
    it('are written by compare-and-set', async () => {
      const { records } = engine
      expect(await records.put('k', 'one', { ttlMs: 60_000, ifVersion: 0 })).toBe(1)
      expect(await records.put('k', 'two', { ttlMs: 60_000, ifVersion: 0 })).toBeUndefined()
      expect(await records.put('k', 'two', { ttlMs: 60_000, ifVersion: 1 })).toBe(2)
      expect(await records.put('k', 'three', { ttlMs: 60_000 })).toBe(3)
      expect(await records.get('k')).toEqual({ value: 'three', version: 3 })
    })

    it('are taken by one of several', async () => {
      await engine.records.put('k', 'v', { ttlMs: 60_000 })
      const taken = await Promise.all([1, 2, 3].map(() => engine.records.take('k')))
      expect(taken.filter((record) => record !== undefined)).toEqual([{ value: 'v', version: 1 }])
    })

    it('expire', async () => {
      await engine.records.put('k', 'v', { ttlMs: 10_000 })
      await pass(9_000)
      expect(await engine.records.get('k')).toBeDefined()
      await pass(2_000)
      expect(await engine.records.get('k')).toBeUndefined()
      expect(await engine.records.put('k', 'v', { ttlMs: 1_000, ifVersion: 0 })).toBe(1)
    })
  })

  describe('leases', () => {
    it('are held by one at a time, renewed by it, and free after their time or release', async () => {
      const { leases } = engine
      expect(await leases.hold('l', 'one', 10_000)).toBe(true)
      expect(await leases.hold('l', 'other', 10_000)).toBe(false)
      await pass(9_000)
      expect(await leases.hold('l', 'one', 10_000)).toBe(true)
      await pass(9_000)
      expect(await leases.hold('l', 'other', 10_000)).toBe(false)
      await pass(2_000)
      expect(await leases.hold('l', 'other', 10_000)).toBe(true)
      await leases.release('l', 'one')
      expect(await leases.hold('l', 'one', 10_000)).toBe(false)
      await leases.release('l', 'other')
      expect(await leases.hold('l', 'one', 10_000)).toBe(true)
    })
  })

  describe('counters', () => {
    it('never pass their maximum, whoever races', async () => {
      const sums = await Promise.all(
        Array.from({ length: 20 }, () => engine.counters.add('c', 1, { node: 'n1', max: 10 })),
      )
      expect(sums.filter((sum) => sum !== undefined)).toHaveLength(10)
      expect(await engine.counters.add('c', -1, { node: 'n1' })).toBe(9)
      expect(await engine.counters.add('c', 1, { node: 'n1', max: 10 })).toBe(10)
    })

    it('never fall below zero', async () => {
      expect(await engine.counters.add('c', -5, { node: 'n1' })).toBe(0)
      expect(await engine.counters.add('c', 1, { node: 'n1', max: 1 })).toBe(1)
    })
  })

  describe('nodes', () => {
    const entry = (session: string, node: string, connection = `of ${session}`) => ({
      session,
      user: `user of ${session}`,
      connection,
      node,
      info: undefined,
    })

    it('are live while they renew their lease', async () => {
      const { nodes } = engine
      expect(await nodes.renew('n1', 'about one', 10_000)).toBe(false)
      expect(await nodes.renew('n2', 'about two', 10_000)).toBe(false)
      await pass(6_000)
      expect(await nodes.renew('n1', 'about one', 10_000)).toBe(true)
      await pass(6_000)
      expect(await nodes.list()).toEqual([{ node: 'n1', about: 'about one' }])
      await nodes.leave('n1')
      expect(await nodes.list()).toEqual([])
      expect(await nodes.renew('n1', 'again', 10_000)).toBe(false)
      expect(await nodes.list()).toEqual([{ node: 'n1', about: 'again' }])
    })

    it('lose what they hold when their lease has lapsed, once, and listeners hear of it', async () => {
      const { nodes, members, counters } = engine
      await nodes.renew('n1', '', 10_000)
      await nodes.renew('n2', '', 10_000)
      await members.enter(ROOM, entry('s1', 'n1'))
      await members.enter(ROOM, entry('s2', 'n1'))
      await members.enter(ROOM, entry('s3', 'n2'))
      await counters.add('c', 3, { node: 'n1' })
      await counters.add('c', 2, { node: 'n2' })
      await pass(6_000)
      await nodes.renew('n2', '', 10_000)
      expect(await nodes.reap()).toEqual([])
      const heard = new Recorder()
      await engine.listen(ROOM, heard)
      await pass(6_000)
      expect((await Promise.all([nodes.reap(), nodes.reap(), nodes.reap()])).flat()).toEqual(['n1'])
      await delivered()
      expect(new Map(heard.changes.map(({ member }) => [member.user, member.connections]))).toEqual(
        new Map([
          ['user of s1', 0],
          ['user of s2', 0],
        ]),
      )
      expect(heard.changes).toHaveLength(2)
      expect(await members.list(ROOM, 10)).toMatchObject({ counts: { members: 1, connections: 1 } })
      expect(await counters.add('c', 1, { node: 'n2' })).toBe(3)
      expect(await nodes.reap()).toEqual([])
    })

    it('keep what a connection of another node took over', async () => {
      const { nodes, members } = engine
      await nodes.renew('n1', '', 10_000)
      await nodes.renew('n2', '', 60_000)
      await members.enter(ROOM, entry('s1', 'n1', 'old'))
      expect(await members.enter(ROOM, entry('s1', 'n2', 'new'))).toMatchObject({ changed: false })
      const heard = new Recorder()
      await engine.listen(ROOM, heard)
      await pass(11_000)
      await nodes.reap()
      await delivered()
      expect(heard.changes).toEqual([])
      expect(await members.list(ROOM, 10)).toMatchObject({ counts: { members: 1, connections: 1 } })
    })

    it('may come back after their lease lapsed: what they enter then stays', async () => {
      const { nodes, members, counters } = engine
      await nodes.renew('n1', '', 10_000)
      await members.enter(ROOM, entry('s1', 'n1'))
      await counters.add('c', 3, { node: 'n1' })
      await pass(11_000)
      expect(await nodes.renew('n1', '', 10_000)).toBe(false)
      await members.enter(ROOM, entry('s1', 'n1'))
      await nodes.reap()
      expect(await members.list(ROOM, 10)).toMatchObject({ counts: { members: 1, connections: 1 } })
    })

    it('leave what they hold to be reaped when they go by themselves', async () => {
      const { nodes, members } = engine
      await nodes.renew('n1', '', 10_000)
      await members.enter(ROOM, entry('s1', 'n1'))
      await nodes.leave('n1')
      expect(await nodes.reap()).toEqual(['n1'])
      expect(await members.list(ROOM, 10)).toMatchObject({ counts: { members: 0, connections: 0 } })
    })
  })

  describe('control', () => {
    it('reaches one node, or all of them, until the undo', async () => {
      const heard: string[] = []
      const stop = await engine.control.receive('n1', (text) => heard.push(`n1 ${text}`))
      await engine.control.receive('n2', (text) => heard.push(`n2 ${text}`))
      expect(await engine.control.send('n1', 'one "quoted"\n line')).toBe(true)
      expect(await engine.control.send('n3', 'nobody')).toBe(false)
      await delivered()
      expect(heard.splice(0)).toEqual(['n1 one "quoted"\n line'])
      await engine.control.send(undefined, 'all')
      await delivered()
      expect(heard.splice(0).sort()).toEqual(['n1 all', 'n2 all'])
      await stop()
      await engine.control.send(undefined, 'late')
      await engine.control.send('n1', 'late')
      await delivered()
      expect(heard).toEqual(['n2 late'])
    })
  })

  describe('members', () => {
    const entry = (session: string, user: string, connection: string = `of ${session}`) => ({
      session,
      user,
      connection,
      node: 'n1',
      info: undefined,
    })

    it('are users with a count of connections', async () => {
      const { members } = engine
      expect(await members.enter(ROOM, entry('s1', 'ada'))).toMatchObject({
        before: 0,
        changed: true,
        member: { user: 'ada', connections: 1 },
      })
      expect(await members.enter(ROOM, entry('s2', 'ada'))).toMatchObject({
        before: 1,
        changed: true,
        member: { user: 'ada', connections: 2 },
      })
      expect(await members.enter(ROOM, entry('s3', 'bob'))).toMatchObject({ counts: { members: 2, connections: 3 } })
      expect(await members.leave(ROOM, entry('s1', 'ada'))).toMatchObject({
        before: 2,
        changed: true,
        member: { connections: 1 },
      })
      expect(await members.leave(ROOM, entry('s2', 'ada'))).toMatchObject({
        before: 1,
        member: { connections: 0 },
        counts: { members: 1, connections: 1 },
      })
      expect(await members.list(ROOM, 10)).toMatchObject({
        members: [{ user: 'bob', connections: 1 }],
        counts: { members: 1, connections: 1 },
      })
    })

    it('are told of in order, each change with the number after the last', async () => {
      const heard = new Recorder()
      await engine.listen(ROOM, heard)
      const { members } = engine
      const changes = [
        await members.enter(ROOM, { ...entry('s1', 'ada'), info: '{"mood":"fine"}' }),
        await members.enter(ROOM, entry('s2', 'bob')),
        await members.enter(ROOM, entry('s2', 'bob')),
        await members.leave(ROOM, entry('s1', 'ada')),
        await members.leave(ROOM, entry('s1', 'ada')),
      ]
      await delivered()
      expect(heard.changes).toEqual(changes.filter(({ changed }) => changed))
      const first = heard.changes[0]?.version ?? 0
      expect(heard.changes.map(({ version }) => version - first)).toEqual([0, 1, 2])
      expect(heard.changes[0]).toMatchObject({ member: { user: 'ada', info: { mood: 'fine' } }, before: 0 })
      expect(await members.list(ROOM, 10)).toMatchObject({ version: first + 2 })
    })

    it('have versions that rise though the channel was empty', async () => {
      const { members } = engine
      const { version } = await members.enter(ROOM, entry('s1', 'ada'))
      const last = await members.leave(ROOM, entry('s1', 'ada'))
      expect(last.version).toBe(version + 1)
      expect(await members.list(ROOM, 10)).toMatchObject({ version: 0, counts: { connections: 0 } })
      expect((await members.enter(ROOM, entry('s1', 'ada'))).version).toBeGreaterThan(last.version)
    })

    it('change when what they tell changes, and not when they enter again as they were', async () => {
      const { members } = engine
      await members.enter(ROOM, { ...entry('s1', 'ada'), info: '{"mood":"fine"}' })
      expect(await members.enter(ROOM, { ...entry('s1', 'ada'), info: '{"mood":"fine"}' })).toMatchObject({
        changed: false,
      })
      expect(await members.enter(ROOM, { ...entry('s1', 'ada'), info: '{"mood":"bad"}' })).toMatchObject({
        changed: true,
        member: { info: { mood: 'bad' }, connections: 1 },
      })
    })

    it('stay when a connection leaves whose session a newer one took over', async () => {
      const { members } = engine
      await members.enter(ROOM, entry('s1', 'ada', 'old'))
      expect(await members.enter(ROOM, entry('s1', 'ada', 'new'))).toMatchObject({ changed: false })
      expect(await members.leave(ROOM, entry('s1', 'ada', 'old'))).toMatchObject({ changed: false })
      expect(await members.list(ROOM, 10)).toMatchObject({ counts: { members: 1, connections: 1 } })
    })

    it('are listed up to a number, and counted all', async () => {
      for (let n = 0; n < 20; n += 1) await engine.members.enter(ROOM, entry(`s${n}`, `u${n}`))
      const list = await engine.members.list(ROOM, 5)
      expect([list.members.length, list.counts]).toEqual([5, { members: 20, connections: 20 }])
      expect(await engine.members.list({ tenant: 'other', channel: 'room:1' }, 5)).toMatchObject({
        counts: { members: 0 },
      })
    })
  })
}
