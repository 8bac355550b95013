import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../testing/api-client.js'
import { type TestNode, startNode } from '../testing/test-node.js'

let node: TestNode
let admin: ApiClient
let ada: ApiClient

beforeAll(async () => {
  node = await startNode()
  ada = apiClient(node, node.token('ada'))
  admin = apiClient(
    node,
    node.token('admin', {
      permissions: ['revoke', 'keys', 'operations'],
      grants: { 'room:*': ['publish', 'history'] },
    }),
  )
})

afterAll(() => node.close())

describe('withdrawing', () => {
  it('one token ends its connections, and it is good no more', async () => {
    const claims = { tokenId: 'stolen-1' }
    const client = await node.join('mallory', { claims })
    const thief = apiClient(node, node.token('mallory', claims))
    expect((await thief('GET /channels/room:1/messages')).status).toBe(200)
    expect((await admin('POST /revocations', { body: { token: 'stolen-1', ttl: '1h' } })).status).toBe(204)
    expect(await client.closed).toMatchObject({ code: 1008, reason: 'Token revoked' })
    expect(errorOf(await thief('GET /channels/room:1/messages'))).toEqual([401, 'unauthenticated'])
  })

  it('what a user has leaves that of others', async () => {
    const [gone, stays] = [await node.join('gone'), await node.join('stays')]
    expect((await admin('POST /revocations', { body: { user: 'gone' } })).status).toBe(204)
    expect((await gone.closed).reason).toBe('Token revoked')
    await stays.request({ type: 'ping' })
  })

  it('all leaves those of other tenants, and what was issued later', async () => {
    const boss = apiClient(node, node.token('boss', { tenant: 'closing', permissions: ['revoke'] }))
    const [gone, stays] = [await node.join('a', { claims: { tenant: 'closing' } }), await node.join('a')]
    const body = { all: true, issuedBefore: '2020-01-01T00:00:00Z' }
    expect((await boss('POST /revocations', { body })).status).toBe(204)
    await gone.request({ type: 'ping' })
    expect((await boss('POST /revocations', { body: { all: true } })).status).toBe(204)
    expect((await gone.closed).reason).toBe('Token revoked')
    await stays.request({ type: 'ping' })
    expect(errorOf(await boss('POST /revocations', { body: { all: true } }))).toEqual([401, 'unauthenticated'])
  })

  it.each<[string, unknown, unknown[]]>([
    ['nothing', {}, [400, 'bad_request', 'token']],
    ['two at once', { token: 'a', all: true }, [400, 'bad_request', 'token']],
    ['not all', { all: false }, [400, 'bad_request', 'all']],
    ['a token by time', { token: 'a', issuedBefore: '2020-01-01T00:00:00Z' }, [400, 'bad_request', 'issuedBefore']],
    ['by a time that is none', { all: true, issuedBefore: 'yesterday' }, [400, 'bad_request', 'issuedBefore']],
    ['for a time that is none', { user: 'a', ttl: 'long' }, [400, 'bad_request', 'ttl']],
    ['for longer than can be kept', { user: 'a', ttl: '999999999d' }, [400, 'bad_request', 'ttl']],
    ['a user that has no name', { user: '' }, [400, 'bad_request', 'user']],
  ])('is refused: %s', async (_, body, expected) => {
    expect(errorOf(await admin('POST /revocations', { body }))).toEqual(expected)
  })

  it('takes the permission for it', async () => {
    expect(errorOf(await ada('POST /revocations', { body: { all: true } }))).toEqual([403, 'permission_denied'])
  })
})

