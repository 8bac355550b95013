import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signTokenAt } from '../access/token.js'
import type { HoldfastOptions } from '../options.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../testing/simulated-cluster.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { LIFECYCLE_TYPES, type LifecycleEvent } from './event.js'
import { INTEREST, LIVES, LOG_RETENTION, TENANTS, eventLogOf, heldBy, listenersOf } from './places.js'

let cluster: SimulatedCluster
let told: LifecycleEvent[]

beforeEach(() => {
  cluster = new SimulatedCluster()
  told = []
})

afterEach(() => cluster.close())

const start = (node: string, options: Partial<HoldfastOptions> = {}): Promise<SimulatedNode> =>
  cluster.start(node, { presence: { graceMs: 2_000 }, ...options })

/** Writes down what the hooks of a node are told. */
function listen(
  { holdfast }: SimulatedNode,
  types: readonly (typeof LIFECYCLE_TYPES)[number][] = LIFECYCLE_TYPES,
): void {
  for (const type of types) holdfast.on(type, (event) => void (isInbox(event) || told.push(event)))
}

/** The inbox of each user that connects is a channel, too. */
const isInbox = ({ key }: LifecycleEvent): boolean => key.startsWith('user:')

const pass = (ms: number): Promise<void> => cluster.clock.pass(ms, 10)

/** What was told, one word for each, in order. */
const words = (key?: string): string[] =>
  told.filter((event) => key === undefined || event.key === key).map((event) => event.type)

const die = (node: SimulatedNode): void => node.cut()

const enter = async (peer: Peer, channel: string): Promise<void> => {
  peer.say({ type: 'subscribe', channel, presence: true })
  await pass(50)
}

const tokenOf = (tenant: string, user: string): { readonly token: string } => ({
  token: signTokenAt({ secret: TEST_SECRET, tenant, user, ttlSeconds: 86_400 }, cluster.clock.now()),
})

describe('a log of events', () => {
  it('keeps no more than a little of what everybody has', async () => {
    const node = await start('n1')
    listen(node, ['connected'])
    await node.join('ada')
    await pass(1_000)
    const stream = eventLogOf('acme')
    const entry = {
      stream,
      event: 'any',
      data: '{}',
      from: { system: true },
      at: '',
      retention: LOG_RETENTION,
    } as const
    for (let count = 0; count < 1_500; count += 1) await cluster.engine.publish(entry)
    await cluster.clock.pass(90_000, 100)
    const range = { limit: 10_000, bytesMax: 1e9, keep: 'oldest' } as const
    expect((await cluster.engine.read(stream, LOG_RETENTION, range)).messages.length).toBeLessThan(10)
    await node.join('bob')
    await pass(1_000)
    expect(words()).toEqual(['connected', 'connected'])
    expect(node.holdfast.stats().lifecycle.dropped).toBe(0)
  })
})

