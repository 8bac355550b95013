import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { type ApiAnswer, type ApiClient, apiClient, errorOf } from '../../testing/api-client.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

let one: TestNode
let other: TestNode
let ada: ApiClient
let watcher: ApiClient

beforeAll(async () => {
  const engine = new MemoryEngine()
  one = await startNode({ engine, node: 'one' })
  other = await startNode({ engine, node: 'other' })
  ada = apiClient(one, one.token('ada'))
  watcher = apiClient(one, one.token('watcher', { permissions: ['channels'] }))
})

afterAll(async () => {
  await one.close()
  await other.close()
})

const itemsOf = ({ body }: ApiAnswer): unknown => body['items']

describe('presence over HTTP', () => {
  it('names who is in a channel, on any node, and counts all', async () => {
    const clients = [await one.join('ada'), await other.join('bob'), await other.join('bob')]
    for (const client of clients) await client.request({ type: 'subscribe', channel: 'room:full', presence: true })
    const { status, body } = await ada('GET /channels/room:full/presence')
    expect(status).toBe(200)
    expect(body).toEqual({
      members: expect.arrayContaining([
        { user: 'ada', connections: 1 },
        { user: 'bob', connections: 2 },
      ]) as unknown,
      counts: { members: 2, connections: 3 },
    })
    const few = await ada('GET /channels/room:full/presence?limit=1')
    expect(few.body).toMatchObject({ members: [{}], counts: { members: 2 } })
  })

  it.each<[string, unknown[]]>([
    ['staff:1', [403, 'permission_denied']],
    ['nowhere:1', [403, 'permission_denied']],
    ['user:ada', [403, 'permission_denied']],
    ['nowhere', [400, 'invalid_channel', 'channel']],
    ['room:1/members', [404, 'not_found']],
  ])('is refused for %s', async (channel, expected) => {
    expect(errorOf(await ada(`GET /channels/${channel}/presence`))).toEqual(expected)
  })
})

describe('a list of channels', () => {
  it('names those of all nodes in the order of their names, page by page, whatever changes meanwhile', async () => {
    const [here, there, stranger] = [
      await one.join('ada'),
      await other.join('bob'),
      await one.join('eve', { claims: { tenant: 'other' } }),
    ]
    for (const channel of ['live:a', 'live:c', 'live:e']) await here.request({ type: 'subscribe', channel })
    for (const channel of ['live:c', 'live:d']) await there.request({ type: 'subscribe', channel })
    await stranger.request({ type: 'subscribe', channel: 'live:b' })
    const first = await watcher('GET /channels?prefix=live:&limit=2')
    expect(itemsOf(first)).toEqual([
      { channel: 'live:a', subscribers: 1 },
      { channel: 'live:c', subscribers: 2 },
    ])
    expect(first.body).not.toHaveProperty('partial')
    await there.request({ type: 'subscribe', channel: 'live:b' })
    await here.request({ type: 'unsubscribe', channel: 'live:a' })
    const second = await watcher(`GET /channels?prefix=live:&limit=2&cursor=${String(first.body['next'])}`)
    expect(itemsOf(second)).toEqual([
      { channel: 'live:d', subscribers: 1 },
      { channel: 'live:e', subscribers: 1 },
    ])
    expect(second.body).not.toHaveProperty('next')
  })

  it('takes a cursor of its own pages alone', async () => {
    const { body } = await watcher('GET /channels?prefix=live:&limit=1')
    const cursor = String(body['next'])
    const turned = `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`
    const elsewhere = apiClient(one, one.token('w', { tenant: 'other', permissions: ['channels'] }))
    for (const line of [`?prefix=live:&cursor=${turned}`, `?cursor=${cursor}`, '?prefix=live:&cursor=', '?cursor=%00'])
      expect(errorOf(await watcher(`GET /channels${line}`))).toEqual([400, 'bad_request', 'cursor'])
    expect(errorOf(await elsewhere(`GET /channels?prefix=live:&cursor=${cursor}`))).toEqual([
      400,
      'bad_request',
      'cursor',
    ])
  })

  it('says that it is partial where a node does not answer', async () => {
    const engine = new MemoryEngine()
    const node = await startNode({ engine, node: 'awake' })
    await engine.nodes.renew('asleep', '{}', 60_000)
    const client = apiClient(node, node.token('w', { permissions: ['channels', 'stats', 'connections'] }))
    expect((await client('GET /channels')).body).toEqual({ items: [], partial: true })
    expect((await client('GET /stats')).body).toMatchObject({ partial: true, nodes: [{ node: 'awake' }] })
    expect(errorOf(await client('DELETE /connections/nobody'))).toEqual([503, 'engine_unavailable'])
    await node.close()
  })

  it('takes the permission for it', async () => {
    expect(errorOf(await ada('GET /channels'))).toEqual([403, 'permission_denied'])
    expect(errorOf(await watcher('GET /channels?limit=101'))).toEqual([400, 'bad_request', 'limit'])
  })
})
