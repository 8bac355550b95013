import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../clock.js'
import { type Holdfast, createHoldfast } from '../../holdfast.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock, settle } from '../../simulated-clock.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../../testing/simulated-cluster.js'
import { TEST_CHANNELS, TEST_SECRET } from '../../testing/test-node.js'

const LEASE_MS = 10_000
/** The reaper's turn, and the time over which changes of presence are gathered. */
const SWEEP_MS = 1_100 + 250

let cluster: SimulatedCluster
let one: SimulatedNode
let other: SimulatedNode

beforeEach(async () => {
  cluster = new SimulatedCluster()
  one = await cluster.start('one')
  other = await cluster.start('other')
})

afterEach(() => cluster.close())

const pass = (ms: number): Promise<void> => cluster.clock.pass(ms, 50)

/** A client that is present in a channel, and sees who else is. */
async function watch(node: SimulatedNode, user: string, channel = 'live:1'): Promise<Peer> {
  const peer = await node.join(user)
  peer.say({ type: 'subscribe', id: 's', channel, presence: true })
  await pass(1_300)
  return peer
}

/** What a client was told of the presence of others, as `joined ada 1`. */
function seen({ got }: Peer, about?: string): string[] {
  return got('joined', 'left', 'updated')
    .map(({ type, member }) => ({ type, ...(member as { user: string; connections: number }) }))
    .filter(({ user }) => about === undefined || user === about)
    .map(({ type, user, connections }) => `${String(type)} ${user} ${connections}`)
}

const counts = async (node: SimulatedNode, channel = 'live:1'): Promise<object> =>
  (await node.holdfast.tenant('acme').presence(channel)).counts

describe('the members of a node that died', () => {
  it('leave everywhere within the lease and a sweep, once', async () => {
    const third = await cluster.start('third')
    const watchers = [await watch(other, 'bob'), await watch(third, 'cleo')]
    for (const user of ['ada', 'dora', 'ada']) await watch(one, user)
    one.cut()
    await pass(LEASE_MS - 3_000)
    for (const watcher of watchers) expect(seen(watcher).filter((change) => change.startsWith('left'))).toEqual([])
    await pass(3_000 + SWEEP_MS)
    for (const watcher of watchers) {
      expect(seen(watcher, 'ada')).toEqual(['joined ada 1', 'updated ada 2', 'left ada 0'])
      expect(seen(watcher, 'dora')).toEqual(['joined dora 1', 'left dora 0'])
    }
    expect(await counts(third)).toEqual({ members: 2, connections: 2 })
    await pass(30_000)
    expect(seen(watchers[0] as Peer).filter((change) => change.startsWith('left'))).toHaveLength(2)
  })

  it('do not flap when their clients resume elsewhere before that', async () => {
    const bob = await watch(other, 'bob')
    const ada = await watch(one, 'ada')
    one.cut()
    await pass(2_000)
    const again = await other.join('ada', { resume: ada.resume() })
    expect(again.got('welcome')).toMatchObject([{ channels: ['user:ada', 'live:1'], session: { resumed: true } }])
    await pass(60_000)
    expect(seen(bob, 'ada')).toEqual(['joined ada 1'])
    expect(await counts(other)).toEqual({ members: 2, connections: 2 })
    again.handler.closed(1000, true)
    await pass(1_000)
    expect(seen(bob, 'ada')).toEqual(['joined ada 1', 'left ada 0'])
  })

  it('that had left without a word do so within the lease, too', async () => {
    const bob = await watch(other, 'bob')
    const ada = await watch(one, 'ada')
    ada.handler.closed(1006, false)
    one.cut()
    await pass(LEASE_MS + SWEEP_MS)
    expect(seen(bob, 'ada')).toEqual(['joined ada 1', 'left ada 0'])
  })
})