describe('what is told', () => {
  it('is the life of a connection, of a channel and of a member, each in order', async () => {
    const node = await start('n1')
    listen(node)
    const ada = await node.join('ada')
    await enter(ada, 'room:1')
    await pass(500)
    ada.say({ type: 'unsubscribe', channel: 'room:1' })
    await pass(500)
    ada.handler.closed(1000, true)
    await pass(500)
    expect(words('ada')).toEqual(['connected', 'disconnected'])
    expect(words('room:1')).toHaveLength(4)
    expect(words('room:1').filter((type) => type === 'occupied' || type === 'vacated')).toEqual(['occupied', 'vacated'])
    expect(words('room:1').filter((type) => type === 'joined' || type === 'left')).toEqual(['joined', 'left'])
    expect(told.find(({ type }) => type === 'connected')).toMatchObject({
      tenant: 'acme',
      user: 'ada',
      node: 'n1',
      address: '192.0.2.1',
      connection: ada.got('welcome')[0]?.['connection'],
    })
    expect(told.find(({ type }) => type === 'disconnected')).toMatchObject({
      code: 1000,
      reason: 'Closed by client',
      durationMs: expect.any(Number) as number,
    })
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length)
  })

  it('is resumed where a session goes on, and the end of the connection that it had', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    const first = await one.join('ada')
    await other.join('ada', { resume: first.resume() })
    await pass(1_000)
    expect(words('ada').toSorted()).toEqual(['connected', 'disconnected', 'resumed'])
    expect(told.find(({ type }) => type === 'disconnected')).toMatchObject({ code: 1000, reason: 'Resumed elsewhere' })
    const sessions = told.map((event) => 'session' in event && event.session)
    expect(new Set(sessions)).toEqual(new Set([first.resume().session]))
  })

  it('is told once, by one of the nodes that have hooks', async () => {
    const nodes = [await start('n1'), await start('n2'), await start('n3')]
    for (const node of nodes) listen(node)
    for (const [at, node] of nodes.entries()) await enter(await node.join(`u${at}`), 'room:1')
    await pass(1_000)
    expect(words().toSorted()).toEqual([
      'connected',
      'connected',
      'connected',
      'joined',
      'joined',
      'joined',
      'occupied',
    ])
  })

  it('counts two tabs as one member and two nodes as one occupied channel', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one, ['occupied', 'vacated', 'joined', 'left'])
    const tabs = [await one.join('ada'), await other.join('ada')]
    for (const tab of tabs) await enter(tab, 'room:1')
    await pass(1_000)
    expect(words().toSorted()).toEqual(['joined', 'occupied'])
    tabs[0]?.handler.closed(1000, true)
    await pass(5_000)
    expect(words()).toHaveLength(2)
    tabs[1]?.handler.closed(1000, true)
    await pass(1_000)
    expect(words().slice(2).toSorted()).toEqual(['left', 'vacated'])
  })

  it('gathers what comes and goes at once', async () => {
    const node = await start('n1')
    listen(node, ['occupied', 'vacated'])
    const [ada, eve] = [await node.join('ada'), await node.join('eve')]
    await enter(eve, 'room:2')
    await pass(1_000)
    for (let turn = 0; turn < 20; turn += 1) {
      ada.say({ type: 'subscribe', channel: 'room:1' }, { type: 'unsubscribe', channel: 'room:1' })
      await cluster.clock.pass(4, 1)
    }
    await pass(2_000)
    expect(words('room:1').length).toBeLessThanOrEqual(2)
    expect(words('room:1').at(-1) ?? 'vacated').toBe('vacated')
    expect(words('room:2')).toEqual(['occupied'])
  })

  it('begins with what is there when somebody wants it first', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    await enter(await other.join('ada'), 'room:1')
    await pass(1_000)
    expect(one.holdfast.stats().lifecycle).toEqual({ pending: 0, delivered: 0, failed: 0, dropped: 0 })
    listen(one)
    await pass(1_000)
    expect(words().toSorted()).toEqual(['connected', 'joined', 'occupied'])
  })
})

describe('a node that is killed', () => {
  it('is survived by the end of each of its connections, channels and members, told once and in order', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    for (const user of ['ada', 'eve']) await enter(await other.join(user), 'room:1')
    await enter(await one.join('bob'), 'room:2')
    await pass(1_000)
    told = []
    die(other)
    await pass(16_000)
    expect(words('ada')).toEqual(['disconnected'])
    expect(words('eve')).toEqual(['disconnected'])
    expect(words('room:1').toSorted()).toEqual(['left', 'left', 'vacated'])
    expect(words('room:2')).toEqual([])
    expect(told.find(({ type }) => type === 'disconnected')).toMatchObject({
      code: 1006,
      reason: 'Node lost',
      node: 'n2',
    })
  })

  it('is survived also when it was the one that looked after the others and delivered', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    listen(other)
    await pass(1_000)
    await enter(await one.join('ada'), 'room:1')
    await pass(1_000)
    told = []
    die(one)
    await pass(20_000)
    expect(words().toSorted()).toEqual(['disconnected', 'left', 'vacated'])
  })

  it('leaves to the next what it has told but not taken out', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    const third = await start('n3')
    listen(third)
    await other.join('ada')
    await pass(1_000)
    const { remove } = cluster.engine.registers
    let removals = 0
    // The first that looks after the dead dies between telling and taking out.
    cluster.engine.registers.remove = (name, key) => {
      if (name.startsWith('lifecycle:held:') && key.length < 30 && (removals += 1) === 1) {
        die(one)
        return Promise.reject(Object.assign(new Error('away'), { code: 'engine_unavailable' }))
      }
      return remove.call(cluster.engine.registers, name, key)
    }
    told = []
    die(other)
    await pass(30_000)
    expect(removals).toBeGreaterThan(1)
    expect(words('ada')).toEqual(['disconnected'])
  })

  it('is told of by a process of the same name that takes its place', async () => {
    const one = await start('n1')
    listen(one)
    await enter(await one.join('ada'), 'room:1')
    await pass(1_000)
    told = []
    die(one)
    const next = await start('n1')
    listen(next)
    await pass(60_000)
    expect(words('ada')).toEqual(['disconnected'])
    expect(words('room:1')).toContain('vacated')
  })
})

