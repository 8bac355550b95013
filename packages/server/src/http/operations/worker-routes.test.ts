import { operationSnapshot } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { signTokenAt } from '../../access/token.js'
import { type Clock, systemClock } from '../../clock.js'
import { createApiKey } from '../../credentials.js'
import type { Engine } from '../../engine/engine.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { instantTokens } from '../../testing/instant-tokens.js'
import { type ApiAnswer, type ApiClient, apiClient } from '../../testing/api-client.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { TestEventStream } from '../../testing/test-event-stream.js'
import { TEST_SECRET, type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode
let count = 0

/** Whoever works: may report on every operation. */
let worker: ApiClient
/** The owner of most operations here, without a permission. */
let ada: ApiClient
let bob: ApiClient

beforeAll(async () => {
  node = await startNode()
  worker = as('importer', 'operations')
  ada = as('ada')
  bob = as('bob')
})

afterAll(() => node.close())

const as = (user: string, ...permissions: string[]): ApiClient => apiClient(node, node.token(user, { permissions }))

/** An operation of ada that runs. */
async function begun(spec: object = {}): Promise<string> {
  const id = `op-${(count += 1)}`
  const { status } = await worker('POST /operations', { body: { id, kind: 'import', owner: 'ada', ...spec } })
  expect(status).toBe(201)
  return id
}

const error = ({ status, body }: ApiAnswer): readonly unknown[] => {
  const { code, field } = body['error'] as { code: string; field?: string }
  return field === undefined ? [status, code] : [status, code, field]
}

/** An engine that begins the first operation, and cannot say that it has. */
function unluckyEngine(clock: Clock): Engine {
  const engine = faultyEngine(new MemoryEngine({ clock }), async () => undefined)
  const answersLost = new Set(['started'])
  let isAway = false
  const lost = (): Error => Object.assign(new Error('the answer was lost'), { code: 'engine_unavailable' })
  const publish: Engine['publish'] = async (request) => {
    const outcome = await engine.publish(request)
    if (!answersLost.delete(request.event)) return outcome
    isAway = true
    throw lost()
  }
  const state: Engine['state'] = async (stream) => {
    if (!isAway) return engine.state(stream)
    isAway = false
    throw lost()
  }
  return { ...engine, publish, state }
}

describe('beginning an operation', () => {
  it('answers its snapshot, its tag and its address', async () => {
    const spec = { id: 'import-42', kind: 'import', label: 'Nightly', owner: 'ada', total: 12, unit: 'rows' }
    const { status, body, headers } = await worker('POST /operations', {
      body: { ...spec, metadata: { file: 'a.csv' } },
    })
    expect([status, headers.get('etag'), headers.get('location')]).toEqual([
      201,
      '"1.1"',
      '/api/v1/operations/import-42',
    ])
    expect(operationSnapshot.check(body, '')).toBeUndefined()
    expect(body).toMatchObject({ ...without(spec, 'total', 'unit'), tenant: 'acme', state: 'running' })
    expect(body).toMatchObject({ progress: { done: 0, total: 12, unit: 'rows' }, metadata: { file: 'a.csv' } })
  })

  it('belongs to whoever asks, without a word of another', async () => {
    const { body } = await as('carla', 'operations.own')('POST /operations', { body: { kind: 'import' } })
    expect(body).toMatchObject({ owner: 'carla', id: expect.stringMatching(/^import-/) })
  })

  it('takes a permission', async () => {
    expect(error(await ada('POST /operations', { body: { kind: 'import' } }))).toEqual([403, 'permission_denied'])
  })

  it('takes another permission for another', async () => {
    const body = { kind: 'import', owner: 'ada' }
    expect(error(await as('carla', 'operations.own')('POST /operations', { body }))).toEqual([403, 'permission_denied'])
    expect((await worker('POST /operations', { body })).status).toBe(201)
  })

  it('is refused where the id is in use', async () => {
    const id = await begun()
    expect(error(await worker('POST /operations', { body: { id, kind: 'import' } }))[0]).toBe(400)
  })

  it('is refused where the tenant has as many as it may', async () => {
    const small = await startNode({ tenants: { acme: { quotas: { operations: 1 } } } })
    const ask = apiClient(small, small.token('importer', { permissions: ['operations'] }))
    const begin = (id: string): Promise<ApiAnswer> => ask('POST /operations', { body: { id, kind: 'import' } })
    expect((await begin('a')).status).toBe(201)
    expect(error(await begin('b'))).toEqual([422, 'limit_exceeded'])
    await ask('POST /operations/a/complete')
    expect((await begin('b')).status).toBe(201)
    await small.close()
  })

  it('happens once under one key', async () => {
    const asked = { body: { kind: 'once' }, headers: { 'idempotency-key': 'k-1' } }
    const [first, second] = [await worker('POST /operations', asked), await worker('POST /operations', asked)]
    expect([second.status, second.body]).toEqual([201, first.body])
    expect([first, second].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true'])
    expect(['etag', 'location'].map((name) => second.headers.get(name))).toEqual(
      ['etag', 'location'].map((name) => first.headers.get(name)),
    )
  })

  it('happens once under one key although nobody could say that it had', async () => {
    const unlucky = await startNode({ engine: unluckyEngine(systemClock) })
    onTestFinished(() => unlucky.close())
    const client = apiClient(unlucky, unlucky.token('importer', { permissions: ['operations'] }))
    const asked = { body: { kind: 'once' }, headers: { 'idempotency-key': 'k-1' } }
    expect(error(await client('POST /operations', asked))).toEqual([503, 'engine_unavailable'])
    const again = await client('POST /operations', asked)
    expect([again.status, again.headers.get('location')]).toEqual([
      201,
      `/api/v1/operations/${String(again.body['id'])}`,
    ])
    expect((await client('GET /operations')).body['items']).toHaveLength(1)
  })

  it('happens once under one key over midnight too, and again when the key is free', async () => {
    // Five seconds are left of the day.
    let aheadMs = 86_395_000 - (systemClock.now() % 86_400_000)
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
    const late = await startNode({ engine: unluckyEngine(clock), clock, ...instantTokens(clock) })
    onTestFinished(() => late.close())
    const claims = { secret: TEST_SECRET, tenant: 'acme', user: 'importer', permissions: ['operations'] }
    const ask: ApiClient = (...asked) => apiClient(late, signTokenAt(claims, clock.now()))(...asked)
    const asked = { body: { kind: 'once' }, headers: { 'idempotency-key': 'k-1' } }
    expect(error(await ask('POST /operations', asked))).toEqual([503, 'engine_unavailable'])
    aheadMs += 10_000
    const { id } = (await ask('POST /operations', asked)).body
    const { items } = (await ask('GET /operations')).body
    expect(items).toMatchObject([{ id }])
    aheadMs += 86_400_000
    expect((await ask('POST /operations', asked)).body['id']).not.toBe(id)
  })

  it.each<[string, object, string]>([
    ['a kind', {}, 'kind'],
    ['an id with a slash', { kind: 'k', id: 'a/b' }, 'id'],
    ['an id of dots', { kind: 'k', id: '..' }, 'id'],
    ['an id that is too long', { kind: 'k', id: 'x'.repeat(129) }, 'id'],
    ['a kind that is too long', { kind: 'k'.repeat(65) }, 'kind'],
    ['a label that is too long', { kind: 'k', label: 'l'.repeat(257) }, 'label'],
    ['a total below nothing', { kind: 'k', total: -1 }, 'total'],
    ['a total that is text', { kind: 'k', total: '12' }, 'total'],
    ['no phases', { kind: 'k', phases: [] }, 'phases'],
    ['a phase without a name', { kind: 'k', phases: [{ weight: 1 }] }, 'phases[0].name'],
    ['a phase with something else', { kind: 'k', phases: [{ name: 'a', wieght: 1 }] }, 'phases[0].wieght'],
    ['too many others', { kind: 'k', sharedWith: Array.from({ length: 1_001 }, String) }, 'sharedWith'],
    [
      'too much metadata',
      { kind: 'k', metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [at, 1])) },
      'metadata',
    ],
    ['a lease that is none', { kind: 'k', lease: 'soon' }, 'lease'],
    ['a member that nobody knows', { kind: 'k', totl: 12 }, 'totl'],
  ])('names what is wrong: %s', async (_, body, field) => {
    expect(error(await worker('POST /operations', { body }))).toEqual([400, 'bad_request', field])
  })
})