describe('a node that comes back after its lease', () => {
  it('enters its members again, and those who moved stay where they are', async () => {
    const bob = await watch(other, 'bob')
    const [ada, dora] = [await watch(one, 'ada'), await watch(one, 'dora')]
    one.cut()
    await pass(5_000)
    const moved = await other.join('ada', { resume: ada.resume() })
    await pass(LEASE_MS)
    expect(seen(bob, 'dora')).toEqual(['joined dora 1', 'left dora 0'])
    one.heal()
    await pass(10_000)
    expect(seen(bob, 'dora')).toEqual(['joined dora 1', 'left dora 0', 'joined dora 1'])
    expect(seen(bob, 'ada')).toEqual(['joined ada 1'])
    expect(ada.socket.closedWith).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    expect(dora.socket.closedWith).toBeUndefined()
    await pass(60_000)
    expect(await counts(one)).toEqual({ members: 3, connections: 3 })
    moved.handler.closed(1000, true)
    dora.handler.closed(1000, true)
    await pass(2_000)
    expect(await counts(one)).toEqual({ members: 1, connections: 1 })
  })

  it('has its places again', async () => {
    for (let place = 0; place < 6; place += 1) await one.join('ada')
    one.cut()
    await pass(LEASE_MS + SWEEP_MS)
    one.heal()
    await pass(10_000)
    for (let place = 0; place < 4; place += 1) expect((await other.join('ada')).got('welcome')).toHaveLength(1)
    expect((await other.join('ada')).socket.closedWith).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
  })

  it('enters its members again, too, when it did not notice how it lost it', async () => {
    const [bob, ada] = [await watch(one, 'bob'), await watch(one, 'ada')]
    await cluster.engine.nodes.leave('one')
    await cluster.engine.nodes.reap()
    expect(await counts(other)).toEqual({ members: 0, connections: 0 })
    await pass(3_500)
    expect(await counts(other)).toEqual({ members: 2, connections: 2 })
    expect(seen(bob, 'ada').at(-1)).toBe('joined ada 1')
    ada.handler.closed(1000, true)
    await pass(1_000)
    expect(seen(bob, 'ada').at(-1)).toBe('left ada 0')
  })
})

describe('a node whose engine was away for long', () => {
  it('has done what waited as soon as it is back', async () => {
    const ada = await watch(one, 'ada')
    one.cut()
    ada.handler.closed(1000, true)
    await pass(60_000)
    expect(one.holdfast.stats().cluster).toMatchObject({ leaseHeld: false })
    expect(one.holdfast.stats().cluster.retriesWaiting).toBeGreaterThan(0)
    one.heal()
    await pass(100)
    expect(one.holdfast.stats().cluster).toMatchObject({ leaseHeld: true, retriesWaiting: 0, sessionsUnsaved: 0 })
  })

  it('hears of the others as soon as it is there, though it started without', async () => {
    const late = await cluster.start('late', {}, true)
    await late.join('ada')
    await pass(60_000)
    late.heal()
    await pass(1_100)
    expect(await one.holdfast.tenant('acme').disconnect('ada')).toBe(1)
  })
})

