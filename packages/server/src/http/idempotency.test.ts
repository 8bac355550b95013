import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { SimulatedClock } from '../simulated-clock.js'
import { systemClock } from '../clock.js'
import { faultyEngine } from '../testing/faulty-engine.js'
import { interruptedEngine } from '../testing/interrupted-engine.js'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../testing/api-client.js'
import { type TestNode, startNode } from '../testing/test-node.js'
import { Idempotency } from './idempotency.js'
import type { Call } from './route.js'

describe('an Idempotency-Key', () => {
  let node: TestNode
  let ada: ApiClient
  let count = 0

  beforeAll(async () => {
    node = await startNode()
    ada = apiClient(node, node.token('ada'))
  })

  afterAll(() => node.close())

  const room = (): string => `room:${(count += 1)}`
  const publish = (channel: string, key: string, data: unknown = 1, client: ApiClient = ada): Promise<ApiAnswer> =>
    client(`POST /channels/${channel}/messages`, { body: { data }, headers: { 'idempotency-key': key } })

  it('has a request answered as before, without doing it again', async () => {
    const channel = room()
    const first = await publish(channel, 'a key')
    const again = await publish(channel, 'a key')
    expect([again.status, again.body]).toEqual([201, first.body])
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true'])
    expect(again.headers.get('content-type')).toContain('application/json')
    expect((await ada(`GET /channels/${channel}/messages`)).body['items']).toHaveLength(1)
  })

  it('is one of its user: another of the same name, or of another tenant, has its own', async () => {
    const channel = room()
    await publish(channel, 'shared')
    for (const claims of [{ user: 'bob' }, { user: 'ada', tenant: 'other' }]) {
      const client = apiClient(node, node.token(claims.user, claims))
      const { status, headers } = await publish(channel, 'shared', 1, client)
      expect([status, headers.get('idempotent-replayed')]).toEqual([201, null])
    }
  })

  it('of another request is refused: another body, another address', async () => {
    const channel = room()
    await publish(channel, 'once')
    expect(errorOf(await publish(channel, 'once', 2))).toEqual([409, 'idempotency_conflict'])
    expect(errorOf(await publish(room(), 'once'))).toEqual([409, 'idempotency_conflict'])
    const signal = { body: { event: 'x' }, headers: { 'idempotency-key': 'once' } }
    expect(errorOf(await ada(`POST /channels/${channel}/signals`, signal))).toEqual([409, 'idempotency_conflict'])
  })

  it('has requests that come at once done once', async () => {
    const channel = room()
    const answers = await Promise.all(Array.from({ length: 8 }, () => publish(channel, 'all at once')))
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.has('idempotent-replayed'))).toHaveLength(7)
    expect((await ada(`GET /channels/${channel}/messages`)).body['items']).toHaveLength(1)
  })

  it('of a request that was refused is free: nothing was done', async () => {
    const headers = { 'idempotency-key': 'second try' }
    const line = 'POST /channels/staff:1/messages'
    expect(errorOf(await ada(line, { body: { data: 1 }, headers }))).toEqual([403, 'permission_denied'])
    const staff = apiClient(node, node.token('ada', { roles: ['staff'] }))
    expect((await staff(line, { body: { data: 1 }, headers })).status).toBe(201)
  })

  it.each<[string, string]>([
    ['an empty one', ''],
    ['one that is too long', 'k'.repeat(256)],
    ['one that is not ASCII', 'ü'],
    ['one with a control character', 'a\u0001b'],
  ])('is refused: %s', async (_, key) => {
    const sent = publish(room(), key).then(errorOf, () => 'not sent')
    expect([[400, 'bad_request', 'Idempotency-Key'], 'not sent']).toContainEqual(await sent)
  })

  it('of 255 characters is taken', async () => {
    expect((await publish(room(), 'k'.repeat(255))).status).toBe(201)
  })
})

describe('a key that comes to two nodes at once', () => {
  it('has the request done on one of them, for every kind of thing that is made', async () => {
    const engine = new MemoryEngine({ clock: systemClock })
    const start = (name: string): Promise<TestNode> =>
      startNode({ engine: interruptedEngine(engine).engine, node: name })
    const nodes = [await start('one'), await start('two')]
    onTestFinished(() => Promise.all(nodes.map((one) => one.close())).then(() => undefined))
    const permissions = ['operations', 'notify', 'keys']
    const clients = nodes.map((one) => apiClient(one, one.token('ada', { permissions })))
    for (const [line, body] of [
      ['POST /channels/room:1/messages', { data: 1 }],
      ['POST /operations', { kind: 'import' }],
      ['POST /users/bob/notifications', { title: 'Hello', receipt: true }],
      ['POST /keys', { name: 'a', grants: {} }],
    ] as const) {
      const headers = { 'idempotency-key': `${line} once` }
      const answers = await Promise.all([...clients, ...clients].map((client) => client(line, { body, headers })))
      expect(new Set(answers.map(({ status, body: told }) => JSON.stringify([status, told])))).toHaveProperty('size', 1)
      expect(answers.filter(({ headers: told }) => told.has('idempotent-replayed'))).toHaveLength(3)
    }
    const [one] = nodes
    expect(await one?.holdfast.tenant('acme').keys.list()).toHaveLength(1)
    expect((await clients[0]?.('GET /operations'))?.body['items']).toHaveLength(1)
  })
})

