import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { systemClock } from '../../clock.js'
import { type ApiAnswer, type ApiClient, apiClient } from '../../testing/api-client.js'
import { interruptedEngine } from '../../testing/interrupted-engine.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let worker: ApiClient
let ada: ApiClient

beforeEach(async () => {
  node = await startNode()
  worker = as('importer', 'operations')
  ada = as('ada')
})

afterEach(() => node.close())

const as = (user: string, ...permissions: string[]): ApiClient => apiClient(node, node.token(user, { permissions }))

async function begin(id: string, spec: object = {}): Promise<void> {
  const { status } = await worker('POST /operations', { body: { id, kind: 'import', owner: 'ada', ...spec } })
  expect(status).toBe(201)
}

const etag = ({ headers }: ApiAnswer): string => headers.get('etag') ?? ''

/** Whether an answer has come before another. */
const isFirst = async (one: Promise<unknown>, other: Promise<unknown>): Promise<boolean> =>
  Promise.race([one.then(() => true), other.then(() => false)])

describe('reading an operation', () => {
  it('is answered without a body while the reader has it', async () => {
    await begin('a')
    const tag = etag(await ada('GET /operations/a'))
    const same = await ada('GET /operations/a', { headers: { 'if-none-match': `"1.99", W/${tag}` } })
    expect([same.status, same.body, etag(same)]).toEqual([304, {}, tag])
    await worker('POST /operations/a/complete')
    const other = await ada('GET /operations/a', { headers: { 'if-none-match': tag } })
    expect([other.status, other.body]).toMatchObject([200, { state: 'completed' }])
  })

  it('waits until it has ended', async () => {
    await begin('a')
    const ended = ada('GET /operations/a?wait=30')
    await ada('GET /operations/a')
    const done = worker('POST /operations/a/complete', { body: { result: 7 } })
    expect(await isFirst(ended, systemWait(10_000))).toBe(true)
    expect((await ended).body).toEqual((await done).body)
  })

  it('waits until it differs from what the reader has', async () => {
    await begin('a')
    const tag = etag(await ada('GET /operations/a'))
    const changed = ada('GET /operations/a?wait=30', { headers: { 'if-none-match': tag } })
    await worker('POST /operations/a/cancel')
    expect((await changed).body).toMatchObject({ state: 'running', cancelRequested: true })
  })

  it('does not wait for what has ended, or differs already', async () => {
    await begin('a')
    const old = await ada('GET /operations/a?wait=30', { headers: { 'if-none-match': '"1.0"' } })
    await worker('POST /operations/a/complete')
    expect([old.status, (await ada('GET /operations/a?wait=30')).status]).toEqual([200, 200])
  })

  it('is answered as it is when the time is over', async () => {
    await begin('a')
    const first = await ada('GET /operations/a')
    const headers = { 'if-none-match': etag(first) }
    const [waited, same] = await Promise.all([
      ada('GET /operations/a?wait=1'),
      ada('GET /operations/a?wait=1', { headers }),
    ])
    expect([waited.status, waited.body, same.status]).toEqual([200, first.body, 304])
  })

  it.each(['0', '61', '-1', '1.5', '', 'soon', '1e1', '%201'])('waits no such time: %j', async (wait) => {
    const { status, body } = await ada(`GET /operations/a?wait=${wait}`)
    expect([status, body]).toMatchObject([400, { error: { code: 'bad_request', field: 'wait' } }])
  })

  it('is answered when the node ends', async () => {
    await begin('a')
    const waiting = ada('GET /operations/a?wait=60')
    await ada('GET /operations/a')
    const closed = node.holdfast.drain()
    expect([200, 503]).toContain((await waiting).status)
    await closed
  })

  it('ends for who was sent away meanwhile', async () => {
    await begin('a')
    const waiting = ada('GET /operations/a?wait=60')
    await ada('GET /operations/a')
    await node.holdfast.tenant('acme').user('ada').revoke()
    expect((await waiting).status).toBe(401)
  })

  it('is not answered to who may not see it any more when it comes', async () => {
    let isAllowed = true
    const own = await startNode({ channels: { 'operation:{id}': { subscribe: () => isAllowed } } })
    onTestFinished(() => own.close())
    const boss = apiClient(own, own.token('boss', { permissions: ['operations'] }))
    await boss('POST /operations', { body: { id: 'a', kind: 'import' } })
    const waiting = apiClient(own, own.token('bob'))('GET /operations/a?wait=10')
    expect(await isFirst(waiting, systemWait(200))).toBe(false)
    isAllowed = false
    await boss('POST /operations/a/complete')
    expect((await waiting).status).toBe(404)
  })

  it('is refused to who waits for too much at once', async () => {
    await begin('a')
    const abort = new AbortController()
    const waiting = Array.from({ length: 32 }, () => ada('GET /operations/a?wait=60', { signal: abort.signal }))
    const settled = Promise.allSettled(waiting)
    await vacant(() => ada('GET /operations/a?wait=1'))
    expect((await as('bob')('GET /operations/a')).status).toBe(404)
    abort.abort()
    await settled
  })

  it('is released by a change on another node', async () => {
    const engine = new MemoryEngine({ clock: systemClock })
    const nodes = [await startNode(shared(engine, 'n1')), await startNode(shared(engine, 'n2'))] as const
    const [one, other] = nodes.map((at) => apiClient(at, at.token('ada', { permissions: ['operations'] }))) as [
      ApiClient,
      ApiClient,
    ]
    await one('POST /operations', { body: { id: 'a', kind: 'import' } })
    const waiting = other('GET /operations/a?wait=30')
    await other('GET /operations/a')
    const { body } = await one('POST /operations/a/complete')
    expect((await waiting).body).toEqual(body)
    await Promise.all(nodes.map((at) => at.close()))
  })
})

