import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../testing/api-client.js'
import { type TestNode, startNode } from '../testing/test-node.js'

let one: TestNode
let other: TestNode
let admin: ApiClient
let ada: ApiClient
let stranger: ApiClient

beforeAll(async () => {
  const engine = new MemoryEngine()
  one = await startNode({ engine, node: 'one' })
  other = await startNode({ engine, node: 'other' })
  ada = apiClient(one, one.token('ada'))
  admin = apiClient(one, one.token('admin', { permissions: ['connections'] }))
  stranger = apiClient(one, one.token('admin', { tenant: 'other', permissions: ['connections'] }))
})

afterAll(async () => {
  await one.close()
  await other.close()
})

interface Item {
  readonly id: string
  readonly user: string
}

const itemsOf = ({ body }: ApiAnswer): Item[] => body['items'] as Item[]

describe('a list of connections', () => {
  it('names those of all nodes, and none of another tenant', async () => {
    const client = await one.join('list-1')
    await client.request({ type: 'subscribe', channel: 'room:1' })
    await other.join('list-2')
    await other.join('list-3', { claims: { tenant: 'other' } })
    const listed = itemsOf(await admin('GET /connections')).filter(({ user }) => user.startsWith('list-'))
    expect(listed).toHaveLength(2)
    expect(listed).toEqual(
      expect.arrayContaining([
        {
          id: client.received.find(({ type }) => type === 'welcome')?.['connection'],
          user: 'list-1',
          address: '127.0.0.1',
          node: 'one',
          openedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          // Its inbox is one of them.
          channels: 2,
        },
        expect.objectContaining({ user: 'list-2', node: 'other' }),
      ]),
    )
  })

  it('goes on where a page ended, each connection once, while others come and go', async () => {
    for (let n = 0; n < 3; n += 1) await Promise.all([one.join('paged'), other.join('paged')])
    const seen: Item[] = []
    let cursor: string | undefined
    do {
      const page = await admin(`GET /connections?user=paged&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`)
      seen.push(...itemsOf(page))
      cursor = page.body['next'] as string | undefined
      const late = await one.join('paged')
      late.socket.close()
    } while (cursor !== undefined)
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
    expect(seen.length).toBeGreaterThanOrEqual(6)
  })

  it('takes the permission for it', async () => {
    expect(errorOf(await ada('GET /connections'))).toEqual([403, 'permission_denied'])
    expect(errorOf(await admin('GET /connections?user='))).toEqual([400, 'bad_request', 'user'])
  })
})

describe('ending a connection', () => {
  it.each(['one', 'other'])('closes it, on node %s', async (name) => {
    const client = await (name === 'one' ? one : other).join(`ended-${name}`)
    const [item] = itemsOf(await admin(`GET /connections?user=ended-${name}`))
    expect((await admin(`DELETE /connections/${item?.id}`)).status).toBe(204)
    expect(await client.closed).toMatchObject({ code: 1008, reason: 'Disconnected by administrator' })
    expect(errorOf(await admin(`DELETE /connections/${item?.id}`))).toEqual([404, 'not_found'])
  })

  it('of another tenant is as if it did not exist', async () => {
    const client = await one.join('kept')
    const [item] = itemsOf(await admin('GET /connections?user=kept'))
    expect(await stranger(`DELETE /connections/${item?.id}`)).toMatchObject({ status: 404 })
    expect((await stranger(`DELETE /connections/${item?.id}`)).body).toEqual(
      (await stranger('DELETE /connections/none')).body,
    )
    await client.request({ type: 'ping' })
  })

  it('takes the permission for it', async () => {
    expect(errorOf(await ada('DELETE /connections/any'))).toEqual([403, 'permission_denied'])
    expect(errorOf(await admin('DELETE /connections/a%20b'))).toEqual([404, 'not_found'])
  })
})

describe('disconnecting a user', () => {
  it('ends every connection of the user, on all nodes, and says how many there were', async () => {
    const clients = [await one.join('gone user'), await other.join('gone user')]
    const bystander = await one.join('gone user', { claims: { tenant: 'other' } })
    expect(await admin('POST /users/gone%20user/disconnect')).toMatchObject({ status: 200, body: { connections: 2 } })
    for (const client of clients) expect((await client.closed).code).toBe(1008)
    await bystander.request({ type: 'ping' })
    expect((await admin('POST /users/gone%20user/disconnect')).body).toEqual({ connections: 0 })
  })

  it('takes the permission for it, and a body with nothing in it', async () => {
    expect(errorOf(await ada('POST /users/bob/disconnect'))).toEqual([403, 'permission_denied'])
    expect((await admin('POST /users/nobody/disconnect', { body: {} })).status).toBe(200)
    expect(errorOf(await admin('POST /users/nobody/disconnect', { body: { now: 1 } }))).toEqual([
      400,
      'bad_request',
      'now',
    ])
  })
})
