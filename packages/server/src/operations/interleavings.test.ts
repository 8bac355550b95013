import { type OperationSnapshot, operationSnapshot } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SYSTEM } from '../core/services.js'
import type { Clock } from '../clock.js'
import type { PublishRequest } from '../engine/engine.js'
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
const forgetfulNode = (isLost: (request: PublishRequest) => boolean): Operations => cluster.forgetfulNode(isLost)
const watch = (channel: string): Promise<Told[]> => cluster.watch(channel)
const create = (id: string, spec?: Partial<OperationSpec>): Promise<OperationSnapshot> => cluster.create(id, spec)
const find = (id: string): Promise<OperationSnapshot | undefined> => cluster.find(id)

/** The same time on another clock. */
function shifted(clock: SimulatedClock, ms: number): Clock {
  return {
    now: () => clock.now() + ms,
    after: (after, task) => clock.after(after, task),
    every: (every, task) => clock.every(every, task),
    defer: (task) => clock.defer(task),
  }
}

/** Everything of an operation goes, as on a server that lost its data. */
const lose = async (id: string): Promise<void> => {
  const stream = { tenant: 'acme', channel: `operation:${id}` }
  const stored = await engine.state(stream)
  await engine.publish({
    stream,
    event: 'lost',
    data: '{}',
    from: SYSTEM,
    at: '',
    retention: undefined,
    state: { value: '', ifVersion: stored?.version ?? 0, ttlMs: 0 },
  })
}

describe('numbers', () => {
  const HUGE = 9e15

  it('that are too large are refused, and sums stay where they can be told', async () => {
    await create('a')
    for (const report of [{ done: 1e308 }, { advance: 1e308 }, { total: 1e16 }])
      await expect(desk.report('acme', 'a', report)).rejects.toMatchObject({ code: 'bad_request' })
    await desk.report('acme', 'a', { advance: HUGE })
    const snapshot = await desk.report('acme', 'a', { advance: HUGE }, { stored: true })
    expect(operationSnapshot.check(snapshot, '')).toBeUndefined()
  })

  it('that two nodes add up stop no writer', async () => {
    await create('a')
    const [one, other] = [node().desk, node().desk]
    await one.report('acme', 'a', {}, { stored: true })
    await one.report('acme', 'a', { advance: HUGE })
    await other.report('acme', 'a', { done: HUGE }, { stored: true })
    await clock.pass(1_000, 100)
    expect(await one.end('acme', 'a', { state: 'completed' })).toMatchObject({ state: 'completed' })
  })

  it.each([{ weight: 1e308 }, { phases: [{ name: 'a', weight: 1e308 }] }])('refuses the weight of %j', async (spec) => {
    await create('whole')
    await expect(create('part', { parent: 'whole', ...spec })).rejects.toMatchObject({ code: 'bad_request' })
  })
})

describe('F-66 an attempt', () => {
  it('is its own, however soon another worker takes the operation as well', async () => {
    await create('a')
    const [first, second] = await Promise.all([
      desk.attempt('acme', 'a', { force: true }),
      desk.attempt('acme', 'a', { force: true }),
    ])
    expect([first.attempt, second.attempt]).toEqual([2, 3])
  })

  it('that was lost before it was in hands is told so, and is kept nowhere', async () => {
    await create('a')
    const [first, second] = await Promise.all([
      desk.take('acme', 'a', { force: true }),
      desk.take('acme', 'a', { force: true }),
    ])
    expect([first.attempt, second.attempt]).toEqual([2, 3])
    expect(first.signal.reason).toBeInstanceOf(OperationSuperseded)
    await expect(first.complete()).rejects.toMatchObject({ code: 'stale_report' })
    await second.complete()
    expect(desk.size).toBe(0)
  })

  it('that has just begun elsewhere is known where the one before is writing', async () => {
    await create('a')
    const slow = node()
    await slow.desk.report('acme', 'a', { done: 1, attempt: 1 }, { stored: true })
    await desk.attempt('acme', 'a', { force: true })
    await clock.pass(1_000)
    const late = slow.desk.report('acme', 'a', { done: 2, attempt: 1 })
    const fresh = slow.desk.report('acme', 'a', { done: 3, attempt: 2 })
    await late.catch(() => undefined)
    expect(await fresh).toMatchObject({ attempt: 2 })
  })
})