describe('a node that was taken for dead and comes back', () => {
  it('tells of its connections again, so that what was told last is true', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    const ada = await other.join('ada')
    await enter(ada, 'room:1')
    await pass(1_000)
    other.cut()
    await pass(16_000)
    expect(words('ada')).toEqual(['connected', 'disconnected'])
    other.heal()
    await pass(8_000)
    expect(words('ada')).toEqual(['connected', 'disconnected', 'resumed'])
    expect(words('room:1').filter((type) => type === 'occupied' || type === 'vacated')).toEqual([
      'occupied',
      'vacated',
      'occupied',
    ])
    expect(words('room:1').filter((type) => type === 'joined' || type === 'left')).toEqual(['joined', 'left', 'joined'])
    ada.handler.closed(1000, true)
    await pass(2_000)
    expect(words('ada').at(-1)).toBe('disconnected')
    expect(words('room:1').slice(-2).toSorted()).toEqual(['left', 'vacated'])
  })

  it('tells nothing where it was away for less than its lease', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    await enter(await other.join('ada'), 'room:1')
    await pass(1_000)
    told = []
    other.cut()
    await pass(5_000)
    other.heal()
    await pass(10_000)
    expect(told).toEqual([])
  })
})

describe('hooks', () => {
  it('are called again until they do not throw, and what is behind it of the same key waits', async () => {
    const node = await start('n1')
    let failures = 3
    node.holdfast.on('connected', (event) => {
      if (event.user === 'ada' && failures > 0) {
        failures -= 1
        throw new Error('no')
      }
      told.push(event)
    })
    node.holdfast.on('disconnected', (event) => void told.push(event))
    const ada = await node.join('ada')
    ada.handler.closed(1000, true)
    await node.join('eve')
    await pass(300)
    expect(words('eve')).toEqual(['connected'])
    expect(words('ada')).toEqual([])
    await pass(15_000)
    expect(words('ada')).toEqual(['connected', 'disconnected'])
    expect(node.holdfast.stats().lifecycle).toMatchObject({ delivered: 3, failed: 3, dropped: 0 })
  })

  it('of one event are called again only where they failed', async () => {
    const node = await start('n1')
    const calls = { good: 0, bad: 0 }
    node.holdfast.on('connected', () => void (calls.good += 1))
    node.holdfast.on('connected', async () => {
      calls.bad += 1
      if (calls.bad === 1) throw new Error('no')
    })
    await node.join('ada')
    await pass(5_000)
    expect(calls).toEqual({ good: 1, bad: 2 })
  })

  it('of a tenant hear of that tenant alone', async () => {
    const node = await start('n1')
    node.holdfast.tenant('acme').on('connected', (event) => void told.push(event))
    await node.join('ada')
    await node.join('eve', tokenOf('other', 'eve'))
    await pass(1_000)
    expect(told.map(({ tenant, key }) => [tenant, key])).toEqual([['acme', 'ada']])
  })

  it('that were removed are not called, and nothing is written down for nobody', async () => {
    const node = await start('n1')
    const undo = node.holdfast.on('connected', (event) => void told.push(event))
    await node.join('ada')
    await pass(1_000)
    undo()
    await pass(2_000)
    await node.join('eve')
    await pass(1_000)
    expect(words('ada')).toEqual(['connected'])
    expect(words('eve')).toEqual([])
  })

  it('for an event that there is not are refused', async () => {
    const node = await start('n1')
    expect(() => node.holdfast.on('connect' as 'connected', () => undefined)).toThrow(RangeError)
  })

  it('go on where the node that called them was, when it dies', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    listen(other)
    await other.join('ada')
    await pass(2_000)
    expect(words()).toEqual(['connected'])
    die(one)
    await pass(1_000)
    await other.join('eve')
    await pass(10_000)
    expect(words('eve')).toEqual(['connected'])
    expect(words('ada')).toEqual(['connected'])
  })
})