describe('a session', () => {
  it('is resumed elsewhere after its node was killed, with its channels and its state', async () => {
    const ada = await one.join('ada')
    ada.say({ type: 'subscribe', id: 1, channel: 'room:1' }, { type: 'state', id: 2, data: { tab: 2 } })
    await pass(1_100)
    const position = ada.got('subscribed').find(({ channel }) => channel === 'room:1')?.['position']
    one.cut()
    await other.holdfast.tenant('acme').publish('room:1', 'chat', 'missed')
    const again = await other.join('ada', { resume: ada.resume({ 'room:1': position }) })
    expect(again.got('welcome')).toMatchObject([
      { session: { resumed: true }, state: { tab: 2 }, channels: ['user:ada', 'room:1'], node: 'other' },
    ])
    const verdict = again.got('subscribed').find(({ channel }) => channel === 'room:1')
    expect(verdict).toMatchObject({ recovered: 'full', messages: [{ data: 'missed' }] })
  })

  it('does not wait for a node that is dead', async () => {
    const ada = await one.join('ada')
    await pass(1_100)
    one.cut()
    await pass(LEASE_MS + SWEEP_MS)
    expect((await other.join('ada', { resume: ada.resume() })).got('welcome')).toMatchObject([
      { session: { resumed: true } },
    ])
  })

  it('that lives on another node is handed over as it is now, and its connection there ends', async () => {
    const ada = await one.join('ada')
    ada.say({ type: 'subscribe', id: 1, channel: 'room:1' }, { type: 'state', id: 2, data: 'newest' })
    await settle()
    const again = await other.join('ada', { resume: ada.resume() })
    expect(again.got('welcome')).toMatchObject([
      { session: { resumed: true }, state: 'newest', channels: ['user:ada', 'room:1'] },
    ])
    expect(ada.socket.closedWith).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    await pass(20_000)
    expect(again.socket.closedWith).toBeUndefined()
  })

  it('goes to one of two clients who ask two nodes for it at once', async () => {
    const third = await cluster.start('third')
    for (let round = 0; round < 20; round += 1) {
      const ada = await one.join(`ada${round}`)
      await pass(1_100)
      const asked = { resume: ada.resume() }
      const both = Promise.all([other, third, one].map((node) => node.join(`ada${round}`, asked)))
      await pass(500)
      const welcomes = (await both).flatMap(({ got }) => got('welcome'))
      const resumed = welcomes.filter(({ session }) => (session as { resumed: boolean }).resumed)
      expect(resumed).toHaveLength(1)
      expect(ada.socket.closedWith).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    }
  })

  it('that could not be had because the engine is away is a new one, and lives on when it is back', async () => {
    const ada = await one.join('ada')
    await pass(1_100)
    other.cut()
    const again = await other.join('ada', { resume: ada.resume() })
    expect(again.got('welcome')).toMatchObject([{ session: { resumed: false } }])
    again.say({ type: 'state', id: 1, data: 'kept' })
    await pass(5_000)
    other.heal()
    await pass(5_000)
    const third = await one.join('ada', { resume: again.resume() })
    expect(third.got('welcome')).toMatchObject([{ session: { resumed: true }, state: 'kept' }])
  })

  it('keeps the channels that were not subscribed again yet when it moved on', async () => {
    const ada = await one.join('ada')
    for (let at = 0; at < 40; at += 1) ada.say({ type: 'subscribe', id: at, channel: `room:${at}` })
    await pass(1_200)
    const engine = faultyEngine(cluster.engine, (method) =>
      method === 'listen' ? new Promise(() => undefined) : Promise.resolve(),
    )
    const stuck = await cluster.start('stuck', { engine })
    const second = await stuck.join('ada', { resume: ada.resume() })
    const third = await other.join('ada', { resume: second.resume() })
    expect(third.got('welcome')[0]?.['channels']).toHaveLength(41)
  })
})

describe('nodes whose clocks differ by five minutes', () => {
  it('F-62 keep leases, members and sessions by the time of the engine', async () => {
    const { clock } = cluster
    const ahead: Clock = {
      now: () => clock.now() + 300_000,
      after: (ms, task) => clock.after(ms, task),
      every: (ms, task) => clock.every(ms, task),
      defer: (task) => clock.defer(task),
    }
    const early = await cluster.start('early', { clock: ahead })
    const [bob, cleo] = [await watch(one, 'bob'), await watch(early, 'cleo')]
    await pass(LEASE_MS * 3)
    expect(seen(bob)).toEqual(['joined bob 1', 'joined cleo 1'])
    const again = await one.join('cleo', { resume: cleo.resume() })
    expect(again.got('welcome')).toMatchObject([{ session: { resumed: true }, channels: ['user:cleo', 'live:1'] }])
    // What nodes say to each other is not believed; the old connection learns it from the record.
    expect(early.holdfast.stats().cluster.controlRefused).toBe(1)
    cleo.say({ type: 'state', id: 1, data: 'stale' })
    await pass(5_000)
    expect(cleo.socket.closedWith).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    expect(seen(bob)).toEqual(['joined bob 1', 'joined cleo 1'])
  })
})