describe('a write whose answer was lost', () => {
  it('is counted once, although another node wrote before it was tried again', async () => {
    let isLost = false
    const forgetful = forgetfulNode(() => isLost)
    await create('a', { total: 100 })
    await forgetful.report('acme', 'a', {}, { stored: true })
    isLost = true
    await forgetful.report('acme', 'a', { advance: 5 }, { stored: true }).catch(() => undefined)
    isLost = false
    await desk.report('acme', 'a', { advance: 1 }, { stored: true })
    await clock.pass(3_000, 500)
    expect((await find('a'))?.progress.done).toBe(6)
  })

  it('has begun the operation', async () => {
    let losses = 1
    const forgetful = forgetfulNode(({ state }) => state !== undefined && losses-- > 0)
    const operation = await forgetful.start('acme', { id: 'a', kind: 'import', owner: 'ada' })
    await operation.complete()
    expect(await find('a')).toMatchObject({ state: 'completed' })
  })
})

describe('a numbered report', () => {
  it('counts once, although it was said to two nodes', async () => {
    await create('a', { total: 100 })
    const other = node().desk
    for (const one of [desk, other]) await one.report('acme', 'a', {}, { stored: true })
    await desk.report('acme', 'a', { sequence: 5, advance: 1 })
    await other.report('acme', 'a', { sequence: 5, advance: 1 }, { stored: true })
    await desk.report('acme', 'a', { sequence: 6, advance: 1 })
    await clock.pass(1_000, 100)
    expect((await find('a'))?.progress.done).toBe(2)
  })

  it.each([1, 2, 3, 4, 5])('counts once, whichever answers are lost and whoever is asked again: %d', async (seed) => {
    let state = seed
    const chance = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    const some = [0, 1, 2].map(() => forgetfulNode(({ state }) => state !== undefined && chance() < 0.2))
    const told = await watch('operation:a')
    await create('a', { total: 150 })
    const say = async (sequence: number): Promise<void> => {
      for (;;) {
        const node = some[Math.floor(chance() * 3)]
        const said = node?.report('acme', 'a', { sequence, advance: 1 }, { stored: chance() < 0.5 })
        const isTaken = await said?.then(
          () => chance() < 0.7,
          () => false,
        )
        if (isTaken) return
      }
    }
    for (let sequence = 1; sequence <= 100; sequence += 1) {
      await say(sequence)
      await clock.pass(20)
    }
    await clock.pass(20_000, 500)
    expect((await find('a'))?.progress.done).toBe(100)
    const percents = told.map(([, { progress }]) => progress.percent ?? 0)
    expect(percents).toEqual(percents.toSorted((one, other) => one - other))
  })

  it('that waits to be stored learns that it is too late, although others came before it', async () => {
    await create('a')
    const other = node().desk
    await other.report('acme', 'a', {}, { stored: true })
    await other.report('acme', 'a', { done: 1, attempt: 1 })
    await other.heartbeat('acme', 'a', { attempt: 1 })
    await desk.attempt('acme', 'a', { force: true })
    const late = other.report('acme', 'a', { done: 2, attempt: 1 }, { stored: true })
    await expect(late).rejects.toMatchObject({ code: 'stale_report' })
  })
})

describe('what the engine has lost', () => {
  it('comes back with versions that nobody has seen, and is looked after again', async () => {
    const told = await watch('operation:a')
    const operation = await desk.start('acme', { id: 'a', kind: 'import', owner: 'ada', total: 10 })
    for (let turn = 0; turn < 5; turn += 1) {
      operation.advance()
      await clock.pass(500, 100)
    }
    const seen = Math.max(...told.map(([, { version }]) => version))
    await lose('a')
    for (const name of ['operations:in:acme', 'operations:due'])
      for (const { key } of await engine.indexes.range(name, { limit: 10 })) await engine.indexes.remove(name, key)
    operation.advance()
    await clock.pass(500, 100)
    expect(await find('a')).toMatchObject({ state: 'running', progress: { done: 6 } })
    expect((await find('a'))?.version).toBeGreaterThan(seen)
    expect((await engine.indexes.range('operations:due', { limit: 10 })).length).toBe(1)
    expect((await desk.list('acme', {})).operations).toHaveLength(1)
    operation.advance()
    await operation.complete()
    expect(await find('a')).toMatchObject({ state: 'completed' })
  })

  it('stays forgotten where it has ended meanwhile', async () => {
    const retention = { runningMs: 3_600_000, completedMs: 60_000, failedMs: 60_000 }
    const cutOff = node({ retention })
    const operation = await cutOff.desk.start('acme', { id: 'a', kind: 'import', owner: 'ada' })
    cutOff.cut()
    const other = node({ retention }).desk
    await other.attempt('acme', 'a', { force: true })
    await other.end('acme', 'a', { state: 'completed' })
    await clock.pass(120_000, 1_000)
    cutOff.heal()
    operation.advance()
    await clock.pass(20_000, 1_000)
    expect(await find('a')).toBeUndefined()
    expect(operation.signal.reason).toBeInstanceOf(OperationSuperseded)
  })
})

