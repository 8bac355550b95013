import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signTokenAt } from '../access/token.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { type Holdfast, createHoldfast } from '../holdfast.js'
import { SimulatedClock } from '../simulated-clock.js'
import { FakeSocket, upgrade } from '../testing/fake-socket.js'
import { faultyEngine } from '../testing/faulty-engine.js'
import { instantTokens } from '../testing/instant-tokens.js'
import { TEST_CHANNELS, TEST_SECRET } from '../testing/test-node.js'
import type { SocketHandler, Upgrade } from '../transport/transport.js'

let clock: SimulatedClock
let engine: MemoryEngine
let holdfast: Holdfast
/** Whether a call of the engine is refused. */
let refuses: (method: string) => boolean
/** What a call of the engine waits for. */
let hold: (method: string) => Promise<void> | undefined

beforeEach(async () => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  refuses = () => false
  hold = () => undefined
  const before = async (method: string): Promise<void> => {
    await hold(method)
    if (refuses(method)) throw Object.assign(new Error(`${method} refused`), { code: 'engine_unavailable' })
  }
  const channels = {
    'operation:*': { subscribe: ['owner', 'role:staff'], history: { size: 100, ttl: '1h' } },
    ...TEST_CHANNELS,
  } as const
  holdfast = createHoldfast({ ...instantTokens(clock), channels, clock, engine: faultyEngine(engine, before) })
  await holdfast.start()
})

afterEach(() => {
  refuses = () => false
  return holdfast.close()
})

interface Peer {
  readonly socket: FakeSocket
  readonly handler: SocketHandler
  say(...commands: object[]): void
  /** The messages so far of a type. */
  got(type: string): Record<string, unknown>[]
}

const tokenOf = (user: string, roles: string[] = []): string =>
  signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user, roles }, clock.now())

async function open(members: object = {}, asked: Partial<Upgrade> = {}): Promise<Peer> {
  const socket = new FakeSocket()
  const handler = holdfast.accept(socket, upgrade(asked))
  const say = (...commands: object[]): void => {
    const text = commands.map((command) => JSON.stringify(command)).join('\n')
    handler.text(text, text.length)
  }
  say({ type: 'hello', token: tokenOf('ada'), ...members })
  await clock.pass(10, 1)
  return { socket, handler, say, got: (type) => socket.messages.filter((message) => message['type'] === type) }
}