describe('a list of operations', () => {
  const ids = ({ body }: ApiAnswer): unknown[] => (body['items'] as { id: string }[]).map(({ id }) => id)

  it('holds what one may see, newest first', async () => {
    await begin('a')
    await begin('b', { owner: 'bob' })
    await begin('c', { owner: 'bob', sharedWith: ['ada'] })
    await begin('d')
    expect(ids(await ada('GET /operations'))).toEqual(['d', 'c', 'a'])
    expect(ids(await as('bob', 'operations.own')('GET /operations'))).toEqual(['c', 'b'])
    expect(ids(await worker('GET /operations'))).toEqual(['d', 'c', 'b', 'a'])
    const foreign = apiClient(node, node.token('ada', { tenant: 'other', permissions: ['operations'] }))
    expect(ids(await foreign('GET /operations'))).toEqual([])
  })

  it('is narrowed by owner, state, kind and parent', async () => {
    await begin('a')
    await begin('b', { owner: 'bob', kind: 'export' })
    await begin('c', { parent: 'a' })
    await worker('POST /operations/c/complete')
    expect(ids(await worker('GET /operations?owner=bob'))).toEqual(['b'])
    expect(ids(await worker('GET /operations?state=completed,failed'))).toEqual(['c'])
    expect(ids(await worker('GET /operations?kind=export'))).toEqual(['b'])
    expect(ids(await worker('GET /operations?parent=a'))).toEqual(['c'])
    expect(ids(await worker('GET /operations?owner=ada&state=running'))).toEqual(['a'])
  })

  it('tells nobody of what is of others', async () => {
    await begin('b', { owner: 'bob' })
    await begin('c', { owner: 'bob', parent: 'b' })
    for (const query of ['owner=bob', 'owner=nobody', 'parent=b', 'parent=nothing', 'kind=import']) {
      const { status, body } = await ada(`GET /operations?${query}`)
      expect([status, body]).toEqual([200, { items: [] }])
    }
  })

  it('comes in pages that stay as they are while others begin', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await begin(id)
    const first = await ada('GET /operations?limit=2')
    await begin('f')
    const second = await ada(`GET /operations?limit=2&cursor=${String(first.body['next'])}`)
    const third = await ada(`GET /operations?limit=2&cursor=${String(second.body['next'])}`)
    expect([first, second, third].map(ids)).toEqual([['e', 'd'], ['c', 'b'], ['a']])
    expect(third.body).not.toHaveProperty('next')
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=2&limit=3', 'limit'],
    ['state=over', 'state'],
    ['state=', 'state'],
    ['parent=a/b', 'parent'],
    ['sort=kind', 'sort'],
  ])('is refused with %s', async (query, field) => {
    const { status, body } = await ada(`GET /operations?${query}`)
    expect([status, body]).toMatchObject([400, { error: { code: 'bad_request', field } }])
  })

  it.each(['x', 'AAAA', '%00', '9'.repeat(513)])('takes no cursor that it has not made: %s', async (cursor) => {
    const { status, body } = await ada(`GET /operations?cursor=${cursor}`)
    expect([status, body]).toMatchObject([400, { error: { code: 'bad_request', field: 'cursor' } }])
  })

  it('takes a cursor of its own pages alone', async () => {
    for (const id of ['a', 'b', 'c']) await begin(id)
    const next = String((await ada('GET /operations?limit=1')).body['next'])
    const bob = apiClient(node, node.token('bob'))
    const foreign = apiClient(node, node.token('ada', { tenant: 'other' }))
    for (const ask of [
      ada(`GET /operations?kind=import&cursor=${next}`),
      ada(`GET /operations?state=running&cursor=${next}`),
      bob(`GET /operations?cursor=${next}`),
      foreign(`GET /operations?cursor=${next}`),
    ])
      expect((await ask).body).toMatchObject({ error: { code: 'bad_request', field: 'cursor' } })
    expect(ids(await ada(`GET /operations?limit=1&cursor=${next}`))).toEqual(['b'])
  })
})

/** Resolves when an answer is 429. */
async function vacant(ask: () => Promise<ApiAnswer>): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const { status, headers } = await ask()
    if (status === 429) return expect(headers.get('retry-after')).toBe('1')
  }
  throw new Error('there was always room')
}

function shared(engine: MemoryEngine, name: string): Parameters<typeof startNode>[0] {
  return { engine: interruptedEngine(engine).engine, node: name }
}

const systemWait = (ms: number): Promise<void> => new Promise((resolve) => systemClock.after(ms, resolve))