describe('what is refused for what is not stored', () => {
  it('is taken where that comes to nothing', async () => {
    const away = node()
    await create('a')
    const operation = await away.desk.take('acme', 'a', { force: true })
    await clock.pass(LEASE_MS / 10)
    away.cut()
    const cancelled = away.desk.end('acme', 'a', { state: 'cancelled' }).catch(() => undefined)
    const completed = operation.complete().catch((error: { code: string }) => error.code)
    await cancelled
    expect(await completed).toBe('engine_unavailable')
    away.heal()
    await operation.complete()
    expect(await find('a')).toMatchObject({ state: 'completed' })
  })
})

describe('a node that ends', () => {
  it('writes what was reported through it and not written yet, and tries nothing any more', async () => {
    await create('a')
    const leaving = node()
    await leaving.desk.report('acme', 'a', {}, { stored: true })
    await leaving.desk.report('acme', 'a', { advance: 5 })
    await leaving.desk.close()
    expect((await find('a'))?.progress.done).toBe(5)
    const lonely = node()
    await lonely.desk.report('acme', 'a', { advance: 1 })
    lonely.cut()
    await lonely.desk.report('acme', 'a', { advance: 1 }).catch(() => undefined)
    await lonely.desk.close()
    const { length } = lonely.errors
    await clock.pass(10_000, 1_000)
    expect(lonely.errors).toHaveLength(length)
  })
})

describe('an operation that is looked at before it is there', () => {
  it('is looked at again', async () => {
    const publish = engine.publish.bind(engine)
    let begin = (): void => undefined
    const held = new Promise<void>((resolve) => (begin = resolve))
    engine.publish = async (request) => {
      if (request.event === 'started') await held
      return publish(request)
    }
    const creating = create('a', { lease: '1s' })
    await clock.pass(5_000, 500)
    begin()
    await creating
    engine.publish = publish
    await clock.pass(15_000, 500)
    expect(await find('a')).toMatchObject({ state: 'stalled' })
  })
})

describe('F-62 clocks of nodes that differ', () => {
  it.each([-600_000, -25_000, -3_000, 3_000, 25_000, 33_000, 600_000])(
    'by %d milliseconds stall no operation for long whose worker lives, and let none run on whose worker is dead',
    async (ahead) => {
      await desk.close()
      // It was there first, and so it is the one that looks.
      node({ clock: shifted(clock, ahead) })
      await clock.pass(2_000, 500)
      const worker = node().desk
      const told = await watch('operation:alive')
      await worker.start('acme', { id: 'alive', kind: 'import', owner: 'ada' })
      await worker.create('acme', { id: 'dead', kind: 'import', owner: 'ada' })
      await clock.pass(900_000, 1_000)
      expect(told.filter(([event]) => event === 'stalled').length).toBeLessThanOrEqual(1)
      expect((await worker.find('acme', 'alive'))?.state).toBe('running')
      expect((await worker.find('acme', 'dead'))?.state).toBe('stalled')
    },
  )
})

describe('what cannot be looked at', () => {
  it('is in the way of nothing else', async () => {
    const broken: OperationsOptions['engine'] = engine
    const { state } = broken
    broken.state = async (stream) =>
      stream.channel.startsWith('operation:bad-') ? { value: '{', version: 1 } : state.call(engine, stream)
    for (let n = 0; n < 250; n += 1)
      await engine.indexes.put('operations:due', { key: `4:acmebad-${n}`, score: 0, ttlMs: 3_600_000 })
    await create('a')
    await clock.pass(LEASE_MS + 3_000, 1_000)
    expect(await find('a')).toMatchObject({ state: 'stalled' })
  })
})

describe('the feed of a user', () => {
  it('begins with what has not ended, however much has ended since that began', async () => {
    await create('old', { queued: true })
    await Promise.all(
      Array.from({ length: 600 }, async (_, n) => {
        await clock.pass(1)
        await create(`op-${n}`)
        await desk.end('acme', `op-${n}`, { state: 'completed' })
      }),
    )
    await clock.pass(2_000, 500)
    const openings = await desk.feed('acme', 'operations:ada', 'ada')
    expect(openings.map(({ data }) => (JSON.parse(data) as OperationSnapshot).id)).toEqual(['old'])
  })
})

describe('an echo', () => {
  it('is heard in order, however slow the engine is', async () => {
    const feed = await watch('operations:ada')
    await create('a')
    await clock.pass(3_000, 500)
    const publish = engine.publish.bind(engine)
    let goOn = (): void => undefined
    const held = new Promise<void>((resolve) => (goOn = resolve))
    engine.publish = async (request) => {
      if (request.stream.channel === 'operations:ada' && request.event === 'progress') await held
      return publish(request)
    }
    await desk.report('acme', 'a', { done: 1 }, { stored: true })
    await clock.pass(3_000, 500)
    await desk.report('acme', 'a', { phase: 'next' }, { stored: true })
    await clock.pass(1_000, 500)
    goOn()
    await clock.pass(1_000, 500)
    expect(feed.map(([event]) => event)).toEqual(['started', 'progress', 'phase'])
  })
})

