import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MemoryEngine } from '../engine/memory/memory-engine.js'
import { type SimulatedClock, settle } from '../simulated-clock.js'
import { OperationsCluster, type Told } from '../testing/operations-cluster.js'
import type { LinkedOperations } from '../testing/operations-node.js'
import type { OperationSpec } from './desk.js'
import { OperationSuperseded } from './operation.js'
import type { Operations, OperationsOptions } from './operations.js'

const LEASE_MS = 30_000

let cluster: OperationsCluster
let clock: SimulatedClock
let engine: MemoryEngine
let desk: Operations

beforeEach(() => {
  cluster = new OperationsCluster()
  ;({ clock, engine, desk } = cluster)
})

afterEach(() => cluster.close())

const node = (options?: Partial<OperationsOptions>): LinkedOperations => cluster.node(options)
const watch = (channel: string): Promise<Told[]> => cluster.watch(channel)
const create = (id: string, spec?: Partial<OperationSpec>): Promise<OperationSnapshot> => cluster.create(id, spec)
const stateOf = async (id: string): Promise<string | undefined> => (await desk.find('acme', id))?.state
const eventsOf = (told: readonly Told[]): string[] => told.map(([event]) => event)

describe('the figures of a node', () => {
  it('say what it has to do with, what waits and for how long, and whether it looks at what is due', async () => {
    const { desk: one, cut } = node()
    await clock.pass(2_000, 500)
    expect(one.stats().oversees).not.toBe(desk.stats().oversees)
    const nothing = { changesWaiting: 0, oldestWaitingMs: 0 }
    await create('a')
    await create('b')
    await one.report('acme', 'a', { done: 1 }, { stored: true })
    expect([desk.stats(), one.stats()]).toMatchObject([
      { writers: 2, ...nothing },
      { writers: 1, ...nothing },
    ])
    cut()
    await one.report('acme', 'a', { done: 2 })
    await one.report('acme', 'a', { done: 3 })
    await one.report('acme', 'a', { state: 'waiting' })
    await one.report('acme', 'a', { state: 'running' })
    await clock.pass(1_500, 500)
    expect(one.stats()).toMatchObject({ writers: 1, changesWaiting: 2, oldestWaitingMs: 1_500, oversees: false })
  })

  it('count the places that count for a quota, until the operation ends', async () => {
    const { desk: bounded } = node({ admit: () => Promise.resolve(() => undefined) })
    await bounded.create('acme', { id: 'a', kind: 'import', owner: 'ada' })
    expect(bounded.stats().places).toBe(1)
    await bounded.end('acme', 'a', { state: 'completed' })
    expect(bounded.stats().places).toBe(0)
  })
})