describe('a report', () => {
  it('is answered with what watchers see', async () => {
    const id = await begun({ total: 10 })
    const watcher = await node.join('ada')
    watcher.send({ type: 'subscribe', channel: `operation:${id}` })
    const { status, body } = await worker(`PATCH /operations/${id}`, {
      body: { done: 4, item: 'b.csv', message: 'Reading' },
    })
    expect([status, body]).toMatchObject([200, { state: 'running', progress: { done: 4, total: 10, item: 'b.csv' } }])
    await watcher.nextWhere((message) => JSON.stringify(message).includes('"done":4'), 'the report')
  })

  it('adds to what was done', async () => {
    const id = await begun({ total: 10 })
    await worker(`PATCH /operations/${id}`, { body: { advance: 3 } })
    const { body } = await worker(`PATCH /operations/${id}`, { body: { advance: 4 } })
    expect(body).toMatchObject({ progress: { done: 7, percent: 70 } })
  })

  it.each<[string, object, string]>([
    ['done below nothing', { done: -1 }, 'done'],
    ['more than all of it', { percent: 101 }, 'percent'],
    ['a state that a worker cannot tell', { state: 'completed' }, 'state'],
    ['an attempt before the first', { attempt: 0 }, 'attempt'],
    ['a sequence between two', { sequence: 1.5 }, 'sequence'],
    ['where it was left', { entry: '1-1' }, 'entry'],
  ])('is refused with %s', async (_, body, field) => {
    expect(error(await worker(`PATCH /operations/${await begun()}`, { body }))).toEqual([400, 'bad_request', field])
  })

  it('is refused where the operation is not the one that the worker means', async () => {
    const id = await begun()
    const { headers } = await worker(`GET /operations/${id}`)
    const tag = headers.get('etag') ?? ''
    const refused = await worker(`PATCH /operations/${id}`, { body: { done: 1 }, headers: { 'if-match': '"9.9"' } })
    expect([...error(refused), refused.headers.get('etag')]).toEqual([412, 'precondition_failed', 'If-Match', tag])
    const taken = await worker(`PATCH /operations/${id}`, { body: { done: 1 }, headers: { 'if-match': tag } })
    expect(taken.status).toBe(200)
  })

  it('that means any state is taken of all, and one of an attempt that is over of none', async () => {
    const id = await begun({ total: 100 })
    const report = (tag: string, body: object): Promise<ApiAnswer> =>
      worker(`PATCH /operations/${id}`, { body, headers: { 'if-match': tag } })
    const answers = await Promise.all(Array.from({ length: 4 }, () => report('*', { advance: 1 })))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const taken = await worker(`POST /operations/${id}/attempts`, { body: { force: true } })
    const tag = String(taken.headers.get('etag'))
    expect(error(await report(tag, { attempt: 1, advance: 1 }))).toEqual([409, 'stale_report'])
    expect((await report(`"1.1", ${tag}`, { attempt: 2, advance: 1 })).status).toBe(200)
  })

  it('that means a state is taken of one of those who mean the same, and follows what was answered last', async () => {
    const id = await begun({ total: 100 })
    const report = (tag: string, advance: number): Promise<ApiAnswer> =>
      worker(`PATCH /operations/${id}`, { body: { advance }, headers: { 'if-match': tag } })
    const answers = await Promise.all(Array.from({ length: 8 }, () => report('"1.1"', 1)))
    const count = (wanted: number): number => answers.filter(({ status }) => status === wanted).length
    expect([count(200), count(412)]).toEqual([1, 7])
    const tagOf = ({ headers }: ApiAnswer): string => String(headers.get('etag'))
    let tag = ''
    for (const advance of [1, 2, 3]) tag = tagOf(await worker(`PATCH /operations/${id}`, { body: { advance } }))
    for (const advance of [4, 5]) tag = tagOf(await report(tag, advance))
    expect((await report(tag, 6)).body).toMatchObject({ progress: { done: 22 } })
  })

  it('is refused after the end', async () => {
    const id = await begun()
    await worker(`POST /operations/${id}/complete`)
    expect(error(await worker(`PATCH /operations/${id}`, { body: { done: 1 } }))).toEqual([409, 'already_ended'])
    expect(error(await worker(`POST /operations/${id}/heartbeat`))).toEqual([409, 'already_ended'])
    expect(error(await worker(`POST /operations/${id}/cancel`))).toEqual([409, 'already_ended'])
  })
})