describe('a snapshot near the limit of a message', () => {
  const filled = (bytes: number): Partial<OperationSpec> => ({ metadata: { text: 'x'.repeat(bytes) } })

  it('leaves room for everything that can happen to the operation', async () => {
    const small = node({ bytesMax: 8_192 }).desk
    const begin = (id: string, bytes: number): Promise<OperationSnapshot> =>
      small.create('acme', { id, kind: 'import', owner: 'ada', total: 1_000, ...filled(bytes) })
    await expect(begin('big', 7_900)).rejects.toMatchObject({ code: 'limit_exceeded' })
    let bytes = 7_900
    const id = (): string => `op-${bytes}`
    while (!(await begin(id(), bytes).catch(() => undefined))) bytes -= 50
    expect(bytes).toBeGreaterThan(5_000)
    for (let done = 0; done < 100; done += 1) {
      await clock.pass(250)
      await small.report('acme', id(), { done, item: '"'.repeat(1_024), message: '€'.repeat(1_024) }, { stored: true })
    }
    expect(await small.find('acme', id())).toMatchObject({ progress: { done: 99 } })
    await small.cancel('acme', id())
    expect(await small.find('acme', id())).toMatchObject({ cancelRequested: true })
    await small.end('acme', id(), { state: 'completed' })
    expect(await small.find('acme', id())).toMatchObject({ state: 'completed' })
  })
})

describe('a part of an operation that was forgotten', () => {
  it('is none of another that has its id', async () => {
    const retention = { runningMs: 3_600_000, completedMs: 60_000, failedMs: 60_000 }
    const short = node({ retention }).desk
    await short.create('acme', { id: 'whole', kind: 'import', owner: 'ada' })
    await short.start('acme', { id: 'part', kind: 'import', owner: 'ada', parent: 'whole' })
    await short.end('acme', 'whole', { state: 'cancelled' })
    await clock.pass(90_000, 1_000)
    await short.create('acme', { id: 'whole', kind: 'import', owner: 'bob' })
    await clock.pass(15_000, 500)
    expect(await short.find('acme', 'whole')).not.toHaveProperty('children')
    await short.cancel('acme', 'whole')
    expect(await short.find('acme', 'part')).not.toHaveProperty('cancelRequested')
  })
})

describe('an end', () => {
  it('is told to the owner once, although the engine was away for long before that could be noted', async () => {
    const feed = await watch('operations:ada')
    await create('a')
    await desk.end('acme', 'a', { state: 'completed' })
    await create('b')
    await clock.pass(600_000, 10_000)
    await engine.indexes.put('operations:due', { key: '4:acmea', score: 0, ttlMs: 60_000 })
    await clock.pass(5_000, 1_000)
    expect(feed.filter(([event]) => event === 'completed')).toHaveLength(1)
    expect(await engine.indexes.range('operations:due', { to: clock.now(), limit: 10 })).toEqual([])
  })

  it('is told to the owner however late, where nobody has told it', async () => {
    const feed = await watch('operations:ada')
    await create('a')
    const publish = engine.publish.bind(engine)
    engine.publish = async (request) => {
      if (request.stream.channel.startsWith('operations:')) throw new Error('away')
      return publish(request)
    }
    await desk.end('acme', 'a', { state: 'completed' })
    await clock.pass(600_000, 10_000)
    engine.publish = publish
    await clock.pass(120_000, 1_000)
    expect(feed.filter(([event]) => event === 'completed')).toHaveLength(1)
  })

  it('is told to the owner once, however much later it is looked at again', async () => {
    const feed = await watch('operations:ada')
    await create('a', { lease: '1h' })
    const range = engine.indexes.range.bind(engine.indexes)
    await engine.indexes.put('operations:due', { key: '4:acmea', score: 0, ttlMs: 60_000 })
    // Between the look at the operation and the note of when to look again, it ends elsewhere.
    const put = engine.indexes.put.bind(engine.indexes)
    let isEnding = true
    engine.indexes.put = async (name, entry) => {
      if (name === 'operations:due' && isEnding) {
        isEnding = false
        await node().desk.end('acme', 'a', { state: 'completed' })
        await settle()
      }
      return put(name, entry)
    }
    await clock.pass(3_600_000, 10_000)
    expect(feed.filter(([event]) => event === 'completed')).toHaveLength(1)
    expect(await range('operations:due', { limit: 10 })).toEqual([])
  })
})
