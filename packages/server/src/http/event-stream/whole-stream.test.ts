import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { systemRandom } from '../../random.js'
import { TestEventStream } from '../../testing/test-event-stream.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let nodes: TestNode[]
let streams: TestEventStream[]

beforeEach(async () => {
  const engine = new MemoryEngine({ clock: systemClock, random: systemRandom })
  const limits = { messageBytesMax: 4_096, outboxBytesMax: 65_536 }
  nodes = await Promise.all(['a', 'b'].map((node) => startNode({ engine, node, limits })))
  streams = []
})

afterEach(async () => {
  for (const stream of streams) stream.leave()
  await Promise.all(nodes.map((node) => node.close()))
})

const addressOf = (at: number): string => `http://127.0.0.1:${nodes[at]?.port}/api/v1`

interface Opened {
  readonly stream: TestEventStream
  readonly id: string
  readonly secret: string
}

async function open(): Promise<Opened> {
  const stream = await TestEventStream.open(`${addressOf(0)}/stream`)
  streams.push(stream)
  const { data } = await stream.next('open')
  return { stream, id: String(data['id']), secret: String(data['secret']) }
}

/** Posts at a node; the status, and the error where there is one. */
async function post(
  { id, secret }: Pick<Opened, 'id' | 'secret'>,
  sequence: number | string,
  body: string,
  { at = 0, more = '' } = {},
): Promise<[number, Record<string, unknown> | undefined]> {
  const response = await fetch(`${addressOf(at)}/stream/${id}?sequence=${sequence}${more}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body,
  })
  const text = await response.text()
  return [response.status, text === '' ? undefined : (JSON.parse(text) as { error: Record<string, unknown> }).error]
}

const TAKEN = [204, undefined]
const hello = (user = 'u1'): string => JSON.stringify({ type: 'hello', token: nodes[0]?.token(user) })

/** The messages of the server of a type, but for those of the inbox. */
const messagesOf = ({ received }: TestEventStream, type: string): Record<string, unknown>[] =>
  received
    .map(({ data }) => data as Record<string, unknown>)
    .filter((data) => data['type'] === type && data['channel'] !== 'user:u1')

describe('the protocol by event stream', () => {
  it('is spoken in posts, each line a frame', async () => {
    const opened = await open()
    const subscribe = '{"type":"subscribe","id":1,"channel":"room:1"}'
    expect(await post(opened, 1, `${hello()}\n${subscribe}`)).toEqual(TAKEN)
    await expect.poll(() => messagesOf(opened.stream, 'subscribed')).toMatchObject([{ id: 1, channel: 'room:1' }])
    expect(messagesOf(opened.stream, 'welcome')).toMatchObject([{ user: 'u1', channels: ['user:u1'] }])
    await nodes[1]?.holdfast.tenant('acme').publish('room:1', 'chat', 1)
    await expect.poll(() => messagesOf(opened.stream, 'message')).toMatchObject([{ event: 'chat', data: 1 }])
  })

  it('is taken by any node', async () => {
    const opened = await open()
    expect(await post(opened, 1, hello(), { at: 1 })).toEqual(TAKEN)
    await expect.poll(() => messagesOf(opened.stream, 'welcome')).toMatchObject([{ node: 'a' }])
    expect(await post(opened, 2, '{"type":"ping","at":1}', { at: 0 })).toEqual(TAKEN)
    expect(await post(opened, 3, '{"type":"ping","at":2}', { at: 1 })).toEqual(TAKEN)
    await expect.poll(() => messagesOf(opened.stream, 'pong')).toMatchObject([{ at: 1 }, { at: 2 }])
  })

  it('is taken once, however often it is posted', async () => {
    const opened = await open()
    await post(opened, 1, hello())
    const publish = '{"type":"publish","id":7,"channel":"room:1","data":1}'
    const answers = await Promise.all([0, 1, 0, 1].map((at) => post(opened, 2, publish, { at })))
    expect(answers).toEqual([TAKEN, TAKEN, TAKEN, TAKEN])
    await expect.poll(() => messagesOf(opened.stream, 'ok')).toMatchObject([{ id: 7, offset: 1 }])
    await post(opened, 3, '{"type":"ping","at":1}')
    await expect.poll(() => messagesOf(opened.stream, 'pong')).toHaveLength(1)
    expect(messagesOf(opened.stream, 'ok')).toHaveLength(1)
  })

  it('ends with a post that is missing: nobody could say what it held', async () => {
    const opened = await open()
    await post(opened, 1, hello())
    expect(await post(opened, 3, '{"type":"ping"}')).toMatchObject([404, { code: 'not_found' }])
    await opened.stream.ended
    expect(await post(opened, 2, '{"type":"ping"}')).toMatchObject([404, { code: 'not_found' }])
  })

  it('ends with the last word of the client, as one that means to go', async () => {
    const [opened, other] = [await open(), await nodes[0]?.join('u2')]
    await post(opened, 1, `${hello()}\n{"type":"subscribe","id":1,"channel":"room:1","presence":true}`)
    await expect.poll(() => messagesOf(opened.stream, 'subscribed')).toHaveLength(1)
    await other?.request({ type: 'subscribe', channel: 'room:1', presence: true })
    expect(await post(opened, 2, '', { at: 1, more: '&last=true' })).toEqual(TAKEN)
    await other?.next('left')
    expect(await opened.stream.ended).toBe(true)
  })

  it('tells code and reason where a WebSocket is closed', async () => {
    const opened = await open()
    await post(opened, 1, '{"type":"hello","token":"a.b.c"}')
    expect((await opened.stream.next('close')).data).toEqual({ code: 1008, reason: 'Invalid authentication token' })
    expect(messagesOf(opened.stream, 'goodbye')).toMatchObject([{ code: 1008 }])
    expect(await opened.stream.ended).toBe(true)
    expect(await post(opened, 2, '')).toMatchObject([404, { code: 'not_found' }])
  })

  it('closes with a frame over the limit as a WebSocket does', async () => {
    const opened = await open()
    await post(opened, 1, hello())
    await post(opened, 2, JSON.stringify({ type: 'publish', channel: 'room:1', data: 'x'.repeat(4_096) }))
    expect((await opened.stream.next('close')).data).toEqual({ code: 1009, reason: 'Message too big' })
  })

  it('gives up a reader that is too slow, who recovers', async () => {
    const opened = await open()
    await post(opened, 1, `${hello()}\n{"type":"subscribe","id":1,"channel":"room:1"}`)
    await expect.poll(() => messagesOf(opened.stream, 'subscribed')).toHaveLength(1)
    opened.stream.pause()
    const data = 'x'.repeat(4_000)
    await expect
      .poll(
        async () => {
          await Promise.all(
            Array.from({ length: 200 }, () => nodes[0]?.holdfast.tenant('acme').publish('room:1', 'chat', data)),
          )
          return nodes[0]?.holdfast.stats().connections
        },
        { timeout: 20_000, interval: 1 },
      )
      .toBe(0)
    expect(await post(opened, 2, '{"type":"ping"}')).toMatchObject([404, { code: 'not_found' }])
  })
})

describe('a post to an event stream', () => {
  it.each<[string, (opened: Opened) => Promise<unknown>, number, object]>([
    ['with a wrong secret', ({ id }) => post({ id, secret: 'x' }, 1, ''), 404, { code: 'not_found' }],
    ['without one', ({ id }) => post({ id, secret: '' }, 1, ''), 404, { code: 'not_found' }],
    ['for another stream', ({ secret }) => post({ id: 'x', secret }, 1, ''), 404, { code: 'not_found' }],
    ['without a number', (opened) => post(opened, '', ''), 400, { code: 'bad_request', field: 'sequence' }],
    ['numbered 0', (opened) => post(opened, 0, ''), 400, { code: 'bad_request', field: 'sequence' }],
    ['that is too large', (opened) => post(opened, 1, 'x'.repeat(70_000)), 413, { code: 'limit_exceeded' }],
  ])('%s is refused', async (_, refused, status, error) => {
    const opened = await open()
    expect(await refused(opened)).toMatchObject([status, error])
    expect(await post(opened, 1, hello())).toEqual(TAKEN)
  })
})
