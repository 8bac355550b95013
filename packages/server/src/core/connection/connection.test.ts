import { CLOSE } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signTokenAt } from '../../access/token.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { type Holdfast, createHoldfast } from '../../holdfast.js'
import type { HoldfastOptions } from '../../options.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { FakeSocket, upgrade } from '../../testing/fake-socket.js'
import { instantTokens } from '../../testing/instant-tokens.js'
import type { Received, TestClient } from '../../testing/test-client.js'
import { TEST_CHANNELS, TEST_SECRET, type TestNode, startNode } from '../../testing/test-node.js'
import type { SocketHandler } from '../../transport/transport.js'

let node: TestNode

beforeEach(async () => {
  node = await startNode()
})

afterEach(() => node.close())

/** Expects the goodbye and the close frame of an entry of the table. */
async function expectClose(client: TestClient, name: keyof typeof CLOSE): Promise<void> {
  const { code, reason, reconnect } = CLOSE[name]
  expect(await client.closed).toEqual({ code, reason })
  expect(client.received.at(-1)).toEqual({ type: 'goodbye', code, message: reason, reconnect })
}

describe('a connection that misbehaves', () => {
  it('is ended for a binary frame', async () => {
    const client = await node.join('ada')
    client.socket.send(Buffer.from('{"type":"ping"}'))
    await expectClose(client, 'unsupportedData')
  })

  it('is ended for a frame over 64 KiB, with a goodbye before the close', async () => {
    const client = await node.join('ada')
    client.send(JSON.stringify({ type: 'ping', id: 1 }).padEnd(65_536))
    await client.next('pong', { id: 1 })
    client.send(' '.repeat(65_537))
    await expectClose(client, 'messageTooBig')
  })

  it('is ended for ten malformed commands, each of which is answered', async () => {
    const client = await node.join('ada')
    for (let count = 0; count < 10; count += 1) client.send('{"type":1}')
    await expectClose(client, 'tooManyErrors')
    expect(client.received.filter(({ code }) => code === 'bad_request')).toHaveLength(10)
  })

  it('is not ended for commands that are unknown or refused', async () => {
    const client = await node.join('ada')
    for (let count = 0; count < 30; count += 1) client.send({ type: 'teleport', id: count })
    expect(await client.next('error', { id: 29 })).toMatchObject({ code: 'unknown_type' })
    for (let count = 0; count < 30; count += 1) client.send({ type: 'subscribe', id: count, channel: 'none:1' })
    expect(await client.next('error', { id: 29 })).toMatchObject({ code: 'permission_denied' })
  })

  it('is told when it says hello again, and goes on', async () => {
    const client = await node.join('ada')
    client.send({ type: 'hello', id: 1, token: node.token('bob') })
    expect(await client.next('error', { id: 1 })).toMatchObject({ code: 'bad_request' })
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('gets an answer to each command of a frame, in order, and one refusal for too many', async () => {
    const client = await node.join('ada')
    const pings = (count: number): string =>
      Array.from({ length: count }, (_, id) => JSON.stringify({ type: 'ping', id })).join('\n')
    client.send(pings(64))
    await client.next('pong', { id: 63 })
    expect(client.received.filter(({ type }) => type === 'pong').map(({ id }) => id)).toEqual(
      Array.from({ length: 64 }, (_, id) => id),
    )
    client.send(pings(65))
    expect(await client.next('error')).toMatchObject({ code: 'limit_exceeded' })
  })
})

describe('a bare ping', () => {
  it('is answered pong, for a person at a terminal', async () => {
    const client = await node.join('ada')
    client.send('ping')
    await expect.poll(() => client.words).toEqual(['pong'])
  })
})

describe('a session', () => {
  interface Key {
    readonly id: string
    readonly secret: string
  }
  const keyOf = (welcome: Received): Key => welcome['session'] as Key

  /** Welcomes a client that resumes, or does not. */
  async function connect(resume?: Key, positions: object = {}, user = 'ada'): Promise<[TestClient, Received]> {
    const client = await node.open()
    const members = resume ? { resume: { session: resume.id, secret: resume.secret, positions } } : {}
    return [client, await client.hello(node.token(user), members)]
  }

  const isSaved = async (): Promise<void> => expect.poll(() => node.holdfast.stats().connections).toBe(0)

  it('is resumed with its channels, its state and the messages since', async () => {
    const [first, welcome] = await connect()
    const { position } = await first.request({ type: 'subscribe', channel: 'room:1' })
    await first.request({ type: 'state', data: { tab: 2 } })
    await first.break()
    await isSaved()
    await node.holdfast.tenant('acme').publish('room:1', 'chat', 'missed')
    const [second, resumed] = await connect(keyOf(welcome), { 'room:1': position })
    expect(resumed).toMatchObject({
      state: { tab: 2 },
      channels: ['user:ada', 'room:1'],
      session: { id: keyOf(welcome).id, resumed: true },
    })
    const verdict = await second.next('subscribed', { channel: 'room:1' })
    expect(verdict).toMatchObject({ recovered: 'full', messages: [{ event: 'chat', data: 'missed' }] })
  })

  it('has a new secret after each resume, and the old one opens nothing', async () => {
    const [first, welcome] = await connect()
    const old = keyOf(welcome)
    await first.break()
    await isSaved()
    const [second, resumed] = await connect(old)
    expect(keyOf(resumed).secret).not.toBe(old.secret)
    const [third, refused] = await connect(old)
    expect(refused['session']).toMatchObject({ resumed: false })
    expect(keyOf(refused).id).not.toBe(old.id)
    expect(second.socket.readyState).toBe(second.socket.OPEN)
    await third.leave()
  })

  it('moves to a newer connection, and the older is told', async () => {
    const [first, welcome] = await connect()
    await first.request({ type: 'state', data: 1 })
    const [second, resumed] = await connect(keyOf(welcome))
    expect(resumed).toMatchObject({ state: 1, session: { resumed: true } })
    await expectClose(first, 'resumedElsewhere')
    expect(await second.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('that has moved cannot be had on another node with the old secret', async () => {
    const engine = new MemoryEngine()
    const [here, elsewhere] = [await startNode({ engine }), await startNode({ engine })]
    const connectTo = async (where: TestNode, resume?: Key): Promise<Received> => {
      const members = resume ? { resume: { session: resume.id, secret: resume.secret, positions: {} } } : {}
      return (await where.open()).hello(where.token('ada'), members)
    }
    const first = await connectTo(here)
    expect((await connectTo(here, keyOf(first)))['session']).toMatchObject({ resumed: true })
    expect((await connectTo(elsewhere, keyOf(first)))['session']).toMatchObject({ resumed: false })
    await Promise.all([here.close(), elsewhere.close()])
  })

  it('that moves from a live connection leaves no trace in presence', async () => {
    const watcher = await node.join('bob')
    await watcher.request({ type: 'subscribe', channel: 'live:1', presence: true })
    await watcher.next('joined')
    const [first, welcome] = await connect()
    await first.request({ type: 'subscribe', channel: 'live:1', presence: true })
    await watcher.next('joined')
    const [second] = await connect(keyOf(welcome))
    await second.next('subscribed', { channel: 'live:1' })
    await second.leave()
    await watcher.next('left')
    const changes = watcher.received.filter(({ type }) => ['joined', 'updated', 'left'].includes(String(type)))
    expect(changes.map(({ type }) => type)).toEqual(['joined', 'joined', 'left'])
  })

  it('is not resumed by another user', async () => {
    const [, welcome] = await connect()
    const [, other] = await connect(keyOf(welcome), {}, 'bob')
    expect(other).toMatchObject({ user: 'bob', session: { resumed: false } })
  })

  it('keeps what the rules still allow: a channel that was lost is told', async () => {
    const first = await node.open()
    const staff = await first.hello(node.token('ada', { roles: ['staff'] }))
    await first.request({ type: 'subscribe', channel: 'staff:1' })
    await first.break()
    await isSaved()
    const [second] = await connect(keyOf(staff))
    expect(await second.next('unsubscribed')).toMatchObject({ channel: 'staff:1', code: 'permission_denied' })
  })

  it('can be resumed after a clean goodbye too', async () => {
    const [first, welcome] = await connect()
    await first.request({ type: 'subscribe', channel: 'room:1' })
    await first.leave()
    await isSaved()
    const [, resumed] = await connect(keyOf(welcome))
    expect(resumed).toMatchObject({ channels: ['user:ada', 'room:1'], session: { resumed: true } })
  })

  it('stays present in its channels while it moves', async () => {
    const watcher = await node.join('bob')
    await watcher.request({ type: 'subscribe', channel: 'live:1', presence: true })
    const [first, welcome] = await connect()
    await first.request({ type: 'subscribe', channel: 'live:1', presence: { info: { mood: 'good' } } })
    // Bob is told of himself too; and a change that is not told yet would be gathered with its opposite.
    await watcher.nextWhere(
      ({ type, member }) => type === 'joined' && (member as Received)['user'] === 'ada',
      'ada to join',
    )
    await first.break()
    const [second] = await connect(keyOf(welcome))
    await second.next('subscribed', { channel: 'live:1' })
    await second.leave()
    await watcher.next('left', { channel: 'live:1' })
    const changes = watcher.received.filter(({ type }) => ['joined', 'updated', 'left'].includes(String(type)))
    expect(
      changes.map(({ type, member }) => [type, (member as Received)['user']]).filter(([, user]) => user === 'ada'),
    ).toEqual([
      ['joined', 'ada'],
      ['left', 'ada'],
    ])
  })
})

describe('the address of an operation', () => {
  const spec = { id: 'import-1', kind: 'import', owner: 'ada', total: 2 }
  const watch = (id: string, user = 'ada'): Promise<TestClient> =>
    node.open(`/operations/${id}?token=${node.token(user)}`, { protocols: [] })

  it('shows it live, and closes after its end', async () => {
    const operation = await node.holdfast.tenant('acme').operations.start(spec)
    const client = await watch('import-1')
    const { messages } = await client.next('subscribed', { channel: 'operation:import-1' })
    expect(messages).toMatchObject([{ event: 'progress', data: { state: 'running', progress: { percent: 0 } } }])
    operation.advance()
    expect(await client.next('message', { event: 'progress' })).toMatchObject({ data: { progress: { percent: 50 } } })
    await operation.complete({ imported: 2 })
    expect(await client.next('message', { event: 'completed' })).toMatchObject({ data: { result: { imported: 2 } } })
    await expectClose(client, 'operationCompleted')
  })

  it('shows one that has ended its end, and closes', async () => {
    await node.holdfast.tenant('acme').operations.run(spec, () => 'done')
    const client = await watch('import-1')
    const { messages } = await client.next('subscribed', { channel: 'operation:import-1' })
    expect(messages).toMatchObject([{ event: 'completed', data: { result: 'done' } }])
    await expectClose(client, 'operationCompleted')
  })

  it('gives the same answer for what is unknown, forbidden, in another tenant, or no name at all', async () => {
    await node.holdfast.tenant('acme').operations.start({ ...spec, id: 'theirs', owner: 'bob' })
    await node.holdfast.tenant('other').operations.start({ ...spec, id: 'elsewhere' })
    const answers = await Promise.all(
      ['unknown', 'theirs', 'elsewhere', 'a%2Fb', 'a%20b'].map(async (id) => {
        const client = await watch(id)
        await expectClose(client, 'notAllowed')
        return client.received.filter(({ type, channel }) => type !== 'welcome' && channel !== 'user:ada')
      }),
    )
    expect(answers[0]).toMatchObject([{ type: 'error', code: 'not_found' }, { type: 'goodbye' }])
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  it('shows it to those it is shared with', async () => {
    await node.holdfast.tenant('acme').operations.start({ ...spec, sharedWith: ['bob'] })
    const client = await watch('import-1', 'bob')
    expect(await client.next('subscribed', { channel: 'operation:import-1' })).toMatchObject({ messages: [{}] })
  })
})

describe('an inbox', () => {
  const notify = (title: string): Promise<{ offset: number }> =>
    node.holdfast.tenant('acme').notify('ada', { title, body: '-' })
  const titles = (verdict: Received): unknown[] =>
    (verdict['messages'] as { data: { title: string } }[]).map(({ data }) => data.title)
  const inboxOf = async (client: TestClient): Promise<unknown[]> =>
    titles(await client.next('subscribed', { channel: 'user:ada' }))

  it('keeps what came while nobody was there, until a device has acknowledged it', async () => {
    await notify('one')
    const { offset } = await notify('two')
    await notify('three')
    const phone = await node.join('ada')
    expect(await inboxOf(phone)).toEqual(['one', 'two', 'three'])
    const laptop = await node.join('ada')
    expect(await inboxOf(laptop)).toEqual(['one', 'two', 'three'])
    await laptop.request({ type: 'ack', channel: 'user:ada', offset })
    expect(await inboxOf(await node.join('ada'))).toEqual(['three'])
  })

  it('is live for every device', async () => {
    const devices = [await node.join('ada'), await node.join('ada')]
    await Promise.all(devices.map(inboxOf))
    await notify('now')
    for (const device of devices)
      expect(await device.next('message')).toMatchObject({
        event: 'notification',
        data: { title: 'now', priority: 'normal' },
      })
  })

  it('is not read by anybody else', async () => {
    const eve = await node.join('eve')
    expect(await eve.request({ type: 'subscribe', channel: 'user:ada' })).toMatchObject({ code: 'permission_denied' })
    expect(await eve.request({ type: 'ack', channel: 'user:ada', offset: 1 })).toMatchObject({
      code: 'permission_denied',
    })
    expect(await eve.request({ type: 'history', channel: 'user:ada' })).toMatchObject({ code: 'permission_denied' })
  })
})

describe('the application', () => {
  it('disconnects a user everywhere on the node, and nobody else', async () => {
    const theirs = [await node.join('ada'), await node.join('ada')]
    const others = [await node.join('bob'), await node.join('ada', { claims: { tenant: 'other' } })]
    expect(await node.holdfast.tenant('acme').disconnect('ada')).toBe(2)
    for (const client of theirs) await expectClose(client, 'disconnectedByAdministrator')
    for (const client of others) expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('drains: each client gets its slot, goes on until it moves, and is closed at the deadline', async () => {
    await node.close()
    node = await startNode({ drain: { windowMs: 100, deadlineMs: 500 } })
    const client = await node.join('ada')
    const late = await node.open()
    const drained = node.holdfast.drain()
    expect(await client.next('goodbye')).toEqual({
      type: 'goodbye',
      code: 1012,
      message: 'Service restart',
      reconnect: 'now',
      after: 0,
    })
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
    expect(node.holdfast.stats().draining).toBe(true)
    await expect(node.open()).rejects.toThrow('503')
    late.send({ type: 'hello', token: node.token('bob') })
    expect(await late.closed).toEqual({ code: 1012, reason: 'Service restart' })
    expect(await client.closed).toEqual({ code: 1012, reason: 'Service restart' })
    await drained
  })

  it('closes: every client is told', async () => {
    const client = await node.join('ada')
    await node.holdfast.close()
    await expectClose(client, 'serverShutdown')
  })
})

describe('time', () => {
  const NOW = Date.UTC(2026, 0, 1)
  let clock: SimulatedClock
  let holdfast: Holdfast

  beforeEach(() => begin({}))

  afterEach(async () => {
    const closed = holdfast.close()
    await clock.pass(1_000)
    await closed
  })

  async function begin(options: Partial<HoldfastOptions>): Promise<void> {
    clock = new SimulatedClock(NOW)
    holdfast = createHoldfast({ ...instantTokens(clock), channels: TEST_CHANNELS, clock, ...options })
    await holdfast.start()
  }

  function token(ttlSeconds: number, user = 'ada', roles: string[] = []): string {
    return signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user, roles, ttlSeconds }, clock.now())
  }

  interface Peer {
    readonly socket: FakeSocket
    readonly handler: SocketHandler
    send(command: object): Promise<void>
    last(): Record<string, unknown> | undefined
    /** Lets time pass in which the peer gives signs of life. */
    live(ms: number): Promise<void>
  }

  async function join(ttlSeconds = 86_400): Promise<Peer> {
    const socket = new FakeSocket()
    const handler = holdfast.accept(socket, upgrade())
    const peer: Peer = {
      socket,
      handler,
      async send(command) {
        const text = JSON.stringify(command)
        handler.text(text, text.length)
        await clock.pass(1)
      },
      last: () => socket.messages.at(-1),
      async live(ms) {
        for (let left = ms; left > 0; left -= 1_000) {
          handler.alive()
          await clock.pass(1_000)
        }
      },
    }
    await peer.send({ type: 'hello', token: token(ttlSeconds) })
    return peer
  }

  it('is over for a client that has not said hello', async () => {
    const socket = new FakeSocket()
    holdfast.accept(socket, upgrade())
    await clock.pass(9_000, 1_000)
    expect(socket.closedWith).toBeUndefined()
    await clock.pass(2_000, 1_000)
    expect(socket.closedWith).toEqual({ code: 1008, reason: 'Authentication required' })
  })

  it('is told to a client 30 seconds before its token expires, once, and then it is closed', async () => {
    const peer = await join(60)
    const notices = (): unknown[] => peer.socket.messages.filter(({ type }) => type === 'notice')
    await peer.live(29_000)
    expect(notices()).toEqual([])
    await peer.live(2_000)
    expect(notices()).toEqual([
      {
        type: 'notice',
        code: 'token_expiring',
        message: 'The token expires soon',
        details: { expiresAt: '2026-01-01T00:01:00.000Z' },
      },
    ])
    await peer.live(28_000)
    expect(notices()).toHaveLength(1)
    expect(peer.socket.closedWith).toBeUndefined()
    await peer.live(2_000)
    expect(peer.socket.closedWith).toEqual({ code: 1008, reason: 'Authentication token expired' })
    expect(peer.last()).toMatchObject({ type: 'goodbye', reconnect: 'refresh' })
  })

  it('F-48 is told of a short-lived token when half of its life is over, once for each', async () => {
    const peer = await join(20)
    const notices = (): unknown[] => peer.socket.messages.filter(({ type }) => type === 'notice')
    await peer.live(9_000)
    expect(notices()).toEqual([])
    await peer.live(2_000)
    expect(notices()).toHaveLength(1)
    await peer.send({ type: 'refresh', id: 1, token: token(20) })
    await peer.live(9_000)
    expect(notices()).toHaveLength(1)
    await peer.live(2_000)
    expect(notices()).toHaveLength(2)
  })

  it('is extended by a refresh', async () => {
    const peer = await join(60)
    await peer.live(40_000)
    await peer.send({ type: 'refresh', id: 1, token: token(3_600) })
    expect(peer.last()).toMatchObject({ type: 'ok', id: 1, expiresAt: '2026-01-01T01:00:40.000Z' })
    await peer.live(30_000)
    expect(peer.socket.closedWith).toBeUndefined()
  })

  it('is up for a peer that is silent for 35 seconds, and was asked in between', async () => {
    const peer = await join()
    await clock.pass(34_000, 1_000)
    expect(peer.socket.messages.filter(({ type }) => type === 'ping')).toHaveLength(1)
    expect(peer.socket.closedWith).toBeUndefined()
    await clock.pass(3_000, 1_000)
    expect(peer.socket.closedWith).toEqual({ code: 1001, reason: 'Heartbeat timeout' })
  })

  it('goes on for a peer that gives any sign of life', async () => {
    const peer = await join()
    for (let rounds = 0; rounds < 5; rounds += 1) {
      await clock.pass(30_000, 1_000)
      peer.handler.alive()
    }
    expect(peer.socket.closedWith).toBeUndefined()
  })

  it('does not run out for a session whose connection broke before its welcome', async () => {
    const first = await join()
    const { id, secret } = first.socket.messages[0]!['session'] as { id: string; secret: string }
    await first.send({ type: 'state', data: 'kept' })
    first.handler.closed(1006, false)
    await clock.pass(1)
    const hello = JSON.stringify({ type: 'hello', token: token(60), resume: { session: id, secret, positions: {} } })
    const broken = holdfast.accept(new FakeSocket(), upgrade())
    broken.text(hello, hello.length)
    broken.closed(1006, false)
    await clock.pass(1)
    const socket = new FakeSocket()
    holdfast.accept(socket, upgrade()).text(hello, hello.length)
    await clock.pass(1)
    expect(socket.messages[0]).toMatchObject({ type: 'welcome', session: { id, resumed: true }, state: 'kept' })
    expect(holdfast.stats().connections).toBe(1)
  })

  it('is over for a reader that is too slow, which is told to come back at once', async () => {
    const peer = await join()
    await peer.send({ type: 'subscribe', id: 1, channel: 'room:1' })
    peer.socket.stall()
    const room = holdfast.tenant('acme')
    for (let count = 0; count < 17; count += 1) await room.publish('room:1', 'chat', 'x'.repeat(65_000))
    await clock.pass(1)
    expect(peer.socket.closedWith).toEqual({ code: 1013, reason: 'Too slow' })
    expect(peer.last()).toMatchObject({ type: 'goodbye', reconnect: 'now' })
  })

  it('is not spent on the pings of a client that does not read the answers', async () => {
    const peer = await join()
    peer.socket.stall(1_048_576 / 4 + 1)
    for (let count = 0; count < 1_000; count += 1) peer.handler.text('ping', 4)
    await clock.pass(1)
    peer.socket.release()
    peer.handler.drained()
    expect(peer.socket.text.match(/pong/g)).toBeNull()
    peer.handler.text('ping', 4)
    await clock.pass(1)
    expect(peer.socket.text).toContain('pong')
  })

  it('does not pass for commands of a client that does not read its answers', async () => {
    const peer = await join()
    peer.socket.stall(1_048_576 / 4 + 1)
    await peer.send({ type: 'ping', id: 1 })
    expect(peer.socket.paused).toBe(true)
    peer.socket.release()
    peer.handler.drained()
    await clock.pass(1)
    expect(peer.socket.paused).toBe(false)
    expect(peer.last()).toMatchObject({ type: 'pong', id: 1 })
  })
})