describe('the places of a user', () => {
  it('are counted on all nodes, those of a dead node until its lease has lapsed', async () => {
    const limits = { connectionsPerUserMax: 2 }
    const [first, second] = [await cluster.start('first', { limits }), await cluster.start('second', { limits })]
    await first.join('ada')
    await first.join('ada')
    const refused = await second.join('ada')
    expect(refused.got('goodbye')).toMatchObject([{ code: 1008, message: 'Connection limit exceeded' }])
    first.cut()
    await pass(LEASE_MS + SWEEP_MS)
    expect((await second.join('ada')).got('welcome')).toHaveLength(1)
  })

  it('move with a session whose node died', async () => {
    const limits = { connectionsPerUserMax: 1 }
    const [first, second] = [await cluster.start('first', { limits }), await cluster.start('second', { limits })]
    const ada = await first.join('ada')
    await pass(1_100)
    first.cut()
    const again = await second.join('ada', { resume: ada.resume() })
    expect(again.got('welcome')).toMatchObject([{ session: { resumed: true } }])
    await pass(LEASE_MS + SWEEP_MS)
    expect((await second.join('ada')).socket.closedWith?.reason).toBe('Connection limit exceeded')
  })

  it('of a tenant and of an address are bounded where the options say so', async () => {
    const limits = { connectionsPerAddressMax: 1, connectionsPerTenantMax: 2 }
    const [first, second] = [await cluster.start('first', { limits }), await cluster.start('second', { limits })]
    const ada = await first.join('ada', {}, '192.0.2.7')
    expect((await second.join('bob', {}, '192.0.2.7')).socket.closedWith?.reason).toBe('Connection limit exceeded')
    expect((await second.join('bob', {}, '192.0.2.8')).got('welcome')).toHaveLength(1)
    expect((await second.join('cleo', {}, '192.0.2.9')).socket.closedWith?.reason).toBe('Connection limit exceeded')
    ada.handler.closed(1000, true)
    await pass(100)
    expect((await second.join('cleo', {}, '192.0.2.7')).got('welcome')).toHaveLength(1)
  })

  it('hold on a node alone while the engine is away', async () => {
    other.cut()
    for (let place = 0; place < 10; place += 1) expect((await other.join('ada')).got('welcome')).toHaveLength(1)
    expect((await other.join('ada')).socket.closedWith?.reason).toBe('Connection limit exceeded')
    other.heal()
    await pass(5_000)
    expect((await one.join('ada')).socket.closedWith?.reason).toBe('Connection limit exceeded')
  })
})

describe('a user who is disconnected', () => {
  it('is on every node, and nobody else', async () => {
    const theirs = [await one.join('ada'), await other.join('ada'), await other.join('ada')]
    const bob = await other.join('bob')
    expect(await one.holdfast.tenant('acme').disconnect('ada')).toBe(3)
    for (const { socket } of theirs)
      expect(socket.closedWith).toEqual({ code: 1008, reason: 'Disconnected by administrator' })
    expect(bob.socket.closedWith).toBeUndefined()
    expect(await one.holdfast.tenant('other').disconnect('bob')).toBe(0)
  })

  it('is counted where a node answers within a second', async () => {
    await one.join('ada')
    await other.join('ada')
    other.cut()
    const counted = one.holdfast.tenant('acme').disconnect('ada')
    await pass(1_000)
    expect(await counted).toBe(1)
  })

  it('is disconnected here when the others cannot be told, which is an error', async () => {
    const ada = await one.join('ada')
    one.cut()
    await expect(one.holdfast.tenant('acme').disconnect('ada')).rejects.toMatchObject({ code: 'engine_unavailable' })
    expect(ada.socket.closedWith?.reason).toBe('Disconnected by administrator')
  })
})

describe('an operation', () => {
  it('that is cancelled on another node reaches its worker at once', async () => {
    const operation = await one.holdfast.tenant('acme').operations.start({ id: 'job', kind: 'job', owner: 'ada' })
    expect(await other.holdfast.tenant('acme').operations.cancel('job')).toBe(true)
    await settle()
    expect(operation.signal.reason).toMatchObject({ code: 'operation_cancelled' })
    await operation.cancelled()
    expect(await other.holdfast.tenant('acme').operations.get('job')).toMatchObject({ state: 'cancelled' })
  })

  it('that is cancelled by a client of another node is', async () => {
    const operation = await one.holdfast.tenant('acme').operations.start({ id: 'job', kind: 'job', owner: 'ada' })
    const ada = await other.join('ada')
    ada.say({ type: 'cancel', id: 1, operation: 'job' })
    await pass(10)
    expect(ada.got('ok')).toMatchObject([{ id: 1 }])
    expect(operation.signal.aborted).toBe(true)
    await operation.cancelled()
  })
})