describe('an attempt', () => {
  it('is taken of what waits in a queue', async () => {
    const id = await begun({ queued: true })
    expect((await ada(`GET /operations/${id}`)).body).toMatchObject({ state: 'queued' })
    const { status, body } = await worker(`POST /operations/${id}/attempts`)
    expect([status, body]).toMatchObject([201, { state: 'running', attempt: 1 }])
  })

  it('is not taken from who has it, but by force', async () => {
    const id = await begun()
    expect(error(await worker(`POST /operations/${id}/attempts`))).toEqual([409, 'already_held'])
    const { status, body, headers } = await worker(`POST /operations/${id}/attempts`, { body: { force: true } })
    expect([status, body, headers.get('etag')]).toMatchObject([201, { attempt: 2 }, expect.stringMatching(/^"2\./)])
  })

  it('that is over can say no more', async () => {
    const id = await begun()
    await worker(`POST /operations/${id}/attempts`, { body: { force: true } })
    const stale = { attempt: 1 }
    for (const [line, body] of [
      [`PATCH /operations/${id}`, { ...stale, done: 1 }],
      [`POST /operations/${id}/heartbeat`, stale],
      [`POST /operations/${id}/complete`, stale],
      [`POST /operations/${id}/fail`, { ...stale, error: { message: 'm' } }],
      [`POST /operations/${id}/cancelled`, stale],
    ] as const)
      expect(error(await worker(line, { body }))).toEqual([409, 'stale_report'])
    expect((await worker(`PATCH /operations/${id}`, { body: { attempt: 2, done: 1 } })).status).toBe(200)
  })

  it('takes each report once, by its sequence', async () => {
    const id = await begun({ total: 10 })
    for (const sequence of [1, 2, 2, 1]) await worker(`PATCH /operations/${id}`, { body: { advance: 1, sequence } })
    expect((await worker(`POST /operations/${id}/heartbeat`)).body).toMatchObject({ progress: { done: 2 } })
  })
})

describe('a request that was lost with its node', () => {
  /** A node that forgets what was answered under every key. */
  async function forgetful(): Promise<ApiClient> {
    const engine = faultyEngine(new MemoryEngine({ clock: systemClock }), async () => undefined)
    const get: Engine['records']['get'] = (name) =>
      name.startsWith('http-idempotency:') ? Promise.resolve(undefined) : engine.records.get(name)
    const put: Engine['records']['put'] = (name, value, options) =>
      engine.records.put(name, value, name.startsWith('http-idempotency:') ? { ttlMs: options.ttlMs } : options)
    const unlucky = await startNode({ engine: { ...engine, records: { ...engine.records, get, put } } })
    onTestFinished(() => unlucky.close())
    return apiClient(unlucky, unlucky.token('importer', { permissions: ['operations'] }))
  }

  it('adds what it says once under its key', async () => {
    const client = await forgetful()
    await client('POST /operations', { body: { id: 'a', kind: 'import', total: 10 } })
    const say = (key: string, advance: number): Promise<ApiAnswer> =>
      client('PATCH /operations/a', { body: { advance }, headers: { 'idempotency-key': key } })
    for (const [key, advance, done] of [
      ['k-1', 1, 1],
      ['k-1', 1, 1],
      ['k-2', 2, 3],
      ['k-1', 1, 3],
    ] as const)
      expect(await say(key, advance)).toMatchObject({ status: 200, body: { progress: { done } } })
  })

  it('takes an operation once under its key, or for the worker that it names', async () => {
    const client = await forgetful()
    const take = (id: string, asked: Parameters<ApiClient>[1]): Promise<ApiAnswer> =>
      client(`POST /operations/${id}/attempts`, asked)
    for (const asked of [{ headers: { 'idempotency-key': 'k-1' } }, { body: { worker: 'w1' } }]) {
      const id = `taken-${Object.keys(asked).join('')}`
      await client('POST /operations', { body: { id, kind: 'import', queued: true } })
      for (const turn of [1, 2]) expect([turn, await take(id, asked)]).toMatchObject([turn, { body: { attempt: 1 } }])
      expect(error(await take(id, { body: { worker: 'w2' } }))).toEqual([409, 'already_held'])
    }
  })
})

describe('an operation below another', () => {
  it('has to end before it', async () => {
    const id = await begun()
    const below = await begun({ parent: id })
    expect(error(await worker(`POST /operations/${id}/complete`))).toEqual([409, 'children_running'])
    await worker(`POST /operations/${below}/complete`)
    expect((await worker(`POST /operations/${id}/complete`)).body).toMatchObject({ state: 'completed' })
  })

  it('need not, where that is said', async () => {
    const id = await begun()
    await begun({ parent: id })
    expect((await worker(`POST /operations/${id}/complete`, { body: { regardless: true } })).status).toBe(200)
  })

  it('begins below what the bearer may work on', async () => {
    const id = await begun()
    const own = as('bob', 'operations.own')
    expect(error(await own('POST /operations', { body: { kind: 'k', parent: id } }))).toEqual([404, 'not_found'])
    expect(error(await own('POST /operations', { body: { kind: 'k', parent: 'nothing' } }))).toEqual([404, 'not_found'])
  })
})

describe('an end', () => {
  it('carries a result', async () => {
    const id = await begun({ total: 3 })
    const { status, body } = await worker(`POST /operations/${id}/complete`, { body: { result: { rows: 3 } } })
    expect([status, body]).toMatchObject([200, { state: 'completed', result: { rows: 3 }, progress: { percent: 100 } }])
    expect((await ada(`GET /operations/${id}`)).body).toEqual(body)
  })

  it('carries an error', async () => {
    const id = await begun()
    const told = { code: 'no_file', message: 'a.csv is not there', retryable: true }
    const { body } = await worker(`POST /operations/${id}/fail`, { body: { error: told } })
    expect(body).toMatchObject({ state: 'failed', error: told })
  })

  it('of a failure without a reason is refused', async () => {
    const id = await begun()
    expect(error(await worker(`POST /operations/${id}/fail`, { body: {} }))).toEqual([400, 'bad_request', 'error'])
    const body = { error: { message: 'm', stack: 's' } }
    expect(error(await worker(`POST /operations/${id}/fail`, { body }))).toEqual([400, 'bad_request', 'error.stack'])
  })

  it('answers to a request to stop', async () => {
    const id = await begun()
    const asked = await ada(`POST /operations/${id}/cancel`)
    expect([asked.status, asked.body]).toMatchObject([202, { state: 'running', cancelRequested: true }])
    expect((await worker(`POST /operations/${id}/heartbeat`)).body).toMatchObject({ cancelRequested: true })
    expect((await worker(`POST /operations/${id}/cancelled`)).body).toMatchObject({ state: 'cancelled' })
  })

  it('is one, however many race for it', async () => {
    const id = await begun()
    const ends = await Promise.all([
      worker(`POST /operations/${id}/complete`, { body: { result: 1 } }),
      worker(`POST /operations/${id}/complete`, { body: { result: 2 } }),
      worker(`POST /operations/${id}/fail`, { body: { error: { message: 'no' } } }),
      worker(`POST /operations/${id}/cancelled`),
      ada(`POST /operations/${id}/cancel`),
    ])
    const final = (await ada(`GET /operations/${id}`)).body
    const took = ends.filter(({ status }) => status === 200)
    expect(took.map(({ body }) => body)).toEqual([final])
    const refused = ends.filter(({ status }) => status !== 200 && status !== 202)
    expect(new Set(refused.map((one) => String(error(one))))).toEqual(new Set(['409,already_ended']))
  })

  it('is written down, as the begin is', async () => {
    const lines: Record<string, unknown>[] = []
    const note = (line: object): void => void lines.push(line as Record<string, unknown>)
    const other = await startNode({ log: { debug: note, info: note, warn: note, error: note } })
    const [by, owner] = [other.token('importer', { permissions: ['operations'] }), other.token('ada')]
    await apiClient(other, by)('POST /operations', { body: { id: 'a', kind: 'import', owner: 'ada' } })
    await apiClient(other, owner)('POST /operations/a/cancel')
    await apiClient(other, by)('POST /operations/a/cancelled')
    await apiClient(other, by)('POST /operations/a/cancelled')
    await other.close()
    const told = lines.filter(({ channel }) => channel === 'operation:a')
    expect(told.map(({ event, user, reason }) => [event, user, reason])).toEqual([
      ['operation.started', 'importer', 'running'],
      ['operation.cancelled', 'ada', 'running'],
      ['operation.ended', 'importer', 'cancelled'],
    ])
  })
})

describe('what may be done with an operation', () => {
  /** Every address of one operation, with a body that it takes. */
  const ADDRESSES: [string, object | undefined][] = [
    ['GET /operations/ID', undefined],
    ['PATCH /operations/ID', { done: 1 }],
    ['POST /operations/ID/attempts', {}],
    ['POST /operations/ID/complete', { result: 1 }],
    ['POST /operations/ID/fail', { error: { message: 'm' } }],
    ['POST /operations/ID/cancelled', {}],
    ['POST /operations/ID/cancel', {}],
    ['POST /operations/ID/heartbeat', {}],
  ]
  const at = (address: string, id: string): string => address.replace('ID', id)

  it.each(ADDRESSES)('says the same of what is of another as of nothing: %s', async (address, body) => {
    const id = await begun()
    const foreign = apiClient(node, node.token('ada', { tenant: 'other', permissions: ['operations'] }))
    const answers = [
      await bob(at(address, id), { body }),
      await bob(at(address, 'nothing'), { body }),
      await as('bob', 'operations.own')(at(address, id), { body }),
      await foreign(at(address, id), { body }),
      await ada(at(address, 'nothing'), { body }),
    ]
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([404, answers[1]?.body])
  })

  it.each(ADDRESSES.filter(([address]) => !/^GET|cancel$/.test(address)))(
    'lets an owner watch and no more, without a permission: %s',
    async (address, body) => {
      const id = await begun()
      expect(error(await ada(at(address, id), { body }))).toEqual([403, 'permission_denied'])
      expect((await ada(`GET /operations/${id}`)).body).toMatchObject({ state: 'running', version: 1 })
    },
  )

  it('lets those watch and cancel whom it is shared with', async () => {
    const id = await begun({ sharedWith: ['bob'] })
    expect((await bob(`GET /operations/${id}`)).status).toBe(200)
    expect((await bob(`POST /operations/${id}/cancel`)).status).toBe(202)
    expect(error(await bob(`POST /operations/${id}/complete`))).toEqual([403, 'permission_denied'])
  })

  it('lets an owner work on its own, with the permission for that', async () => {
    const id = await begun()
    const own = as('ada', 'operations.own')
    expect((await own(`PATCH /operations/${id}`, { body: { done: 1 } })).status).toBe(200)
    expect((await own(`POST /operations/${id}/complete`)).status).toBe(200)
  })

  it('is asked by a server with an API key, too', async () => {
    const { id, hash, key } = createApiKey()
    const entry = { id, hash, tenant: 'acme', grants: {}, permissions: ['operations'] }
    const other = await startNode({ auth: { secret: TEST_SECRET, apiKeys: [entry] } })
    const server = apiClient(other, key)
    const begun = await server('POST /operations', { body: { id: 'a', kind: 'import' } })
    expect([begun.status, begun.body]).toMatchObject([201, { owner: `key:${id}` }])
    expect((await server('PATCH /operations/a', { body: { done: 1 } })).status).toBe(200)
    expect((await server('POST /operations/a/complete')).status).toBe(200)
    const events = await TestEventStream.open(`http://${other.host}:${other.port}/api/v1/operations/a/events`, {
      authorization: `Bearer ${key}`,
    })
    await events.next('completed')
    await other.close()
  })

  it.each(['a/b', '..', '%2e%2e', 'a%00b', 'x'.repeat(129), 'ä'])('has nothing at the id %s', async (id) => {
    expect((await worker(`GET /operations/${id}`)).status).toBe(404)
  })

  it('takes a credential', async () => {
    const { status, headers } = await apiClient(node)('GET /operations/any')
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  it('is asked by the methods that an address takes', async () => {
    const { status, headers } = await worker('DELETE /operations/any')
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, PATCH, OPTIONS'])
  })
})

function without(from: object, ...names: string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)))
}
