import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../clock.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../../testing/api-client.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { TEST_CHANNELS, type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let ada: ApiClient
let bob: ApiClient
/** A user of another tenant. */
let eve: ApiClient
let count = 0

beforeAll(async () => {
  node = await startNode({
    channels: {
      ...TEST_CHANNELS,
      'signed:*': { publish: 'member', identity: ['user'], history: { size: 10, ttl: '1h' } },
      'blog:*': { publish: 'nobody' },
    },
    limits: { messageBytesMax: 2_048 },
  })
  ada = apiClient(node, node.token('ada'))
  bob = apiClient(node, node.token('bob'))
  eve = apiClient(node, node.token('ada', { tenant: 'other' }))
})

afterAll(() => node.close())

const room = (): string => `room:${(count += 1)}`

describe('a message over HTTP', () => {
  it('reaches who listens, from its sender, and is stored', async () => {
    const channel = room()
    const listener = await node.join('bob')
    await listener.request({ type: 'subscribe', channel })
    const { status, body } = await ada(`POST /channels/${channel}/messages`, {
      body: { event: 'said', data: { n: 1 } },
    })
    expect([status, body]).toEqual([
      201,
      { epoch: expect.stringMatching(/./), offset: 1, id: expect.stringMatching(/./), duplicate: false },
    ])
    expect(await listener.next('message', { channel })).toMatchObject({
      offset: 1,
      event: 'said',
      data: { n: 1 },
      from: { user: 'ada' },
      id: body['id'],
    })
  })

  it('is called message where it names no event, and has no place on a channel without history', async () => {
    const listener = await node.join('bob')
    await listener.request({ type: 'subscribe', channel: 'live:1' })
    const { body } = await ada('POST /channels/live:1/messages', { body: { data: null } })
    expect(body).toMatchObject({ epoch: '', offset: 0, duplicate: false })
    expect(await listener.next('message', { channel: 'live:1' })).toMatchObject({ event: 'message', data: null })
  })

  it('arrives with its data as it was written, on one line', async () => {
    const channel = room()
    const raw = '{\n  "data": {\n    "big": 12345678901234567890,\r\n    "text": "a\\nb"\n  },\n  "event": "x"\n}'
    expect((await ada(`POST /channels/${channel}/messages`, { body: raw })).status).toBe(201)
    const answer = await fetch(`http://${node.host}:${node.port}/api/v1/channels/${channel}/messages`, {
      headers: { authorization: `Bearer ${node.token('ada')}` },
    })
    expect(await answer.text()).toContain('"data":{"big": 12345678901234567890,"text": "a\\nb"}')
  })

  it('is published once under a key, however it came', async () => {
    const line = `POST /channels/${room()}/messages`
    const first = await ada(line, { body: { data: 1, key: 'k' } })
    expect((await ada(line, { body: { data: 1, key: 'k' } })).body).toEqual({ ...first.body, duplicate: true })
    expect(errorOf(await ada(line, { body: { data: 2, key: 'k' } }))).toEqual([409, 'idempotency_conflict'])
    expect((await bob(line, { body: { data: 2, key: 'k' } })).body).toMatchObject({ duplicate: false })
  })

  it.each<[string, string, unknown, unknown[]]>([
    ['a channel that is none', '/channels/Room/messages', { data: 1 }, [400, 'invalid_channel', 'channel']],
    [
      'a channel with an encoded slash',
      '/channels/room:a%2fb/messages',
      { data: 1 },
      [400, 'invalid_channel', 'channel'],
    ],
    ['a channel that no rule names', '/channels/nowhere:1/messages', { data: 1 }, [403, 'permission_denied']],
    ['a channel of others', '/channels/staff:1/messages', { data: 1 }, [403, 'permission_denied']],
    [
      'a channel where only the application speaks',
      '/channels/user:ada/messages',
      { data: 1 },
      [403, 'permission_denied'],
    ],
    ['a channel where nobody speaks', '/channels/blog:1/messages', { data: 1 }, [403, 'permission_denied']],
    ['the name of another', '/channels/signed:1/messages', { data: { user: 'bob' } }, [403, 'permission_denied']],
    ['no data', '/channels/room:1/messages', {}, [400, 'bad_request', 'data']],
    [
      'a member that nobody knows',
      '/channels/room:1/messages',
      { data: 1, events: 'x' },
      [400, 'bad_request', 'events'],
    ],
    ['an event with a space', '/channels/room:1/messages', { data: 1, event: 'a b' }, [400, 'bad_request', 'event']],
    [
      'an event that is too long',
      '/channels/room:1/messages',
      { data: 1, event: 'a'.repeat(65) },
      [400, 'bad_request', 'event'],
    ],
    ['an event that is no text', '/channels/room:1/messages', { data: 1, event: 1 }, [400, 'bad_request', 'event']],
    ['a key that is empty', '/channels/room:1/messages', { data: 1, key: '' }, [400, 'bad_request', 'key']],
    ['a body that is a list', '/channels/room:1/messages', [], [400, 'bad_request']],
    ['a parameter that nobody knows', '/channels/room:1/messages?key=1', { data: 1 }, [400, 'bad_request', 'key']],
    [
      'data that is too long',
      '/channels/room:1/messages',
      { data: 'x'.repeat(2_047) },
      [422, 'limit_exceeded', 'data'],
    ],
  ])('is refused: %s', async (_, path, body, expected) => {
    expect(errorOf(await ada(`POST ${path}`, { body }))).toEqual(expected)
  })

  it('may be as long as the limit says, to the byte', async () => {
    expect((await ada(`POST /channels/${room()}/messages`, { body: { data: 'x'.repeat(2_046) } })).status).toBe(201)
  })

  it('reaches nobody of another tenant', async () => {
    const channel = room()
    await ada(`POST /channels/${channel}/messages`, { body: { data: 'secret' } })
    expect((await eve(`GET /channels/${channel}/messages`)).body).toMatchObject({ items: [] })
  })

  it('may be sent by an API key as far as its grants go', async () => {
    const { key } = await node.holdfast.tenant('acme').keys.create({ name: 'k', grants: { 'staff:1': ['publish'] } })
    const server = apiClient(node, key)
    expect((await server('POST /channels/staff:1/messages', { body: { data: 1 } })).status).toBe(201)
    expect(errorOf(await server('POST /channels/staff:2/messages', { body: { data: 1 } }))).toEqual([
      403,
      'permission_denied',
    ])
    expect(errorOf(await server('POST /channels/blog:1/messages', { body: { data: 1 } }))).toEqual([
      403,
      'permission_denied',
    ])
    expect(errorOf(await server('GET /channels/staff:1/messages'))).toEqual([403, 'permission_denied'])
  })
})

describe('many messages', () => {
  it('are published or refused each for itself, those of one channel in their order', async () => {
    const [one, two] = [room(), room()]
    const messages = [
      { channel: one, data: 1 },
      { channel: two, data: 2, event: 'said' },
      { channel: 'nowhere:1', data: 3 },
      { channel: one, data: 4, key: 'k' },
      { channel: 'no channel', data: 5 },
      { channel: 'signed:1', data: { user: 'bob' } },
      { channel: one, data: 6, key: 'k' },
    ]
    const { status, body } = await ada('POST /publish', { body: { messages } })
    const refused = (code: string): object => ({ error: expect.objectContaining({ code }) as object })
    expect(status).toBe(200)
    expect(body['results']).toMatchObject([
      { offset: 1 },
      { offset: 1 },
      refused('permission_denied'),
      { offset: 2 },
      refused('invalid_channel'),
      refused('permission_denied'),
      refused('idempotency_conflict'),
    ])
    const { body: history } = await ada(`GET /channels/${one}/messages`)
    expect(history['items']).toMatchObject([{ data: 1 }, { data: 4 }])
  })

  it('are published once under one Idempotency-Key', async () => {
    const [channel, headers] = [room(), { 'idempotency-key': 'batch 1' }]
    const body = { messages: [1, 2, 3].map((data) => ({ channel, data })) }
    const first = await ada('POST /publish', { body, headers })
    const again = await ada('POST /publish', { body, headers })
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect((await ada(`GET /channels/${channel}/messages`)).body['items']).toHaveLength(3)
  })

  it('of which some may succeed later are not over: the same request publishes what is missing', async () => {
    const refused = new Set([2, 3])
    let published = 0
    const engine = faultyEngine(new MemoryEngine({ clock: systemClock }), async (method) => {
      if (method === 'publish' && refused.has((published += 1)))
        throw Object.assign(new Error('away'), { code: 'engine_unavailable' })
    })
    const unlucky = await startNode({ engine })
    onTestFinished(() => unlucky.close())
    const client = apiClient(unlucky, unlucky.token('ada'))
    const question = {
      body: { messages: [1, 2, 3, 4].map((data) => ({ channel: 'room:1', data })) },
      headers: { 'idempotency-key': 'batch 2' },
    }
    const ask = (): Promise<ApiAnswer> => client('POST /publish', question)
    const away = { error: expect.objectContaining({ code: 'engine_unavailable', retryAfter: 1_000 }) as object }
    expect((await ask()).body['results']).toMatchObject([{ offset: 1 }, away, away, { offset: 2 }])
    const all = [{ offset: 1 }, { offset: 3 }, { offset: 4 }, { offset: 2 }]
    const second = await ask()
    expect([second.headers.has('idempotent-replayed'), second.body['results']]).toMatchObject([false, all])
    const third = await ask()
    expect([third.headers.get('idempotent-replayed'), third.body]).toEqual(['true', second.body])
  })

  it.each<[string, unknown, unknown[]]>([
    ['none', { messages: [] }, [400, 'bad_request', 'messages']],
    [
      'more than a hundred',
      { messages: Array.from({ length: 101 }, () => ({ channel: 'room:1', data: 1 })) },
      [400, 'bad_request', 'messages'],
    ],
    [
      'one without data',
      { messages: [{ channel: 'room:1', data: 1 }, { channel: 'room:1' }] },
      [400, 'bad_request', 'messages[1].data'],
    ],
    [
      'one with a member that nobody knows',
      { messages: [{ channel: 'room:1', data: 1, to: 'x' }] },
      [400, 'bad_request', 'messages[0].to'],
    ],
    [
      'one with a member twice',
      '{"messages": [{"channel": "room:1", "data": 1, "data": 2}]}',
      [400, 'bad_request', 'messages[0].data'],
    ],
  ])('are refused: %s', async (_, body, expected) => {
    expect(errorOf(await ada('POST /publish', { body }))).toEqual(expected)
  })
})

describe('a signal over HTTP', () => {
  it('reaches who listens, and is not stored', async () => {
    const channel = room()
    const listener = await node.join('bob')
    await listener.request({ type: 'subscribe', channel })
    expect(
      (await ada(`POST /channels/${channel}/signals`, { body: { event: 'typing', data: { on: true } } })).status,
    ).toBe(202)
    expect(await listener.next('signal', { channel })).toMatchObject({
      event: 'typing',
      data: { on: true },
      from: { user: 'ada' },
    })
    expect((await ada(`GET /channels/${channel}/messages`)).body).toMatchObject({ items: [] })
  })

  it('names its event, and may carry nothing', async () => {
    expect((await ada('POST /channels/room:1/signals', { body: { event: 'ping' } })).status).toBe(202)
    expect(errorOf(await ada('POST /channels/room:1/signals', { body: { data: 1 } }))).toEqual([
      400,
      'bad_request',
      'event',
    ])
    expect(errorOf(await ada('POST /channels/staff:1/signals', { body: { event: 'x' } }))).toEqual([
      403,
      'permission_denied',
    ])
  })
})

describe('history over HTTP', () => {
  const filled = async (): Promise<string> => {
    const channel = room()
    for (let n = 1; n <= 7; n += 1) await ada(`POST /channels/${channel}/messages`, { body: { data: n } })
    return channel
  }

  const dataOf = ({ body }: ApiAnswer): unknown[] => (body['items'] as { data: unknown }[]).map(({ data }) => data)

  it('gives the newest, and then what was before them, page by page', async () => {
    const channel = await filled()
    const first = await bob(`GET /channels/${channel}/messages?limit=3`)
    expect(dataOf(first)).toEqual([5, 6, 7])
    expect(first.body['items']).toMatchObject([{ offset: 5, event: 'message', from: { user: 'ada' } }, {}, {}])
    await ada(`POST /channels/${channel}/messages`, { body: { data: 8 } })
    const second = await bob(`GET /channels/${channel}/messages?limit=3&before=${String(first.body['next'])}`)
    expect(dataOf(second)).toEqual([2, 3, 4])
    const third = await bob(`GET /channels/${channel}/messages?limit=3&before=${String(second.body['next'])}`)
    expect([dataOf(third), third.body['next']]).toEqual([[1], undefined])
  })

  it('gives what came after a position, the oldest first', async () => {
    const channel = await filled()
    const { body } = await bob(`GET /channels/${channel}/messages?limit=1`)
    const first = await bob(`GET /channels/${channel}/messages?limit=4&since=${String(body['epoch'])}.0`)
    expect(dataOf(first)).toEqual([1, 2, 3, 4])
    const second = await bob(`GET /channels/${channel}/messages?limit=4&since=${String(first.body['next'])}`)
    expect([dataOf(second), second.body['next']]).toEqual([[5, 6, 7], undefined])
  })

  it('gives nothing for a position in an epoch that is gone, and the epoch in force', async () => {
    const channel = await filled()
    const { body } = await bob(`GET /channels/${channel}/messages?since=gone.3`)
    expect(body).toMatchObject({ items: [], epoch: expect.not.stringMatching('gone') as string })
  })

  it.each<[string, string, unknown[]]>([
    ['both directions', 'room:1/messages?since=a.1&before=a.2', [400, 'bad_request', 'before']],
    ['a position that is none', 'room:1/messages?since=a', [400, 'bad_request', 'since']],
    ['no messages', 'room:1/messages?limit=0', [400, 'bad_request', 'limit']],
    ['too many messages', 'room:1/messages?limit=1001', [400, 'bad_request', 'limit']],
    ['a limit that is no number', 'room:1/messages?limit=0x5', [400, 'bad_request', 'limit']],
    ['a limit twice', 'room:1/messages?limit=1&limit=2', [400, 'bad_request', 'limit']],
    ['a channel that keeps nothing', 'live:1/messages', [403, 'permission_denied']],
    ['a channel of others', 'staff:1/messages', [403, 'permission_denied']],
    ['the inbox of another', 'user:bob/messages', [403, 'permission_denied']],
  ])('is refused: %s', async (_, path, expected) => {
    expect(errorOf(await ada(`GET /channels/${path}`))).toEqual(expected)
  })
})
