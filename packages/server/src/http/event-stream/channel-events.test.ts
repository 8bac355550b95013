import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestEventStream } from '../../testing/test-event-stream.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let base: string
const streams: TestEventStream[] = []

beforeEach(async () => {
  node = await startNode({ heartbeat: { intervalMs: 1_000, timeoutMs: 2_500 } })
  base = `http://127.0.0.1:${node.port}/api/v1`
})

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.leave()
  await node.close()
})

const bearer = (user = 'u1', claims = {}): Record<string, string> => ({
  authorization: `Bearer ${node.token(user, claims)}`,
})

async function follow(channel: string, headers: Record<string, string> = {}, query = ''): Promise<TestEventStream> {
  const stream = await TestEventStream.open(`${base}/channels/${channel}/events${query}`, { ...bearer(), ...headers })
  streams.push(stream)
  return stream
}

const publish = (channel: string, n: number): Promise<unknown> =>
  node.holdfast.tenant('acme').publish(channel, 'chat', { n })

const numbersOf = ({ received }: TestEventStream): unknown[] =>
  received.filter(({ event }) => event === 'message').map(({ data }) => (data['data'] as { n: number }).n)

describe('the events of a channel', () => {
  it('begin with the verdict, and carry each message with its position', async () => {
    const stream = await follow('room:1')
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(stream.headers['cache-control']).toBe('no-store')
    expect(stream.headers['x-accel-buffering']).toBe('no')
    const { data, id } = await stream.next('subscribed')
    expect(data).toMatchObject({ type: 'subscribed', channel: 'room:1', recovered: 'new', messages: [] })
    expect(id).toBe(`${String(data['epoch'])}.0`)
    const sent = await node.holdfast.tenant('acme').publish('room:1', 'chat', { n: 1 })
    const message = await stream.next('message')
    expect(message.id).toBe(`${sent.epoch}.1.${sent.id}`)
    expect(message.data).toMatchObject({ type: 'message', event: 'chat', data: { n: 1 }, from: { system: true } })
    expect(stream.asides[0]).toMatch(/^retry: \d+$/)
  })

  it('go on behind Last-Event-ID, without loss or repetition', async () => {
    const first = await follow('room:1')
    for (let n = 1; n <= 3; n += 1) await publish('room:1', n)
    await expect.poll(() => numbersOf(first)).toEqual([1, 2, 3])
    first.leave()
    for (let n = 4; n <= 6; n += 1) await publish('room:1', n)
    const second = await follow('room:1', { 'last-event-id': first.lastId })
    await publish('room:1', 7)
    await expect.poll(() => numbersOf(second)).toEqual([4, 5, 6, 7])
    expect(second.received[0]).toMatchObject({
      event: 'subscribed',
      id: undefined,
      data: { recovered: 'full', messages: [] },
    })
  })

  it('tell of a gap where the log has been cut', async () => {
    await node.close()
    node = await startNode({ channels: { 'room:*': { history: { size: 2, ttl: '1h' } } } })
    base = `http://127.0.0.1:${node.port}/api/v1`
    const first = await follow('room:1')
    await publish('room:1', 1)
    await first.next('message')
    first.leave()
    for (let n = 2; n <= 6; n += 1) await publish('room:1', n)
    const second = await follow('room:1', { 'last-event-id': first.lastId })
    const { data } = await second.next('subscribed')
    expect(data).toMatchObject({ recovered: 'gap', gap: { from: 2, to: 4, reason: 'trimmed' } })
    await expect.poll(() => numbersOf(second)).toEqual([5, 6])
  })

  it('start with the newest messages, or at a position, as the address says', async () => {
    for (let n = 1; n <= 4; n += 1) await publish('room:1', n)
    const newest = await follow('room:1', {}, '?since=newest:2')
    await expect.poll(() => numbersOf(newest)).toEqual([3, 4])
    const [, third = ''] = newest.received.map(({ id }) => id)
    const after = await follow('room:1', {}, `?since=${third}`)
    await expect.poll(() => numbersOf(after)).toEqual([4])
    // Whoever comes back asks the same address as before.
    const back = await follow('room:1', { 'last-event-id': newest.lastId }, '?since=newest:2')
    await back.next('subscribed')
    await publish('room:1', 5)
    await expect.poll(() => numbersOf(back)).toEqual([5])
  })

  it('carry data as it was encoded, whatever its numbers', async () => {
    const client = await node.join('u2')
    client.send('{"type":"publish","channel":"room:1","data":{"big":12345678901234567890,"one":1.0}}')
    await client.next('ok').catch(() => undefined)
    const response = await fetch(`${base}/channels/room:1/events?since=newest:1`, { headers: bearer() })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!text.includes('"one"')) text += Buffer.from((await reader.read()).value ?? []).toString()
    expect(text).toContain('"data":{"big":12345678901234567890,"one":1.0}')
    await reader.cancel()
  })

  it('carry signals, and say who comes and goes to whoever wants to be a member', async () => {
    const stream = await follow('room:1', {}, '?presence=true')
    expect((await stream.next('subscribed')).data).toMatchObject({ members: [{ user: 'u1' }] })
    const client = await node.join('u2')
    await client.request({ type: 'subscribe', channel: 'room:1', presence: true })
    await expect
      .poll(() => stream.received.map(({ event, data }) => [event, data['member']]))
      .toContainEqual(['joined', expect.objectContaining({ user: 'u2' })])
    client.send({ type: 'signal', channel: 'room:1', event: 'typing', data: { active: true } })
    expect((await stream.next('signal')).data).toMatchObject({ event: 'typing', from: { user: 'u2' } })
    stream.leave()
    await client.next('left')
  })

  it('end for a reader that is too slow, who comes back and misses nothing unsaid', async () => {
    await node.close()
    node = await startNode({ limits: { outboxBytesMax: 65_536 } })
    base = `http://127.0.0.1:${node.port}/api/v1`
    const slow = await follow('room:1')
    slow.pause()
    const data = 'x'.repeat(8_000)
    const publishSome = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 100 }, () => node.holdfast.tenant('acme').publish('room:1', 'chat', data)))
    const connections = async (): Promise<number> => {
      await publishSome()
      return node.holdfast.stats().connections
    }
    await expect.poll(connections, { timeout: 15_000, interval: 1 }).toBe(0)
    slow.resume()
    await slow.ended
    const seen = Number(slow.lastId.split('.')[1])
    const back = await follow('room:1', { 'last-event-id': slow.lastId })
    const { data: verdict } = await back.next('subscribed')
    const { data: first } = await back.next('message')
    const gap = verdict['gap'] as { from: number; to: number } | undefined
    expect(gap?.from ?? seen + 1).toBe(seen + 1)
    expect(first['offset']).toBe((gap?.to ?? seen) + 1)
  })

  it('leave the inboxes of the user alone', async () => {
    const stream = await follow('room:1')
    await node.holdfast.tenant('acme').publish('user:u1', 'notification', { title: 'Hello' })
    await publish('room:1', 1)
    await expect.poll(() => numbersOf(stream)).toEqual([1])
    expect(stream.received.map(({ data }) => data['channel'])).toEqual(['room:1', 'room:1'])
  })

  it('go on while the reader only reads', async () => {
    const stream = await follow('room:1')
    await expect.poll(() => stream.asides.filter((aside) => aside === ': ping').length, { timeout: 9_000 }).toBe(4)
    await publish('room:1', 1)
    await stream.next('message')
  }, 15_000)

  it('count as a connection, and let go of it when the reader goes', async () => {
    const stream = await follow('room:1')
    expect(node.holdfast.stats().connections).toBe(1)
    stream.leave()
    await expect.poll(() => node.holdfast.stats().connections).toBe(0)
  })

  it('say goodbye and when to come back before a node ends', async () => {
    const stream = await follow('room:1')
    await node.holdfast.close()
    expect((await stream.next('goodbye')).data).toMatchObject({ code: 1001, message: 'Server shutdown' })
    expect(await stream.ended).toBe(true)
    expect(stream.asides.at(-1)).toMatch(/^retry: \d{4,5}$/)
  })

  it('end at its slot when the node hands its clients over', async () => {
    const stream = await follow('room:1')
    const drained = node.holdfast.drain()
    expect((await stream.next('goodbye')).data).toMatchObject({ code: 1012, reconnect: 'now' })
    expect(await stream.ended).toBe(true)
    await drained
  })

  it('end when the reader may not see them any more, who is refused from then on', async () => {
    const stream = await follow('room:1', bearer('u1', { tokenId: 't1' }))
    await node.holdfast.tenant('acme').revokeToken('t1')
    expect((await stream.next('goodbye')).data).toMatchObject({ message: 'Token revoked' })
    expect(await stream.ended).toBe(true)
    const again = await fetch(`${base}/channels/room:1/events`, { headers: bearer('u1', { tokenId: 't1' }) })
    expect(again.status).toBe(401)
    await again.body?.cancel()
  })
})