describe('what was answered under a key', () => {
  it('is known to a node that starts again on the same disk', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-idempotency-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const ask = async (): Promise<ApiAnswer> => {
      const node = await startNode({ engine: { disk: dir } })
      const body = { data: 1 }
      const headers = { 'idempotency-key': 'before and after' }
      const answer = await apiClient(node, node.token('ada'))('POST /channels/room:1/messages', { body, headers })
      await node.close()
      return answer
    }
    const first = await ask()
    const again = await ask()
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
  })
})

describe('a key in simulated time', () => {
  const setup = (): { clock: SimulatedClock; engine: MemoryEngine; idempotency: Idempotency } => {
    const clock = new SimulatedClock()
    const engine = new MemoryEngine({ clock })
    return { clock, engine, idempotency: new Idempotency({ clock, engine }) }
  }

  const call = {
    idempotencyKey: 'k',
    bearer: { identity: { tenant: 'acme', user: 'ada' } },
    signal: new AbortController().signal,
  } as unknown as Call
  const attempt = { about: 'POST /x', body: '{}' }
  const answer = async (): Promise<Response> => Response.json({ done: true }, { status: 201 })
  const never = (): Promise<Response> => new Promise(() => undefined)

  it('is held by its node for as long as the request takes, and free 15 seconds after that node died', async () => {
    const { clock, engine, idempotency } = setup()
    const dead = new SimulatedClock()
    void new Idempotency({ clock: dead, engine }).once(call, attempt, never)
    await clock.pass(0)
    const second = idempotency.once(call, attempt, answer)
    const outcome = second.then(
      ({ status }) => status,
      (refused: { code: string }) => refused.code,
    )
    await clock.pass(11_000, 100)
    expect(await outcome).toBe('already_held')
    await clock.pass(5_000, 100)
    expect((await idempotency.once(call, attempt, answer)).status).toBe(201)
  })

  it('is not lost by a node that lives, however long the request takes', async () => {
    const { clock, idempotency } = setup()
    let finish = (_: Response): void => undefined
    const first = idempotency.once(call, attempt, () => new Promise((resolve) => (finish = resolve)))
    await clock.pass(60_000, 1_000)
    const second = idempotency.once(call, attempt, never)
    await clock.pass(1_000, 100)
    finish(Response.json({ done: true }, { status: 201 }))
    await clock.pass(1_000, 100)
    expect((await first).status).toBe(201)
    expect((await second).headers.get('idempotent-replayed')).toBe('true')
  })

  it('is kept for a day', async () => {
    const { clock, idempotency } = setup()
    await idempotency.once(call, attempt, answer)
    await clock.pass(86_399_000, 3_600_000)
    expect((await idempotency.once(call, attempt, never)).headers.get('idempotent-replayed')).toBe('true')
    await clock.pass(2_000)
    expect((await idempotency.once(call, attempt, answer)).headers.has('idempotent-replayed')).toBe(false)
  })

  it('is kept for five minutes where one user has used ten thousand in a day', async () => {
    const { clock, idempotency } = setup()
    for (let n = 0; n <= 10_000; n += 1)
      await idempotency.once({ ...call, idempotencyKey: `k${n}` } as Call, attempt, answer)
    const isKnown = async (n: number): Promise<boolean> => {
      const replayed = await idempotency.once({ ...call, idempotencyKey: `k${n}` } as Call, attempt, answer)
      return replayed.headers.has('idempotent-replayed')
    }
    await clock.pass(299_000, 60_000)
    expect(await isKnown(10_000)).toBe(true)
    await clock.pass(2_000)
    expect([await isKnown(9_999), await isKnown(10_000)]).toEqual([true, false])
  })

  it('of an answer that cannot be kept costs the answer nothing', async () => {
    const { clock, engine } = setup()
    const broken = faultyEngine(engine, async (method) => {
      if (method === 'registers.put') throw Object.assign(new Error('away'), { code: 'engine_unavailable' })
    })
    const idempotency = new Idempotency({ clock, engine: broken })
    expect((await idempotency.once(call, attempt, answer)).status).toBe(201)
  })
})
