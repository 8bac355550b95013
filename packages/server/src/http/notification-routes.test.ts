import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiClient, apiClient } from '../testing/api-client.js'
import { type TestNode, startNode } from '../testing/test-node.js'

let node: TestNode
let mailer: ApiClient

beforeAll(async () => {
  node = await startNode()
  mailer = apiClient(node, node.token('mailer', { permissions: ['notify'] }))
})

afterAll(() => node.close())

const body = { title: 'Your export is ready', receipt: true }

describe('a notification over HTTP', () => {
  it('reaches the devices of the user and is answered with its receipt and the address of that', async () => {
    const ada = await node.join('ada')
    const {
      status,
      body: sent,
      headers,
    } = await mailer('POST /users/ada/notifications', { body: { id: 'a-1', ...body } })
    expect(status).toBe(201)
    expect(sent).toMatchObject({ offset: 1, duplicate: false, receipt: { id: 'a-1', state: 'sent', user: 'ada' } })
    expect(headers.get('location')).toBe('/api/v1/notifications/a-1')
    const { data } = await ada.next('message', { channel: 'user:ada' })
    expect(data).toEqual({ id: 'a-1', title: body.title, body: '', priority: 'normal', metadata: {}, receipt: true })
    const wait = mailer('GET /notifications/a-1?wait=30')
    await ada.request({ type: 'ack', channel: 'user:ada', offset: 1 })
    expect(await wait).toMatchObject({ status: 200, body: { state: 'confirmed', attempts: 1 } })
  })

  it('needs no receipt', async () => {
    const { status, body: sent } = await mailer('POST /users/eve/notifications', { body: { title: 'Hello' } })
    expect([status, sent['receipt']]).toEqual([201, undefined])
  })

  it('is the same when it is sent again under one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'nightly 7' }
    const [first, again] = [
      await mailer('POST /users/bob/notifications', { body, headers }),
      await mailer('POST /users/bob/notifications', { body, headers }),
    ]
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
  })

  it('of another sender is another, though it has the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'job 1' }
    const other = apiClient(node, node.token('reporter', { permissions: ['notify'] }))
    const sent = [
      await mailer('POST /users/ida/notifications', { body, headers }),
      await other('POST /users/ida/notifications', { body, headers }),
      await other('POST /users/ida/notifications', {
        body: { ...body, title: 'Mine' },
        headers: { 'idempotency-key': 'job 2' },
      }),
    ]
    expect(sent.map(({ status, body: { duplicate, offset } }) => [status, duplicate, offset])).toEqual([
      [201, false, 1],
      [201, false, 2],
      [201, false, 3],
    ])
  })

  it.each(['%00', encodeURIComponent('😀'.repeat(60))])('goes to nobody who has no name: %s', async (name) => {
    expect((await mailer(`POST /users/${name}/notifications`, { body })).status).toBe(404)
  })

  it('is refused with other content under one id', async () => {
    await mailer('POST /users/bob/notifications', { body: { id: 'b-1', ...body } })
    const other = await mailer('POST /users/bob/notifications', { body: { id: 'b-1', ...body, title: 'Other' } })
    expect([other.status, other.body['error']]).toMatchObject([409, { code: 'idempotency_conflict' }])
  })

  it.each([
    [{ titel: 'x' }, 'titel'],
    [{ ...body, priority: 'urgent' }, 'priority'],
    [{ ...body, id: 'with a space' }, 'id'],
    [{ ...body, ttl: 'soon' }, 'ttl'],
    [{ receipt: true }, 'title'],
  ])('%j is refused', async (wrong, field) => {
    const answer = await mailer('POST /users/ada/notifications', { body: wrong })
    expect([answer.status, answer.body['error']]).toMatchObject([400, { code: 'bad_request', field }])
  })

  it('takes a permission', async () => {
    const ada = apiClient(node, node.token('ada'))
    expect((await ada('POST /users/ada/notifications', { body })).status).toBe(403)
    expect((await ada('GET /notifications/a-1')).status).toBe(403)
    expect((await apiClient(node)('GET /notifications/a-1')).status).toBe(401)
  })

  it('has a receipt for its tenant alone', async () => {
    const other = apiClient(node, node.token('mailer', { tenant: 'other', permissions: ['notify'] }))
    const [unknown, foreign] = [await mailer('GET /notifications/none'), await other('GET /notifications/a-1')]
    expect([unknown.status, foreign.status]).toEqual([404, 404])
    expect(foreign.body).toEqual(unknown.body)
  })

  it('may be waited for until the time is over', async () => {
    await mailer('POST /users/zoe/notifications', { body: { id: 'z-1', ...body } })
    const before = performance.now()
    expect(await mailer('GET /notifications/z-1?wait=1')).toMatchObject({ status: 200, body: { state: 'sent' } })
    expect(performance.now() - before).toBeGreaterThanOrEqual(950)
    expect((await mailer('GET /notifications/z-1?wait=61')).status).toBe(400)
  })
})