describe('an API key over HTTP', () => {
  const spec = { name: 'importer', grants: { 'room:7': ['publish'] }, permissions: ['operations'] }

  it('is made, listed without its secret, and works', async () => {
    const { status, body } = await admin('POST /keys', { body: { ...spec, expiresIn: '1d' } })
    expect([status, Object.keys(body)]).toEqual([201, ['id', 'key']])
    const server = apiClient(node, String(body['key']))
    expect((await server('POST /channels/room:7/messages', { body: { data: 1 } })).status).toBe(201)
    const { body: list } = await admin('GET /keys')
    const listed = (list['items'] as { id: string }[]).find(({ id }) => id === body['id'])
    expect(listed).toEqual({ id: body['id'], ...spec, createdAt: expect.any(String), expiresAt: expect.any(String) })
  })

  it('is rotated: the new secret works at once, and the old one until it is over', async () => {
    const { body: made } = await admin('POST /keys', { body: spec })
    const line = `POST /keys/${String(made['id'])}/rotate`
    const { status, body: next } = await admin(line, { body: { overlap: 0 } })
    expect([status, next['id']]).toEqual([200, made['id']])
    const ask = (key: unknown): Promise<ApiAnswer> =>
      apiClient(node, String(key))('POST /channels/room:7/messages', { body: { data: 1 } })
    expect((await ask(next['key'])).status).toBe(201)
    expect(errorOf(await ask(made['key']))).toEqual([401, 'unauthenticated'])
  })

  it('is revoked, once', async () => {
    const { body } = await admin('POST /keys', { body: spec })
    const id = String(body['id'])
    expect((await admin(`DELETE /keys/${id}`)).status).toBe(204)
    expect(errorOf(await admin(`DELETE /keys/${id}`))).toEqual([404, 'not_found'])
    expect(errorOf(await apiClient(node, String(body['key']))('GET /channels/room:7/messages'))).toEqual([
      401,
      'unauthenticated',
    ])
  })

  it.each<[string, object, string]>([
    ['a permission', { permissions: ['stats'] }, 'permissions'],
    ['a permission of nobody', { permissions: ['everything'] }, 'permissions'],
    ['a verb', { grants: { 'room:7': ['signal'] } }, 'grants'],
    ['a channel', { grants: { 'staff:1': ['publish'] } }, 'grants'],
    ['a wider pattern', { grants: { 'room:**': ['publish'] } }, 'grants'],
  ])('is not made with %s that its maker has not', async (_, more, field) => {
    expect(errorOf(await admin('POST /keys', { body: { ...spec, ...more } }))).toEqual([
      403,
      'permission_denied',
      field,
    ])
  })

  it('that may more is not rotated by whoever may less: the new secret would be theirs', async () => {
    const { keys } = node.holdfast.tenant('acme')
    const strong = await keys.create({ name: 'strong', grants: { 'staff:**': ['publish'] }, permissions: ['stats'] })
    expect(errorOf(await admin(`POST /keys/${strong.id}/rotate`, { body: {} }))).toEqual([
      403,
      'permission_denied',
      'permissions',
    ])
    expect((await keys.list()).find(({ id }) => id === strong.id)).not.toHaveProperty('rotatedAt')
  })

  it('is not lost to an overlap that cannot be', async () => {
    const { body: made } = await admin('POST /keys', { body: spec })
    const line = `POST /keys/${String(made['id'])}/rotate`
    for (const overlap of ['999999999d', '100000000d', 9_007_199_254_740_991])
      expect(errorOf(await admin(line, { body: { overlap } }))).toEqual([400, 'bad_request', 'overlap'])
    const server = apiClient(node, String(made['key']))
    expect((await server('POST /channels/room:7/messages', { body: { data: 1 } })).status).toBe(201)
    expect((await admin('GET /keys?limit=100')).status).toBe(200)
  })

  it('is a credential of its own: it outlives that of its maker, whom the audit trail names', async () => {
    const lines: Record<string, unknown>[] = []
    const keep = (line: object): void => void lines.push(line as Record<string, unknown>)
    const told = await startNode({ log: { debug: keep, info: keep, warn: keep, error: keep } })
    const claims = { tokenId: 'maker', permissions: ['keys', 'revoke'], grants: { 'room:*': ['publish'] } }
    const maker = apiClient(told, told.token('maker', claims))
    const grants = { 'room:*': ['publish'] }
    const { body: made } = await maker('POST /keys', { body: { name: 'importer', grants } })
    const id = String(made['id'])
    const { body: rotated } = await maker(`POST /keys/${id}/rotate`, { body: {} })
    expect((await maker('POST /revocations', { body: { token: 'maker' } })).status).toBe(204)
    expect((await maker('GET /keys?limit=1')).status).toBe(401)
    const server = apiClient(told, String(rotated['key']))
    expect((await server('POST /channels/room:7/messages', { body: { data: 1 } })).status).toBe(201)
    const about = { tenant: 'acme', user: `key:${id}`, by: 'maker', address: '127.0.0.1' }
    const ofKeys = lines.filter(({ event }) => String(event).startsWith('key.'))
    expect(ofKeys).toMatchObject([
      { event: 'key.created', ...about },
      { event: 'key.rotated', ...about },
    ])
    await told.close()
  })

  it('of another tenant is as if it did not exist', async () => {
    const theirs = await node.holdfast.tenant('other').keys.create({ name: 'theirs', grants: {} })
    expect(errorOf(await admin(`POST /keys/${theirs.id}/rotate`, { body: {} }))).toEqual([404, 'not_found'])
    expect(errorOf(await admin(`DELETE /keys/${theirs.id}`))).toEqual([404, 'not_found'])
    expect(errorOf(await admin('DELETE /keys/0123456789abcdef'))).toEqual([404, 'not_found'])
    expect(JSON.stringify((await admin('GET /keys?limit=100')).body)).not.toContain(theirs.id)
  })

  it('is listed page by page, whatever is made meanwhile', async () => {
    const boss = apiClient(node, node.token('boss', { tenant: 'many', permissions: ['keys'] }))
    const make = async (name: string): Promise<unknown> =>
      (await boss('POST /keys', { body: { name, grants: {} } })).body['id']
    const made = [await make('a'), await make('b'), await make('c')]
    const first = await boss('GET /keys?limit=2')
    await make('d')
    const second = await boss(`GET /keys?limit=3&cursor=${String(first.body['next'])}`)
    const ids = [first, second].flatMap(({ body }) => (body['items'] as { id: string }[]).map(({ id }) => id))
    expect(ids).toHaveLength(4)
    expect(ids).toEqual(expect.arrayContaining(made))
    expect(second.body).not.toHaveProperty('next')
  })

  it('that is made again under one Idempotency-Key is the same, and nothing in the store tells it', async () => {
    const headers = { 'idempotency-key': 'make importer' }
    const first = await admin('POST /keys', { body: spec, headers })
    const again = await admin('POST /keys', { body: spec, headers })
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect([again.status, again.body]).toEqual([201, first.body])
    const other = apiClient(
      node,
      node.token('admin', { permissions: ['keys', 'operations'], grants: { 'room:*': ['publish'] } }),
    )
    expect(errorOf(await other('POST /keys', { body: spec, headers }))).toEqual([409, 'idempotency_conflict'])
  })

  it.each<[string, unknown, string]>([
    ['no name', { grants: {} }, 'name'],
    ['grants that are a list', { name: 'a', grants: [] }, 'grants'],
    ['a verb that is none', { name: 'a', grants: { 'room:1': ['own'] } }, 'grants.room:1[0]'],
    ['an end that is none', { name: 'a', grants: {}, expiresIn: 'soon' }, 'expiresIn'],
    ['an end that no date can hold', { name: 'a', grants: {}, expiresIn: '100000000d' }, 'expiresIn'],
    ['an end beyond a century', { name: 'a', grants: {}, expiresIn: 9_007_199_254_740_991 }, 'expiresIn'],
  ])('is not made of %s', async (_, body, field) => {
    expect(errorOf(await admin('POST /keys', { body }))).toEqual([400, 'bad_request', field])
  })

  it('takes the permission for it', async () => {
    for (const line of [
      'GET /keys',
      'POST /keys',
      'POST /keys/0123456789abcdef/rotate',
      'DELETE /keys/0123456789abcdef',
    ])
      expect(errorOf(await ada(line))).toEqual([403, 'permission_denied'])
  })
})