describe('a worker that is elsewhere', () => {
  it('reports through any node, and is answered what watchers are about to see', async () => {
    await create('a')
    const other = node().desk
    expect(await desk.report('acme', 'a', { advance: 2 })).toMatchObject({ progress: { percent: 20 } })
    expect(await desk.report('acme', 'a', { advance: 1 }, { stored: true })).toMatchObject({ progress: { done: 3 } })
    expect(await other.report('acme', 'a', { advance: 1 })).toMatchObject({ progress: { done: 4 } })
    await clock.pass(1_000)
    const half = await desk.report('acme', 'a', { done: 5, message: 'half' }, { stored: true })
    expect(half).toMatchObject({ progress: { percent: 50 } })
    expect(await other.end('acme', 'a', { state: 'completed', result: 7 })).toMatchObject({ state: 'completed' })
    expect(await desk.find('acme', 'a')).toMatchObject({ result: 7, progress: { percent: 100, message: 'half' } })
  })

  it('and another one on another node add up, and nothing is lost', async () => {
    const told = await watch('operation:a')
    await create('a', { total: 1_000 })
    const others = [desk, node().desk, node().desk]
    for (let turn = 0; turn < 100; turn += 1) {
      for (const other of others) await other.report('acme', 'a', { advance: 1 })
      await clock.pass(50)
    }
    await clock.pass(1_000)
    expect((await desk.find('acme', 'a'))?.progress.done).toBe(300)
    const versions = told.map(([, { version }]) => version)
    expect(versions).toEqual(versions.map((_, at) => at + 1))
  })

  it('is refused what makes no sense, by name', async () => {
    await create('a')
    const refused = (promise: Promise<unknown>, code: string, message = ''): Promise<void> =>
      expect(promise).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
    await refused(desk.report('acme', 'none', {}), 'not_found')
    await refused(desk.report('other', 'a', {}), 'not_found')
    await refused(desk.report('acme', 'a', { done: -1 }), 'bad_request', 'done must be a number from 0')
    await refused(desk.report('acme', 'a', { percent: 101 }), 'bad_request', 'percent must be')
    await refused(desk.report('acme', 'a', { percent: 1, done: 1 }), 'bad_request', 'percent excludes')
    await refused(desk.report('acme', 'a', { item: 5 as never }), 'bad_request', 'item must be text')
    await refused(desk.heartbeat('acme', 'a', { attempt: 0 }), 'bad_request', 'attempt must be')
    await refused(desk.heartbeat('acme', 'a', { entry: 'x' }), 'bad_request', 'entry must be')
    await refused(create('b', { lease: '10ms' }), 'bad_request', 'lease must be from 1s to 1d')
    await refused(create('b', { expireAfter: 'soon' }), 'bad_request', 'expireAfter must be')
    await refused(create('a'), 'bad_request', '"a" exists')
    await desk.end('acme', 'a', { state: 'cancelled' })
    await refused(desk.report('acme', 'a', {}), 'already_ended')
    await refused(desk.cancel('acme', 'a'), 'already_ended')
    expect(await desk.end('acme', 'a', { state: 'cancelled' })).toMatchObject({ state: 'cancelled' })
  })

  it('that means a state is heard of one of those who mean the same, on whichever nodes', async () => {
    await create('a')
    const desks = [desk, node().desk, node().desk]
    for (const one of desks) await one.find('acme', 'a')
    const said = desks.map((one) =>
      one.report('acme', 'a', { advance: 1 }, { isMeant: ({ version }) => version === 1 }).then(
        ({ version }) => version,
        ({ code }: { code: string }) => code,
      ),
    )
    expect((await Promise.all(said)).map(String).toSorted()).toEqual(['2', 'stale_report', 'stale_report'])
    expect(await desk.find('acme', 'a')).toMatchObject({ version: 2, progress: { done: 1 } })
    await expect(desk.report('acme', 'none', {}, { isMeant: () => true })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('begins once what an entry began, however often it is read', async () => {
    const spec = { id: 'a', kind: 'import', owner: 'ada' }
    const first = await desk.create('acme', spec, { entry: '5-0' })
    expect(await desk.create('acme', spec, { entry: '5-0' })).toEqual(first)
    await expect(desk.create('acme', spec, { entry: '6-0' })).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('learns that it is to stop in the answer to its next report', async () => {
    await create('a')
    const other = node().desk
    await other.report('acme', 'a', { done: 1 })
    await desk.cancel('acme', 'a')
    await clock.pass(3_000)
    expect(await other.report('acme', 'a', { done: 2 })).toMatchObject({ cancelRequested: true })
  })

  it('hears nothing of the engine but that it is away, and reports on when it is back', async () => {
    const { desk: away, cut, heal, errors } = node()
    await create('a')
    await away.report('acme', 'a', { done: 1 }, { stored: true })
    cut()
    await away.report('acme', 'a', { advance: 3 })
    await expect(away.end('acme', 'a', { state: 'completed' })).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(5_000, 500)
    heal()
    await clock.pass(3_000, 500)
    expect((await desk.find('acme', 'a'))?.progress.done).toBe(4)
    expect(errors.length).toBeGreaterThan(0)
    expect(await away.end('acme', 'a', { state: 'completed' })).toMatchObject({ state: 'completed' })
  })
})

describe('a lease', () => {
  it('that lapses stalls the operation, until its worker reports again', async () => {
    const told = await watch('operation:a')
    await create('a')
    await clock.pass(LEASE_MS + 2_000, 1_000)
    expect(await stateOf('a')).toBe('stalled')
    await desk.report('acme', 'a', { done: 1 }, { stored: true })
    await clock.pass(1_000, 500)
    expect(eventsOf(told)).toEqual(['started', 'stalled', 'resumed'])
    await clock.pass(LEASE_MS + 2_000, 1_000)
    expect(await stateOf('a')).toBe('stalled')
  })

  it('is kept by reports and heartbeats, and is as long as the operation says', async () => {
    await create('short', { lease: '5s' })
    await create('long', { lease: '1h' })
    for (let turn = 0; turn < 20; turn += 1) {
      await desk.heartbeat('acme', 'short')
      await clock.pass(4_000, 1_000)
      expect(await stateOf('short')).toBe('running')
    }
    await clock.pass(7_000, 1_000)
    expect([await stateOf('short'), await stateOf('long')]).toEqual(['stalled', 'running'])
  })

  it('is kept for a worker in this process as long as that lives, unless it wants to do so itself', async () => {
    await desk.start('acme', { id: 'kept', kind: 'import', owner: 'ada' })
    const own = await desk.start('acme', { id: 'own', kind: 'import', owner: 'ada', heartbeat: 'manual' })
    await clock.pass(LEASE_MS * 3, 500)
    expect([await stateOf('kept'), await stateOf('own')]).toEqual(['running', 'stalled'])
    own.heartbeat()
    await settle()
    expect(await stateOf('own')).toBe('running')
  })

  it('lapses although its node died, and although the node that looked after it did', async () => {
    const [first, second] = [node(), node()]
    await first.desk.start('acme', { id: 'a', kind: 'import', owner: 'ada' })
    await clock.pass(10_000, 500)
    first.cut()
    await desk.close()
    await clock.pass(LEASE_MS + 10_000, 1_000)
    expect((await second.desk.find('acme', 'a'))?.state).toBe('stalled')
  })

  it('does not lapse for everybody when nobody could report for a while', async () => {
    const { desk: other, cut, heal } = node()
    await desk.close()
    await other.create('acme', { id: 'a', kind: 'import', owner: 'ada' })
    cut()
    await clock.pass(LEASE_MS + 20_000, 1_000)
    heal()
    await clock.pass(3_000, 1_000)
    expect((await other.find('acme', 'a'))?.state).toBe('running')
    await other.report('acme', 'a', { done: 1 })
    await clock.pass(LEASE_MS - 2_000, 1_000)
    expect((await other.find('acme', 'a'))?.state).toBe('running')
    await clock.pass(4_000, 1_000)
    expect((await other.find('acme', 'a'))?.state).toBe('stalled')
  })

  it.each([100, 5_000])(
    'does not lapse in an outage that begins when it was just looked at, looks %d ms apart',
    async (stepMs) => {
      const told = await watch('operation:a')
      const alone = node()
      await desk.close()
      await alone.desk.start('acme', { id: 'a', kind: 'import', owner: 'ada' })
      await clock.pass(31_000, 500)
      alone.cut()
      await clock.pass(45_000, stepMs)
      alone.heal()
      await clock.pass(10_000, stepMs)
      expect(eventsOf(told)).not.toContain('stalled')
    },
  )

  it.each([24_000, 27_000, 30_000])(
    'that ends in an outage of %d ms, or right after it, lapses when nobody speaks for as long as it lasts',
    async (outageMs) => {
      const told = await watch('operation:a')
      const alone = node()
      await desk.close()
      await alone.desk.create('acme', { id: 'a', kind: 'import', owner: 'ada' })
      await clock.pass(2_000, 500)
      alone.cut()
      await clock.pass(outageMs, 500)
      alone.heal()
      await clock.pass(4_500, 500)
      await alone.desk.heartbeat('acme', 'a')
      await clock.pass(2_000, 500)
      expect(eventsOf(told)).not.toContain('stalled')
      await clock.pass(40_000, 500)
      expect(eventsOf(told)).toContain('stalled')
    },
  )

  it('that lapses cancels what was to stop', async () => {
    await create('a')
    await desk.cancel('acme', 'a')
    await clock.pass(LEASE_MS + 2_000, 1_000)
    expect(await stateOf('a')).toBe('cancelled')
  })
})

describe('an operation that nobody has', () => {
  it('is expired when its time is over, and never forgotten before', async () => {
    const told = await watch('operations:ada')
    await create('queued', { queued: true })
    await create('stalled')
    await clock.pass(3_500_000, 50_000)
    expect([await stateOf('queued'), await stateOf('stalled')]).toEqual(['queued', 'stalled'])
    await clock.pass(200_000, 5_000)
    expect([await stateOf('queued'), await stateOf('stalled')]).toEqual(['expired', 'expired'])
    expect(eventsOf(told).filter((event) => event === 'expired')).toHaveLength(2)
  })

  it('is expired at its own time, however well it goes', async () => {
    await create('a', { expireAfter: '1m' })
    for (let turn = 0; turn < 7; turn += 1) {
      await desk.report('acme', 'a', { done: turn }).catch(() => undefined)
      await clock.pass(10_000, 1_000)
    }
    expect(await stateOf('a')).toBe('expired')
  })

  it('is taken up by a worker, as an attempt that the one before cannot speak for', async () => {
    await create('a', { queued: true })
    await expect(desk.report('acme', 'a', { done: 1 })).rejects.toMatchObject({ code: 'bad_request' })
    expect(await desk.attempt('acme', 'a')).toMatchObject({ state: 'running', attempt: 1 })
    await expect(node().desk.attempt('acme', 'a')).rejects.toMatchObject({ code: 'already_held' })
    await clock.pass(LEASE_MS + 2_000, 1_000)
    expect(await node().desk.attempt('acme', 'a')).toMatchObject({ attempt: 2, progress: { done: 0 } })
    await expect(desk.end('acme', 'a', { state: 'completed', attempt: 1 })).rejects.toMatchObject({
      code: 'stale_report',
    })
    await clock.pass(LEASE_MS + 2_000, 1_000)
    expect(await stateOf('a')).toBe('stalled')
  })

  it('is taken up in this process, and its worker before is told', async () => {
    const first = await desk.start('acme', { id: 'a', kind: 'import', owner: 'ada', total: 10 })
    const second = await node().desk.take('acme', 'a', { force: true })
    expect(second.attempt).toBe(2)
    first.advance(9)
    await clock.pass(400, 100)
    expect(first.signal.reason).toBeInstanceOf(OperationSuperseded)
    await expect(first.complete()).rejects.toMatchObject({ code: 'stale_report' })
    second.advance(1)
    await second.complete()
    expect(second.signal.aborted).toBe(false)
    expect(await desk.find('acme', 'a')).toMatchObject({ state: 'completed', attempt: 2 })
  })
})

describe('an end', () => {
  it('that is too large to be told is refused, and another one is taken', async () => {
    await create('a')
    const result = 'x'.repeat(70_000)
    const refused = { code: 'limit_exceeded' }
    await expect(desk.end('acme', 'a', { state: 'completed', result })).rejects.toMatchObject(refused)
    expect(await stateOf('a')).toBe('running')
    expect(await desk.end('acme', 'a', { state: 'completed', result: 7 })).toMatchObject({ state: 'completed' })
  })

  it.each(['end', 'cancel', 'attempt', 'report'] as const)(
    'is not the answer to what was refused at once: %s',
    async (word) => {
      const { desk: away, cut } = node()
      await create('a', { queued: word === 'attempt' })
      await away.find('acme', 'a')
      if (word === 'attempt') await away.list('acme', {})
      else await away.report('acme', 'a', {}, { stored: true })
      cut()
      const said = {
        end: () => away.end('acme', 'a', { state: 'failed', error: { message: 'no' } }),
        cancel: () => away.cancel('acme', 'a'),
        attempt: () => away.attempt('acme', 'a'),
        report: () => away.report('acme', 'a', { state: 'waiting' }, { stored: true }),
      }
      await expect(said[word]()).rejects.toMatchObject({ code: 'engine_unavailable' })
    },
  )

  it('is told to the owner and the parent although its node died right after it', async () => {
    const feed = await watch('operations:ada')
    await create('whole')
    const dying = node()
    await dying.desk.create('acme', { id: 'part', kind: 'import', owner: 'ada', parent: 'whole' })
    const publish = engine.publish.bind(engine)
    engine.publish = async (request) => {
      const outcome = await publish(request)
      if (request.final) dying.cut()
      return outcome
    }
    await dying.desk.end('acme', 'part', { state: 'completed' })
    engine.publish = publish
    expect(eventsOf(feed)).not.toContain('completed')
    for (let turn = 0; turn < 10; turn += 1) {
      await desk.heartbeat('acme', 'whole')
      await clock.pass(5_000, 1_000)
    }
    expect(feed.filter(([event, { id }]) => event === 'completed' && id === 'part')).toHaveLength(1)
    expect(await desk.find('acme', 'whole')).toMatchObject({ children: { total: 1, completed: 1 } })
  })

  it('is told to the owner once, though everybody looks at it again', async () => {
    const feed = await watch('operations:ada')
    await create('a')
    await desk.end('acme', 'a', { state: 'failed', error: { message: 'no' } })
    await engine.indexes.put('operations:due', { key: '4:acmea', score: 0, ttlMs: 60_000 })
    await clock.pass(5_000, 1_000)
    expect(eventsOf(feed).filter((event) => event === 'failed')).toHaveLength(1)
    expect(await engine.indexes.range('operations:due', { limit: 10 })).toEqual([])
  })
})

describe('the feed of a user', () => {
  it('tells of all operations of the user alone, of progress once a second at most, and of the last', async () => {
    const feed = await watch('operations:ada')
    await create('a', { total: 1_000 })
    await create('b', { owner: 'bob' })
    for (let turn = 0; turn < 100; turn += 1) {
      await desk.report('acme', 'a', { advance: 1 })
      await clock.pass(50)
    }
    await clock.pass(2_000, 100)
    const progress = feed.filter(([event]) => event === 'progress')
    expect(progress.length).toBeGreaterThanOrEqual(4)
    expect(progress.length).toBeLessThanOrEqual(7)
    expect(progress.at(-1)?.[1].progress.done).toBe(100)
    await desk.report('acme', 'a', { phase: 'next' }, { stored: true })
    await desk.end('acme', 'a', { state: 'completed' })
    await settle()
    expect(eventsOf(feed).slice(-2)).toEqual(['phase', 'completed'])
    expect(new Set(feed.map(([, { id }]) => id))).toEqual(new Set(['a']))
  })

  it('begins with what has not ended', async () => {
    for (const id of ['a', 'b', 'c']) await create(id)
    await create('theirs', { owner: 'bob', sharedWith: ['ada'] })
    await desk.end('acme', 'b', { state: 'completed' })
    const openings = await desk.feed('acme', 'operations:ada', 'ada')
    expect(openings.map(({ event, data }) => [event, (JSON.parse(data) as OperationSnapshot).id])).toEqual([
      ['progress', 'c'],
      ['progress', 'a'],
    ])
    expect(await desk.feed('acme', 'operations:bob', 'ada')).toEqual([])
    expect(await desk.feed('acme', 'room:ada', 'ada')).toEqual([])
  })
})

describe('a parent', () => {
  it('is as far as its parts, and is not completed before them', async () => {
    await create('whole')
    await create('p1', { parent: 'whole', weight: 3 })
    await create('p2', { parent: 'whole' })
    await expect(desk.end('acme', 'whole', { state: 'completed' })).rejects.toMatchObject({ code: 'children_running' })
    await desk.report('acme', 'p1', { done: 5 })
    await clock.pass(3_000, 500)
    expect(await desk.find('acme', 'whole')).toMatchObject({ progress: { percent: 37.5 }, children: { running: 2 } })
    for (const id of ['p1', 'p2']) await desk.end('acme', id, { state: 'completed' })
    await clock.pass(1_000, 500)
    expect(await desk.end('acme', 'whole', { state: 'completed' })).toMatchObject({ children: { completed: 2 } })
    expect((await desk.list('acme', { parent: 'whole' })).operations.map(({ id }) => id)).toEqual(['p2', 'p1'])
  })

  it('that is to stop asks its parts to, also those that begin later', async () => {
    await create('whole')
    await create('p1', { parent: 'whole' })
    await create('p2', { parent: 'whole', queued: true })
    await desk.cancel('acme', 'whole')
    expect(await desk.find('acme', 'p1')).toMatchObject({ cancelRequested: true })
    expect(await stateOf('p2')).toBe('cancelled')
    await create('p3', { parent: 'whole' })
    await clock.pass(2_000, 500)
    expect(await desk.find('acme', 'p3')).toMatchObject({ cancelRequested: true })
  })

  it('has to be there, not to have ended, and to have room', async () => {
    const small = node({ childrenMax: 1 }).desk
    const part = (id: string, parent: string): Promise<unknown> =>
      small.create('acme', { id, kind: 'import', owner: 'ada', parent })
    await expect(part('p1', 'none')).rejects.toMatchObject({ code: 'bad_request' })
    await create('whole')
    await part('p1', 'whole')
    await expect(part('p2', 'whole')).rejects.toMatchObject({ code: 'limit_exceeded' })
    await create('over')
    await desk.end('acme', 'over', { state: 'cancelled' })
    await expect(part('p3', 'over')).rejects.toMatchObject({ code: 'already_ended' })
  })
})

describe('a list', () => {
  it('gives the operations of a tenant page by page, newest first, each once', async () => {
    for (let n = 0; n < 120; n += 1) {
      await create(`op-${n}`, { kind: n % 10 === 0 ? 'rare' : 'import', owner: n % 2 === 0 ? 'ada' : 'bob' })
      await clock.pass(1)
    }
    await desk.create('other', { id: 'theirs', kind: 'import', owner: 'ada' })
    const all = async (query: Parameters<Operations['list']>[1]): Promise<string[]> => {
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = await desk.list('acme', { ...query, ...(cursor !== undefined && { cursor }) })
        found.push(...page.operations.map(({ id }) => id))
        cursor = page.next
      } while (cursor !== undefined)
      return found
    }
    const every = Array.from({ length: 120 }, (_, n) => `op-${119 - n}`)
    expect(await all({ limit: 7 })).toEqual(every)
    expect(await all({})).toEqual(every)
    expect(await all({ owner: 'bob', limit: 100 })).toEqual(every.filter((_, at) => at % 2 === 0))
    expect(await all({ kind: 'rare', limit: 5 })).toHaveLength(12)
    await desk.end('acme', 'op-3', { state: 'cancelled' })
    expect(await all({ states: ['cancelled', 'failed'] })).toEqual(['op-3'])
    await expect(desk.list('acme', { cursor: 'x' })).rejects.toMatchObject({ code: 'bad_request' })
    await expect(desk.list('acme', { limit: 101 })).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('holds what is shared with a user where it is asked for', async () => {
    await create('a', { sharedWith: ['bob'] })
    await create('b', { owner: 'bob' })
    const ids = async (query: object): Promise<string[]> =>
      (await desk.list('acme', query)).operations.map(({ id }) => id).toSorted()
    expect(await ids({ visibleTo: 'bob' })).toEqual(['a', 'b'])
    expect(await ids({ owner: 'bob' })).toEqual(['b'])
  })

  it('loses what is gone, and has what was forgotten looked at', async () => {
    await create('a')
    await engine.indexes.remove('operations:due', '4:acmea')
    await engine.indexes.put('operations:in:acme', { key: 'gone', score: 1, ttlMs: 3_600_000 })
    await clock.pass(LEASE_MS * 7, 1_000)
    expect(await stateOf('a')).toBe('stalled')
    expect((await engine.indexes.range('operations:in:acme', { limit: 10 })).map(({ key }) => key)).toEqual(['a'])
  })
})

describe('who waits for a change', () => {
  it('is woken by it, by the end, or when time is over', async () => {
    const { version } = await create('a')
    const next = desk.changed('acme', 'a', { version, timeoutMs: 30_000 })
    const end = desk.changed('acme', 'a', { version: 'end', timeoutMs: 30_000 })
    const late = desk.changed('acme', 'a', { version: 100, timeoutMs: 1_000 })
    await settle()
    await node().desk.report('acme', 'a', { done: 1 }, { stored: true })
    expect(await next).toMatchObject({ progress: { done: 1 } })
    await clock.pass(1_000)
    expect(await late).toMatchObject({ state: 'running' })
    await desk.end('acme', 'a', { state: 'completed' })
    expect(isTerminal((await end)?.state ?? 'running')).toBe(true)
    expect(await desk.changed('acme', 'a', { version: 100, timeoutMs: 1_000 })).toMatchObject({ state: 'completed' })
    expect(await desk.changed('acme', 'none', { version: 1, timeoutMs: 1_000 })).toBeUndefined()
  })

  it('is let go when it goes away', async () => {
    await create('a')
    const leaving = new AbortController()
    const waiting = desk.changed('acme', 'a', { version: 'end', timeoutMs: 30_000, signal: leaving.signal })
    await settle()
    leaving.abort()
    expect(await waiting).toMatchObject({ state: 'running' })
  })
})