describe('while the engine refuses', () => {
  it('a subscribe is refused as retryable, and works again with the engine', async () => {
    const { say, got } = await open()
    refuses = (method) => method === 'listen'
    say({ type: 'subscribe', id: 1, channel: 'room:1', presence: true })
    await clock.pass(1)
    expect(got('error')).toMatchObject([{ id: 1, code: 'engine_unavailable', retryable: true }])
    refuses = () => false
    say({ type: 'subscribe', id: 2, channel: 'room:1' })
    await clock.pass(1)
    expect(got('subscribed')).toMatchObject([{}, { id: 2, channel: 'room:1' }])
  })

  it('a channel that could not be listened to holds nobody back who comes later', async () => {
    const slow = await open()
    slow.socket.stall(1_000_000)
    const other = await open()
    refuses = (method) => method === 'listen'
    slow.say({ type: 'subscribe', id: 1, channel: 'room:1' })
    other.say({ type: 'subscribe', id: 1, channel: 'room:1' })
    other.say({ type: 'subscribe', id: 2, channel: 'live:1' })
    await clock.pass(1)
    refuses = () => false
    other.say({ type: 'subscribe', id: 3, channel: 'room:1' })
    await clock.pass(1)
    expect(other.got('subscribed').map(({ id }) => id)).toContain(3)
  })

  it('nobody stays present who left', async () => {
    const { say, handler } = await open()
    say({ type: 'subscribe', id: 1, channel: 'live:1', presence: true })
    await clock.pass(1)
    refuses = (method) => method === 'members.leave'
    handler.closed(1000, true)
    await clock.pass(60_000, 1_000)
    refuses = () => false
    await clock.pass(60_000, 1_000)
    expect((await holdfast.tenant('acme').presence('live:1')).counts).toEqual({ members: 0, connections: 0 })
  })

  it('nobody stays present whose session was resumed but could not enter again', async () => {
    const first = await open()
    const session = first.got('welcome')[0]?.['session'] as { id: string; secret: string }
    first.say({ type: 'subscribe', id: 1, channel: 'live:1', presence: true })
    await clock.pass(1)
    first.handler.closed(1006, false)
    await clock.pass(1)
    refuses = (method) => method === 'members.enter'
    const second = await open({ resume: { session: session.id, secret: session.secret, positions: {} } })
    second.handler.closed(1000, true)
    refuses = () => false
    await clock.pass(60_000, 1_000)
    expect((await holdfast.tenant('acme').presence('live:1')).counts).toEqual({ members: 0, connections: 0 })
  })

  it('the places of a user come back', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { handler } = await open()
      refuses = (method) => method === 'counters.add'
      handler.closed(1000, true)
      await clock.pass(1)
      refuses = () => false
    }
    await clock.pass(60_000, 1_000)
    expect((await open()).got('welcome')).toHaveLength(1)
  })

  it('a session that was claimed survives a welcome that failed', async () => {
    const first = await open()
    const { id, secret } = first.got('welcome')[0]!['session'] as { id: string; secret: string }
    first.say({ type: 'state', id: 1, data: { tab: 1 } })
    await clock.pass(1)
    first.handler.closed(1006, false)
    await clock.pass(1)
    const others = await Promise.all(Array.from({ length: 10 }, () => open()))
    const second = await open({ resume: { session: id, secret, positions: {} } })
    expect(second.socket.closedWith).toMatchObject({ code: 1008, reason: 'Connection limit exceeded' })
    for (const { handler } of others) handler.closed(1000, true)
    await clock.pass(1)
    const third = await open({ resume: { session: id, secret, positions: {} } })
    expect(third.got('welcome')).toMatchObject([{ session: { id, resumed: true }, state: { tab: 1 } }])
  })

  it('a client is welcomed, if without its session, and its place is counted later', async () => {
    const first = await open()
    const { id, secret } = first.got('welcome')[0]!['session'] as { id: string; secret: string }
    first.handler.closed(1006, false)
    await clock.pass(1)
    refuses = (method) => method.startsWith('records') || method.startsWith('counters')
    const second = await open({ resume: { session: id, secret, positions: {} } })
    expect(second.got('welcome')).toMatchObject([{ session: { resumed: false } }])
    refuses = () => false
    await clock.pass(5_000, 500)
    const others = await Promise.all(Array.from({ length: 10 }, () => open()))
    expect(others.flatMap((peer) => peer.got('welcome'))).toHaveLength(9)
  })

  it('a subscription is judged by a refreshed token as soon as it can be', async () => {
    const { operations } = holdfast.tenant('acme')
    await operations.start({ id: 'job', kind: 'job', owner: 'bob' })
    const { say, got, handler } = await open({ token: tokenOf('ada', ['staff']) })
    say({ type: 'subscribe', id: 1, channel: 'operation:job' })
    await clock.pass(10, 1)
    expect(got('subscribed')).toHaveLength(2)
    refuses = (method) => method === 'state'
    say({ type: 'refresh', id: 2, token: tokenOf('ada') })
    await clock.pass(5_000, 500)
    expect(got('unsubscribed')).toEqual([])
    refuses = () => false
    await clock.pass(30_000, 500)
    expect(got('unsubscribed')).toMatchObject([{ channel: 'operation:job' }])
    handler.closed(1000, true)
  })

  it('a subscribe that was under way is judged by the refreshed token', async () => {
    const { operations } = holdfast.tenant('acme')
    await operations.start({ id: 'job', kind: 'job', owner: 'bob' })
    for (let turns = 0; turns < 20; turns += 1) {
      const { say, got, handler } = await open({ token: tokenOf('ada', ['staff']) })
      say({ type: 'refresh', id: 2, token: tokenOf('ada') }, { type: 'subscribe', id: 1, channel: 'operation:job' })
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      await clock.pass(20, 1)
      expect(got('subscribed').filter(({ channel }) => channel === 'operation:job').length).toBe(
        got('unsubscribed').length,
      )
      handler.closed(1000, true)
      await clock.pass(1)
    }
  })

  it('the updates of an operation do not pile up behind a write that takes its time', async () => {
    const operation = await holdfast
      .tenant('acme')
      .operations.start({ id: 'job', kind: 'job', owner: 'ada', total: 100 })
    let writes = 0
    let letGo: () => void = () => undefined
    hold = (method) => {
      if (method === 'publish') writes += 1
      return method === 'publish' && writes === 1 ? new Promise((resolve) => (letGo = resolve)) : undefined
    }
    for (let done = 1; done <= 50; done += 1) {
      operation.report({ done })
      await clock.pass(1_000, 500)
    }
    letGo()
    await clock.pass(1_000, 10)
    // Two of the operation, and what the feed of its owner is told of each.
    expect(writes).toBe(4)
    expect(operation.snapshot.progress.done).toBe(50)
    await operation.complete()
  })

  it('work that went well is not told as failed: its end waits for the engine', async () => {
    const { operations } = holdfast.tenant('acme')
    const done = operations.run({ id: 'job', kind: 'job', owner: 'ada' }, async () => {
      refuses = () => true
      return 'result'
    })
    done.catch(() => undefined)
    await clock.pass(20_000, 500)
    refuses = () => false
    await clock.pass(60_000, 500)
    expect(await operations.get('job')).toMatchObject({ state: 'completed', result: 'result' })
    expect(await done).toBe('result')
    expect(holdfast.stats().operations).toBe(0)
  })

  it('the process lives, every refusal can be tried again, and nothing is left behind', async () => {
    let seed = 7
    const chance = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
    const peers: Peer[] = []
    for (let round = 0; round < 300; round += 1) {
      refuses = () => chance() < 0.3
      const peer = await open()
      peers.push(peer)
      const channel = `room:${round % 7}`
      peer.say(
        { type: 'subscribe', id: 1, channel, presence: true },
        { type: 'subscribe', id: 2, channel: 'live:1', presence: true },
        { type: 'publish', id: 3, channel, data: round, key: `k${round}` },
        { type: 'history', id: 4, channel },
        { type: 'presence', id: 5, channel },
        { type: 'ack', id: 6, channel: 'user:ada', offset: 0 },
        { type: 'cancel', id: 7, operation: 'none' },
        { type: 'unsubscribe', id: 8, channel },
      )
      await clock.pass(1)
      peer.handler.closed(round % 2 ? 1000 : 1006, round % 2 === 1)
    }
    const errors = peers.flatMap((peer) => peer.got('error')).filter(({ code }) => code !== 'not_found')
    expect(errors.length).toBeGreaterThan(100)
    expect(errors.filter(({ retryable }) => retryable !== true)).toEqual([])
    refuses = () => false
    await clock.pass(120_000, 1_000)
    expect(holdfast.stats()).toMatchObject({ connections: 0, channels: 0 })
    for (const channel of ['live:1', ...Array.from({ length: 7 }, (_, at) => `room:${at}`)])
      expect((await holdfast.tenant('acme').presence(channel)).counts).toEqual({ members: 0, connections: 0 })
    const places = await Promise.all(Array.from({ length: 10 }, () => open()))
    expect(places.flatMap((peer) => peer.got('welcome'))).toHaveLength(10)
  })
})

describe('a connection for an operation that has ended already', () => {
  it('leaves nobody listening', async () => {
    const { operations } = holdfast.tenant('acme')
    await operations.run({ id: 'job', kind: 'job', owner: 'ada' }, () => 1)
    for (let round = 0; round < 3; round += 1) {
      const peer = await open({}, { path: '/operations/job' })
      expect(peer.socket.closedWith).toMatchObject({ code: 1000 })
      peer.handler.closed(1000, true)
    }
    const watcher = await open()
    watcher.say({ type: 'subscribe', id: 1, channel: 'operation:job' })
    await clock.pass(1)
    const ending = await open({}, { path: '/operations/job' })
    ending.handler.closed(1000, true)
    watcher.handler.closed(1000, true)
    await clock.pass(1)
    expect(holdfast.stats().channels).toBe(0)
  })
})