describe('a node that ends', () => {
  it('has the end of its connections told, and hands on what it could not deliver', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(other)
    await enter(await one.join('ada'), 'room:1')
    await pass(1_000)
    told = []
    const closed = one.holdfast.close()
    await pass(12_000)
    await closed
    expect(words('ada')).toEqual(['disconnected'])
    expect(told.find(({ type }) => type === 'disconnected')).toMatchObject({ code: 1001, reason: 'Server shutdown' })
    expect(words('room:1').toSorted()).toEqual(['left', 'vacated'])
  })

  it('tells its own hooks, where there is no other', async () => {
    const one = await start('n1')
    listen(one)
    await enter(await one.join('ada'), 'room:1')
    await pass(1_000)
    const closed = one.holdfast.close()
    await pass(12_000)
    await closed
    expect(words('ada')).toEqual(['connected', 'disconnected'])
    expect(words('room:1')).toContain('vacated')
  })
})

describe('what is kept in the engine', () => {
  it('goes when nobody is there any more', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    await pass(1_000)
    const before = cluster.engine.sizes()
    for (let round = 0; round < 5; round += 1) {
      const peers = [await one.join(`u${round}`), await other.join(`v${round}`)]
      for (const peer of peers) await enter(peer, `room:${round}`)
      await pass(500)
      for (const peer of peers) peer.handler.closed(1000, true)
      await pass(500)
    }
    await pass(20 * 60_000)
    const after = cluster.engine.sizes()
    // The tenant of the events, and how far the hooks are in them.
    expect(after.registers - before.registers).toBeLessThanOrEqual(1)
    expect(after.records - before.records).toBeLessThanOrEqual(1)
  })
})

describe('an engine that lost what it had', () => {
  /** Everything of lifecycle events that it holds, but for messages. */
  async function forget(): Promise<void> {
    const { records, registers } = cluster.engine
    for (const [key] of [...records.entries()]) if (key.startsWith('lifecycle:')) records.drop(key)
    const lives = (await registers.list(LIVES, 100)).map(({ key }) => heldBy(key))
    const names = [INTEREST, TENANTS, LIVES, ...lives, listenersOf({ tenant: 'acme', channel: 'room:1' })]
    for (const name of names) for (const { key } of await registers.list(name, 100)) await registers.remove(name, key)
    const { epoch } = await cluster.engine.read(eventLogOf('acme'), LOG_RETENTION, {
      limit: 1,
      bytesMax: 1,
      keep: 'oldest',
    })
    await cluster.engine.rotate(eventLogOf('acme'), epoch)
  }

  it('is told again what is there, so that every end is told', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    listen(one)
    await enter(await other.join('ada'), 'room:1')
    await pass(1_000)
    await forget()
    await pass(20_000)
    told = []
    const eve = await one.join('eve')
    await pass(1_000)
    expect(words('eve')).toEqual(['connected'])
    die(other)
    eve.handler.closed(1000, true)
    await pass(16_000)
    expect(words('ada')).toEqual(['disconnected'])
    expect(words('eve')).toEqual(['connected', 'disconnected'])
    expect(words('room:1').toSorted()).toEqual(['left', 'vacated'])
  })
})