describe('the events of an operation', () => {
  it('begin with its snapshot and end after its last one; who comes back is told not to', async () => {
    const operation = await node.holdfast
      .tenant('acme')
      .operations.start({ id: 'o1', kind: 'import', owner: 'u1', total: 2 })
    const stream = await follow('operation:o1')
    expect((await stream.next('message')).data).toMatchObject({ data: { id: 'o1', state: 'running' } })
    operation.advance(2)
    await operation.complete({ rows: 2 })
    expect(await stream.ended).toBe(true)
    expect(stream.received.at(-1)).toMatchObject({
      event: 'message',
      data: { event: 'completed', data: { state: 'completed' } },
    })
    const again = await fetch(`${base}/channels/operation:o1/events`, {
      headers: { ...bearer(), 'last-event-id': stream.lastId },
    })
    expect([again.status, await again.text()]).toEqual([204, ''])
    await expect.poll(() => node.holdfast.stats().connections).toBe(0)
  })

  it('go on behind Last-Event-ID while it runs', async () => {
    const operation = await node.holdfast
      .tenant('acme')
      .operations.start({ id: 'o1', kind: 'import', owner: 'u1', total: 2 })
    const first = await follow('operation:o1')
    await first.next('message')
    first.leave()
    const second = await follow('operation:o1', { 'last-event-id': first.lastId })
    await second.next('subscribed')
    await operation.complete()
    expect(await second.ended).toBe(true)
    expect(second.received.at(-1)).toMatchObject({ data: { event: 'completed' } })
  })

  it('of one that has ended are its last one', async () => {
    const operation = await node.holdfast.tenant('acme').operations.start({ id: 'o1', kind: 'import', owner: 'u1' })
    await operation.fail(new Error('disk full'))
    const stream = await follow('operation:o1')
    expect(await stream.ended).toBe(true)
    expect(stream.received.at(-1)).toMatchObject({ data: { event: 'failed' } })
  })
})