describe('a node that drains', () => {
  const drain = { windowMs: 1_000, deadlineMs: 20_000 }

  it('hands its clients to another: nothing is seen, nothing is missed, and it ends when they are gone', async () => {
    const leaving = await cluster.start('leaving', { drain, limits: { connectionsPerUserMax: 1 } })
    const staying = await cluster.start('staying', { limits: { connectionsPerUserMax: 1 } })
    const bob = await watch(staying, 'bob', 'room:1')
    const ada = await watch(leaving, 'ada', 'room:1')
    ada.say({ type: 'state', id: 1, data: 'kept' })
    const publish = (data: number): Promise<unknown> => staying.holdfast.tenant('acme').publish('room:1', 'chat', data)
    await publish(1)
    const drained = leaving.holdfast.drain()
    await pass(10)
    expect(ada.got('goodbye')).toMatchObject([{ reconnect: 'now', after: 0 }])
    await publish(2)
    await pass(10)
    const [first, second] = ada.got('message')
    expect([first?.['data'], second?.['data']]).toEqual([1, 2])
    const epoch = ada.got('subscribed').find(({ channel }) => channel === 'room:1')?.['epoch']
    const position = { epoch, offset: second?.['offset'], id: second?.['id'] }
    await publish(3)
    const again = await staying.join('ada', { resume: ada.resume({ 'room:1': position }) })
    expect(again.got('welcome')).toMatchObject([
      { session: { resumed: true }, state: 'kept', channels: ['user:ada', 'room:1'] },
    ])
    await publish(4)
    await pass(10)
    const verdict = again.got('subscribed').find(({ channel }) => channel === 'room:1')
    expect(verdict).toMatchObject({ recovered: 'full', messages: [{ data: 3 }] })
    expect(again.got('message').map(({ data }) => data)).toEqual([4])
    expect(ada.socket.closedWith).toEqual({ code: 1000, reason: 'Resumed elsewhere' })
    ada.handler.closed(1000, true)
    await pass(300)
    await drained
    await pass(60_000)
    expect(seen(bob, 'ada')).toEqual(['joined ada 1'])
    expect((await staying.join('ada')).socket.closedWith?.reason).toBe('Connection limit exceeded')
    again.handler.closed(1000, true)
    await pass(1_000)
    expect((await staying.join('ada')).got('welcome')).toHaveLength(1)
  })

  it('lets go of whoever stayed: the others see them leave at once', async () => {
    const leaving = await cluster.start('leaving', { drain: { windowMs: 0, deadlineMs: 1_000 } })
    const bob = await watch(other, 'bob')
    const ada = await watch(leaving, 'ada')
    const drained = leaving.holdfast.drain()
    await pass(1_100)
    ada.handler.closed(1012, true)
    await pass(300)
    await drained
    await pass(SWEEP_MS)
    expect(seen(bob, 'ada')).toEqual(['joined ada 1', 'left ada 0'])
  })
})

describe('a node that ends', () => {
  it('has saved the sessions of its clients, and gives its lease back, before it leaves the engine', async () => {
    const calls: string[] = []
    const slow = faultyEngine(cluster.engine, async (method) => {
      if (method === 'records.put') await new Promise<void>((resolve) => cluster.clock.after(200, resolve))
      calls.push(method)
    })
    const ending = await cluster.start('ending', { engine: { ...slow, close: async () => void calls.push('close') } })
    const ada = await ending.join('ada')
    await pass(2_000)
    ada.say({ type: 'state', id: 1, data: 'last' })
    await settle()
    calls.length = 0
    const closed = ending.holdfast.close()
    await pass(1_000)
    await closed
    expect(calls.filter((call) => /^(records.put|nodes.leave|close)$/.test(call))).toEqual([
      'records.put',
      'nodes.leave',
      'close',
    ])
    expect((await other.join('ada', { resume: ada.resume() })).got('welcome')).toMatchObject([{ state: 'last' }])
  })
})

describe('a node whose engine never answers', () => {
  it('starts and ends all the same', async () => {
    const clock = new SimulatedClock()
    const never = faultyEngine(new MemoryEngine({ clock }), () => new Promise(() => undefined))
    const holdfast: Holdfast = createHoldfast({
      auth: { secret: TEST_SECRET },
      channels: TEST_CHANNELS,
      clock,
      engine: { ...never, close: () => new Promise(() => undefined) },
    })
    const started = holdfast.start()
    await clock.pass(10_000, 500)
    await started
    const closed = holdfast.close()
    await clock.pass(30_000, 500)
    await closed
  })
})
