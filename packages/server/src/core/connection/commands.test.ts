import { decodeServerFrame } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Received, TestClient } from '../../testing/test-client.js'
import { TEST_CHANNELS, type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let ada: TestClient
let bob: TestClient

beforeEach(async () => {
  node = await startNode({
    channels: {
      ...TEST_CHANNELS,
      'read:*': { subscribe: 'member', publish: 'nobody', history: { size: 5, ttl: '1h', read: 'role:staff' } },
      'quiet:*': { publish: 'member', signal: 'nobody' },
    },
  })
  ada = await node.join('ada')
  bob = await node.join('bob')
})

afterEach(async () => {
  // Whatever the test was about, a client can read all it was sent.
  for (const { received } of [ada, bob])
    for (const message of received) expect(decodeServerFrame(JSON.stringify(message))).toEqual([message])
  await node.close()
})

const room = 'room:1'
const subscribe = (client: TestClient, channel = room, members: object = {}): Promise<Received> =>
  client.request({ type: 'subscribe', channel, ...members })
const publish = (client: TestClient, data: unknown, members: object = {}): Promise<Received> =>
  client.request({ type: 'publish', channel: room, data, ...members })

describe('publish', () => {
  it('reaches every subscriber with offset, sender and time, the sender included', async () => {
    await Promise.all([subscribe(ada), subscribe(bob)])
    const answer = await publish(ada, { text: 'hello' }, { event: 'chat' })
    expect(answer).toMatchObject({ type: 'ok', offset: 1, duplicate: false })
    for (const client of [ada, bob]) {
      const message = await client.next('message')
      expect(message).toMatchObject({
        channel: room,
        id: answer['messageId'],
        offset: 1,
        event: 'chat',
        data: { text: 'hello' },
        from: { user: 'ada', connection: ada.received[0]?.['connection'] },
      })
      expect(Date.parse(String(message['at']))).toBeGreaterThan(1_700_000_000_000)
    }
  })

  it('has the event message and the data as they came when nothing else is said', async () => {
    await subscribe(bob)
    ada.send('{"type":"publish","channel":"room:1","data":{"n": 1.0, "n": 2}}')
    expect(await bob.next('message')).toMatchObject({ event: 'message', data: { n: 2 } })
  })

  it('is stored once for a key, and the second answer is that of the first', async () => {
    const first = await publish(ada, 1, { key: 'k1' })
    const second = await publish(ada, 1, { key: 'k1' })
    expect(second).toMatchObject({ offset: first['offset'], messageId: first['messageId'], duplicate: true })
    expect(await publish(bob, 1, { key: 'k1' })).toMatchObject({ offset: 2, duplicate: false })
    expect(await publish(ada, 2, { key: 'k1' })).toMatchObject({ type: 'error', code: 'idempotency_conflict' })
  })

  it('has neither offset nor epoch on a channel without history', async () => {
    await subscribe(bob, 'live:1')
    const answer = await ada.request({ type: 'publish', channel: 'live:1', data: 1 })
    expect(answer).toMatchObject({ type: 'ok', offset: 0 })
    expect(answer).not.toHaveProperty('epoch')
    expect(await bob.next('message')).not.toHaveProperty('offset')
  })

  it.each([
    ['a channel that no rule names', 'none:1'],
    ['a channel that only the server writes', 'user:ada'],
    ['a channel of a role', 'staff:1'],
    ['an operation', 'operation:1'],
  ])('to %s is refused', async (_, channel) => {
    expect(await ada.request({ type: 'publish', channel, data: 1 })).toMatchObject({
      type: 'error',
      code: 'permission_denied',
      message: 'publish is not allowed on this channel',
      retryable: false,
    })
  })

  it('cannot name its sender', async () => {
    await subscribe(bob)
    await publish(ada, 1, { from: { user: 'root' }, at: 'now', offset: 99 })
    expect(await bob.next('message')).toMatchObject({ from: { user: 'ada' }, offset: 1 })
  })

  it('stays within the tenant', async () => {
    await subscribe(bob)
    const eve = await node.join('ada', { claims: { tenant: 'other' } })
    await eve.request({ type: 'publish', channel: room, data: 'from elsewhere' })
    await publish(ada, 'from here')
    expect(await bob.next('message')).toMatchObject({ data: 'from here', offset: 1 })
  })
})

describe('unsubscribe', () => {
  it('ends the messages, and may be said again', async () => {
    await subscribe(bob)
    expect(await bob.request({ type: 'unsubscribe', channel: room })).toMatchObject({ type: 'ok' })
    expect(await bob.request({ type: 'unsubscribe', channel: room })).toMatchObject({ type: 'ok' })
    await publish(ada, 1)
    await bob.request({ type: 'ping' })
    expect(bob.received.filter(({ type }) => type === 'message')).toEqual([])
  })
})

describe('a signal', () => {
  it('reaches the others live, is not stored, and is not answered', async () => {
    await subscribe(bob)
    ada.send({ type: 'signal', id: 1, channel: room, event: 'typing', data: { active: true } })
    expect(await bob.next('signal')).toMatchObject({
      channel: room,
      event: 'typing',
      data: { active: true },
      from: { user: 'ada' },
    })
    expect(await ada.request({ type: 'history', channel: room })).toMatchObject({ messages: [] })
    expect(ada.received.filter(({ id }) => id === 1)).toEqual([])
  })

  it('may carry nothing', async () => {
    await subscribe(bob)
    ada.send({ type: 'signal', channel: room, event: 'wave' })
    expect(await bob.next('signal')).toMatchObject({ event: 'wave', data: null })
  })

  it('that is refused is answered', async () => {
    const answer = await ada.request({ type: 'signal', channel: 'quiet:1', event: 'typing' })
    expect(answer).toMatchObject({ code: 'permission_denied', message: 'signal is not allowed on this channel' })
  })
})

describe('history', () => {
  beforeEach(async () => {
    for (let at = 1; at <= 10; at += 1) await publish(ada, at)
  })

  const history = (members: object = {}): Promise<Received> =>
    ada.request({ type: 'history', channel: room, ...members })
  const dataOf = (answer: Received): unknown[] => (answer['messages'] as Received[]).map(({ data }) => data)
  const positionAt = async (offset: number): Promise<object> => ({ epoch: (await history())['epoch'], offset })

  it('is the newest messages, newest last', async () => {
    expect(dataOf(await history())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const page = await history({ limit: 3 })
    expect([dataOf(page), page['more']]).toEqual([[8, 9, 10], true])
    expect(await history({ limit: 10 })).toMatchObject({ more: false })
  })

  it('goes back from a position', async () => {
    const page = await history({ before: await positionAt(8), limit: 3 })
    expect([dataOf(page), page['more']]).toEqual([[5, 6, 7], true])
    const last = await history({ before: await positionAt(3), limit: 3 })
    expect([dataOf(last), last['more']]).toEqual([[1, 2], false])
  })

  it('goes on from a position', async () => {
    const page = await history({ since: await positionAt(2), limit: 3 })
    expect([dataOf(page), page['more']]).toEqual([[3, 4, 5], true])
    const last = await history({ since: await positionAt(8), limit: 3 })
    expect([dataOf(last), last['more']]).toEqual([[9, 10], false])
  })

  it('of an epoch that has ended is empty, and names the one in force', async () => {
    const page = await history({ since: { epoch: 'gone', offset: 2 } })
    expect(dataOf(page)).toEqual([])
    expect(page['epoch']).not.toBe('gone')
  })

  it('goes in one direction', async () => {
    const position = await positionAt(2)
    const answer = await history({ since: position, before: position })
    expect(answer).toMatchObject({ code: 'bad_request', message: 'since and before exclude each other' })
  })

  it.each([0, 1_001, -1, 1.5])('has a limit from 1 to 1000, not %d', async (limit) =>
    expect(await history({ limit })).toMatchObject({ code: 'bad_request' }),
  )

  it('is refused where nothing is kept, and to those who may not read it', async () => {
    expect(await ada.request({ type: 'history', channel: 'live:1' })).toMatchObject({ code: 'permission_denied' })
    expect(await ada.request({ type: 'history', channel: 'read:1' })).toMatchObject({ code: 'permission_denied' })
    const staff = await node.join('eve', { claims: { roles: ['staff'] } })
    expect(await staff.request({ type: 'history', channel: 'read:1' })).toMatchObject({ type: 'ok', messages: [] })
  })
})

describe('presence', () => {
  it('tells who is there, with what each tells of itself, and who comes and goes', async () => {
    const verdict = await subscribe(ada, 'live:1', { presence: { info: { mood: 'good' } } })
    expect(verdict).toMatchObject({ members: [{ user: 'ada', info: { mood: 'good' }, connections: 1 }] })
    await subscribe(bob, 'live:1', { presence: true })
    expect(await ada.next('joined', { channel: 'live:1' })).toMatchObject({
      member: { user: 'ada' },
      counts: { members: 1, connections: 1 },
    })
    expect(await ada.next('joined')).toMatchObject({ member: { user: 'bob', connections: 1 }, counts: { members: 2 } })
    await bob.request({ type: 'unsubscribe', channel: 'live:1' })
    expect(await ada.next('left')).toMatchObject({ member: { user: 'bob', connections: 0 }, counts: { members: 1 } })
  })

  it('can be asked for', async () => {
    await subscribe(ada, 'live:1', { presence: true })
    await subscribe(bob, 'live:1', { presence: true })
    const ask = (members: object = {}): Promise<Received> =>
      ada.request({ type: 'presence', channel: 'live:1', ...members })
    expect(await ask()).toMatchObject({ counts: { members: 2, connections: 2 }, members: [{}, {}] })
    expect(await ask({ limit: 1 })).toMatchObject({ counts: { members: 2 }, members: [{}] })
    expect((await ask({ limit: 1 }))['members']).toHaveLength(1)
  })

  it('is not told to those who did not ask, and does not count them', async () => {
    await subscribe(bob, 'live:1')
    await subscribe(ada, 'live:1', { presence: true })
    await ada.next('joined')
    await bob.request({ type: 'ping' })
    expect(bob.received.filter(({ type }) => type === 'joined')).toEqual([])
    expect(await bob.request({ type: 'presence', channel: 'live:1' })).toMatchObject({ counts: { members: 1 } })
  })

  it('counts two devices of a user as one member', async () => {
    await subscribe(ada, 'live:1', { presence: true })
    await ada.next('joined')
    const phone = await node.join('ada')
    const verdict = await subscribe(phone, 'live:1', { presence: true })
    const counts = { members: 1, connections: 2 }
    expect(verdict).toMatchObject({ members: [{ user: 'ada', connections: 2 }], counts })
    expect(await ada.next('updated')).toMatchObject({ member: { user: 'ada', connections: 2 }, counts })
    await phone.leave()
    expect(await ada.next('updated')).toMatchObject({ member: { connections: 1 }, counts: { connections: 1 } })
  })

  it('holds info of up to 1 KiB', async () => {
    const fits = await subscribe(ada, 'live:1', { presence: { info: 'x'.repeat(1_022) } })
    expect(fits).toMatchObject({ type: 'subscribed' })
    expect(await subscribe(ada, 'live:2', { presence: { info: 'x'.repeat(1_023) } })).toMatchObject({
      code: 'limit_exceeded',
      message: 'presence.info must be at most 1024 bytes',
    })
  })

  it('is refused where the rules do not give it', async () => {
    expect(await subscribe(ada, 'quiet:1', { presence: true })).toMatchObject({ code: 'permission_denied' })
    expect(await ada.request({ type: 'presence', channel: 'quiet:1' })).toMatchObject({ code: 'permission_denied' })
    expect(await subscribe(ada, 'quiet:1')).toMatchObject({ type: 'subscribed' })
  })
})

describe('state', () => {
  it('holds up to 16 KiB', async () => {
    expect(await ada.request({ type: 'state', data: 'x'.repeat(16_382) })).toMatchObject({ type: 'ok' })
    expect(await ada.request({ type: 'state', data: 'x'.repeat(16_383) })).toMatchObject({
      code: 'limit_exceeded',
      message: 'data must be at most 16384 bytes',
    })
  })
})

describe('ack', () => {
  it('is for inboxes', async () =>
    expect(await ada.request({ type: 'ack', channel: room, offset: 1 })).toMatchObject({
      message: 'channel must be an inbox',
    }))
})

describe('call', () => {
  it('is answered with the result of the method', async () => {
    const method = { schema: z.object({ a: z.number() }), handler: ({ a }: { a: number }) => ({ double: a * 2 }) }
    const undo = node.holdfast.method('double', method)
    expect(await ada.request({ type: 'call', method: 'double', data: { a: 21 } })).toMatchObject({
      data: { double: 42 },
    })
    expect(await ada.request({ type: 'call', method: 'double', data: { a: 'x' } })).toMatchObject({
      code: 'bad_request',
    })
    undo()
    expect(await ada.request({ type: 'call', method: 'double' })).toMatchObject({ code: 'unknown_method' })
  })

  it('fails without telling why, and after the time that the caller gives it', async () => {
    node.holdfast.method('broken', { handler: () => Promise.reject(new Error('password 1234')) })
    node.holdfast.method('slow', { handler: () => new Promise(() => undefined) })
    expect(await ada.request({ type: 'call', method: 'broken' })).toMatchObject({
      code: 'method_failed',
      message: 'The method failed',
    })
    expect(await ada.request({ type: 'call', method: 'slow', timeout: 20 })).toMatchObject({
      code: 'timeout',
      retryable: true,
    })
  })

  it('does not hold up what comes after it', async () => {
    node.holdfast.method('slow', { handler: () => new Promise(() => undefined) })
    ada.send({ type: 'call', id: 1, method: 'slow', timeout: 5_000 })
    expect(await ada.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })
})

describe('cancel', () => {
  const spec = { id: 'import-1', kind: 'import', owner: 'ada' }

  it('asks the worker to stop', async () => {
    const operation = await node.holdfast.tenant('acme').operations.start(spec)
    expect(await ada.request({ type: 'cancel', operation: 'import-1' })).toMatchObject({ type: 'ok' })
    expect(operation.signal.aborted).toBe(true)
  })

  it('is refused alike for what is unknown and what is not theirs', async () => {
    await node.holdfast.tenant('acme').operations.start(spec)
    const [unknown, theirs] = [
      await bob.request({ type: 'cancel', operation: 'import-2' }),
      await bob.request({ type: 'cancel', operation: 'import-1' }),
    ]
    expect(unknown).toMatchObject({ code: 'not_found' })
    expect({ ...theirs, id: 0 }).toEqual({ ...unknown, id: 0 })
  })

  it('comes too late for what has ended', async () => {
    await node.holdfast.tenant('acme').operations.run(spec, () => 1)
    expect(await ada.request({ type: 'cancel', operation: 'import-1' })).toMatchObject({ code: 'already_ended' })
  })
})

describe('refresh', () => {
  it('extends the connection', async () => {
    const answer = await ada.request({ type: 'refresh', token: node.token('ada', { ttlSeconds: 7_200 }) })
    expect(answer).toMatchObject({ type: 'ok', expiresAt: expect.stringMatching(/Z$/) as string })
  })

  it.each<[string, () => string]>([
    ['another user', () => node.token('bob')],
    ['another tenant', () => node.token('ada', { tenant: 'other' })],
    ['nobody', () => 'a.b.c'],
    ['the past', () => node.token('ada', { ttlSeconds: -60 })],
  ])('refuses a token of %s, and the connection goes on as it was', async (_, token) => {
    expect(await ada.request({ type: 'refresh', token: token() })).toMatchObject({ code: 'permission_denied' })
    expect(await subscribe(ada, 'staff:1')).toMatchObject({ code: 'permission_denied' })
  })

  it('ends the channels that the new roles do not give, and opens those that they do', async () => {
    const staff = await node.join('eve', { claims: { roles: ['staff'] } })
    await subscribe(staff, 'staff:1')
    await subscribe(staff, room)
    await staff.request({ type: 'refresh', token: node.token('eve', { roles: [] }) })
    expect(await staff.next('unsubscribed')).toMatchObject({ channel: 'staff:1', code: 'permission_denied' })
    await node.holdfast.tenant('acme').publish('staff:1', 'secret', 1)
    await publish(ada, 'public')
    expect(await staff.next('message')).toMatchObject({ channel: room })
    await staff.request({ type: 'refresh', token: node.token('eve', { roles: ['staff'] }) })
    expect(await subscribe(staff, 'staff:1')).toMatchObject({ type: 'subscribed' })
  })
})

describe('an id', () => {
  it.each([0, 7, 9_007_199_254_740_991, 'a', 'x'.repeat(64)])('%j is echoed', async (id) => {
    ada.send({ type: 'ping', id })
    expect(await ada.next('pong')).toMatchObject({ id })
  })

  it('may be left out', async () => {
    ada.send({ type: 'state', data: 1 })
    expect(await ada.next('ok')).toEqual({ type: 'ok' })
  })
})

it('asks no rule about what is over the rate of its user', async () => {
  const asked: string[] = []
  const ask = (verb: string) => (): boolean => asked.push(verb) > 0
  const channels = { 'room:*': { publish: ask('publish'), signal: ask('signal') } }
  const strict = await startNode({ channels, limits: { publishesPerUserPerSecondMax: 1 } })
  try {
    const eve = await strict.join('eve')
    const answers = await Promise.all(
      ['publish', 'publish', 'publish', 'signal', 'publish', 'signal'].map((type) =>
        eve.request({ type, channel: room, event: 'e', data: 1 }),
      ),
    )
    expect(answers.filter(({ code }) => code === 'rate_limited')).toHaveLength(4)
    expect(asked).toEqual(['publish', 'publish'])
  } finally {
    await strict.close()
  }
})