describe('a request for the events of a channel', () => {
  const answerOf = async (
    path: string,
    headers: Record<string, string> = bearer(),
  ): Promise<[number, object, Headers]> => {
    const response = await fetch(`${base}${path}`, { headers })
    return [response.status, ((await response.json()) as { error: object }).error, response.headers]
  }

  it.each<[string, string, Record<string, string> | undefined, number, object]>([
    ['without a credential', '/channels/room:1/events', {}, 401, { code: 'unauthenticated', retryable: false }],
    ['with a bad one', '/channels/room:1/events', { authorization: 'Bearer x.y.z' }, 401, { code: 'unauthenticated' }],
    ['with an API key in the address', '/channels/room:1/events?token=hf_x_y', {}, 401, { code: 'unauthenticated' }],
    ['of what is no channel', '/channels/Room/events', undefined, 400, { code: 'invalid_channel', field: 'channel' }],
    ['of a channel without a rule', '/channels/nobody:1/events', undefined, 403, { code: 'permission_denied' }],
    ['of an operation that is not there', '/channels/operation:x/events', undefined, 404, { code: 'not_found' }],
    [
      'with a bad position',
      '/channels/room:1/events?since=now',
      undefined,
      400,
      { code: 'bad_request', field: 'since' },
    ],
    ['with something else', '/channels/room:1/events?x=1', undefined, 400, { code: 'bad_request', field: 'x' }],
  ])('%s is refused before the stream begins', async (_, path, headers, status, error) => {
    const [answered, told, answerHeaders] = await answerOf(path, headers)
    expect([answered, told]).toMatchObject([status, error])
    if (status === 401) expect(answerHeaders.get('www-authenticate')).toBe('Bearer')
    await expect.poll(() => node.holdfast.stats().connections).toBe(0)
  })

  it('with a bad Last-Event-ID is refused, and names it', async () => {
    const [status, error] = await answerOf('/channels/room:1/events', { ...bearer(), 'last-event-id': 'x' })
    expect([status, error]).toMatchObject([400, { field: 'Last-Event-ID' }])
  })

  it('may have its token in the address where the WebSocket may', async () => {
    const stream = await TestEventStream.open(`${base}/channels/room:1/events?token=${node.token('u1')}`)
    streams.push(stream)
    await stream.next('subscribed')
  })

  it('by HEAD opens nothing that stays', async () => {
    const response = await fetch(`${base}/channels/room:1/events`, { method: 'HEAD', headers: bearer() })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    await expect.poll(() => node.holdfast.stats().connections).toBe(0)
  })

  it('over the limit of connections of a user is refused: streams are counted', async () => {
    await node.close()
    node = await startNode({ limits: { connectionsPerUserMax: 1 } })
    base = `http://127.0.0.1:${node.port}/api/v1`
    await follow('room:1')
    const [status, error] = await answerOf('/channels/room:1/events')
    expect([status, error]).toMatchObject([422, { code: 'limit_exceeded', message: 'Connection limit exceeded' }])
  })
})
