import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { type InterruptedEngine, interruptedEngine } from '../../testing/interrupted-engine.js'
import type { Received, TestClient } from '../../testing/test-client.js'
import { TEST_CHANNELS, type TestNode, startNode } from '../../testing/test-node.js'

const CHANNELS = {
  'news:*': { publish: 'member', signal: 'member', whenDegraded: 'local', history: { size: 100, ttl: '1h' } },
  'bare:*': { publish: 'member', whenDegraded: 'local' },
  ...TEST_CHANNELS,
} as const

/** Two nodes that share an engine; the link of the first can be cut. */
let link: InterruptedEngine
let cutOff: TestNode
let other: TestNode
let ada: TestClient
let bob: TestClient

beforeEach(async () => {
  const engine = new MemoryEngine()
  link = interruptedEngine(engine)
  cutOff = await startNode({ engine: link.engine, channels: CHANNELS, limits: { spoolMessagesMax: 5 } })
  other = await startNode({ engine, channels: CHANNELS })
  ada = await cutOff.join('ada')
  bob = await other.join('bob')
})

afterEach(async () => {
  link.heal()
  await cutOff.close()
  await other.close()
})

const subscribe = async (channel: string): Promise<void> => {
  await ada.request({ type: 'subscribe', channel })
  await bob.request({ type: 'subscribe', channel })
}

const publish = (client: TestClient, channel: string, data: unknown, more: object = {}): Promise<Received> =>
  client.request({ type: 'publish', channel, data, ...more })

const heard = ({ received }: TestClient): unknown[][] =>
  received.filter(({ type }) => type === 'message').map(({ offset, data, id }) => [offset, data, id])

describe('a node whose engine is away', () => {
  it('keeps its connections, tells them, and tells them when it is back', async () => {
    link.cut()
    expect(await ada.next('notice')).toMatchObject({ code: 'degraded' })
    expect(await ada.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
    link.heal()
    expect(await ada.next('notice')).toMatchObject({ code: 'recovered' })
    expect(bob.received.filter(({ type }) => type === 'notice')).toEqual([])
  })

  it('refuses what it cannot store, and says that it may be tried again', async () => {
    await subscribe('room:1')
    link.cut()
    expect(await publish(ada, 'room:1', 1)).toMatchObject({
      type: 'error',
      code: 'engine_unavailable',
      retryable: true,
      retryAfter: expect.any(Number) as number,
    })
    expect(await ada.request({ type: 'subscribe', channel: 'room:2' })).toMatchObject({
      code: 'engine_unavailable',
      retryable: true,
    })
    link.heal()
    await ada.nextWhere(({ code }) => code === 'recovered', 'recovered')
    expect(await publish(ada, 'room:1', 2)).toMatchObject({ type: 'ok', offset: 1 })
  })

  it('is not ready, and says why', async () => {
    link.cut()
    const response = await cutOff.holdfast.fetch(new Request('http://localhost/health/ready'))
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining('the link is cut') as string,
    ])
  })

  it('brings its subscribers up to the log before it says that all is well', async () => {
    await subscribe('room:1')
    await publish(bob, 'room:1', 1)
    await ada.next('message')
    link.cut()
    for (let n = 2; n <= 5; n += 1) await publish(bob, 'room:1', n)
    link.heal()
    await ada.nextWhere(({ code }) => code === 'recovered', 'recovered')
    expect(heard(ada).map(([offset]) => offset)).toEqual([1, 2, 3, 4, 5])
    expect(ada.received.filter(({ type }) => type === 'gap')).toEqual([])
  })
})

describe('a channel that is local while the engine is away', () => {
  it('reaches this node at once without an offset, and everyone under the same id when the engine is back', async () => {
    await subscribe('news:1')
    link.cut()
    const answers = [await publish(ada, 'news:1', 1), await publish(ada, 'news:1', 2)]
    expect(answers).toMatchObject([{ type: 'ok', duplicate: false }, { type: 'ok' }])
    await ada.next('message', { data: 2 })
    const ids = answers.map(({ messageId }) => messageId)
    expect(heard(ada)).toEqual(ids.map((id, index) => [undefined, index + 1, id]))
    expect(heard(bob)).toEqual([])
    link.heal()
    await ada.nextWhere(({ code }) => code === 'recovered', 'recovered')
    await bob.next('message', { data: 2 })
    expect(heard(bob)).toEqual(ids.map((id, index) => [index + 1, index + 1, id]))
    expect(heard(ada).slice(2)).toEqual(heard(bob))
  })

  it('takes a key once, though it was used on two nodes', async () => {
    await subscribe('news:1')
    link.cut()
    const first = await publish(ada, 'news:1', 1, { key: 'k' })
    expect(await publish(ada, 'news:1', 1, { key: 'k' })).toMatchObject({
      duplicate: true,
      messageId: first['messageId'],
    })
    expect(await publish(ada, 'news:1', 2, { key: 'k' })).toMatchObject({ code: 'idempotency_conflict' })
    const elsewhere = await other.join('ada')
    expect(await publish(elsewhere, 'news:1', 1, { key: 'k' })).toMatchObject({
      duplicate: false,
      messageId: first['messageId'],
    })
    link.heal()
    await ada.nextWhere(({ code }) => code === 'recovered', 'recovered')
    expect(heard(bob).map(([offset]) => offset)).toEqual([1])
  })

  it('holds so much and no more', async () => {
    link.cut()
    for (let n = 0; n < 5; n += 1) expect(await publish(ada, 'news:1', n)).toMatchObject({ type: 'ok' })
    expect(await publish(ada, 'news:1', 6)).toMatchObject({ code: 'engine_unavailable', retryable: true })
  })

  it('works for the application, for signals, and for channels that keep nothing', async () => {
    await subscribe('news:1')
    await subscribe('bare:1')
    link.cut()
    const { id } = await cutOff.holdfast.tenant('acme').publish('bare:1', 'e', 'hello')
    expect(await ada.next('message', { channel: 'bare:1' })).toMatchObject({ id, data: 'hello' })
    await cutOff.holdfast.tenant('acme').signal('news:1', 'typing', true)
    expect(await ada.next('signal')).toMatchObject({ event: 'typing' })
    link.heal()
    expect(await bob.next('message', { channel: 'bare:1' })).toMatchObject({ id })
  })
})
