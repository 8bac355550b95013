import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { type ApiClient, apiClient } from '../testing/api-client.js'
import { type TestNode, startNode } from '../testing/test-node.js'

let one: TestNode
let other: TestNode
let watcher: ApiClient

beforeAll(async () => {
  const engine = new MemoryEngine()
  const options = { engine, tenants: { acme: { quotas: { channels: 100, connections: 50 } } } }
  one = await startNode({ ...options, node: 'one' })
  other = await startNode({ ...options, node: 'other' })
  watcher = apiClient(one, one.token('watcher', { permissions: ['stats'] }))
})

afterAll(async () => {
  await one.close()
  await other.close()
})

describe('statistics', () => {
  it('count what the tenant has on all nodes, and nothing of others', async () => {
    const [here, there] = [await one.join('ada'), await other.join('bob')]
    const stranger = await one.join('eve', { claims: { tenant: 'other' } })
    for (const client of [here, there, stranger]) await client.request({ type: 'subscribe', channel: 'room:1' })
    const { status, body } = await watcher('GET /stats')
    expect(status).toBe(200)
    // Each also listens to its inbox.
    const ofNode = { connections: 1, users: 1, channels: 2, subscriptions: 2 }
    expect(body).toEqual({
      tenant: 'acme',
      version: expect.any(String) as string,
      engine: { name: 'memory' },
      connections: 2,
      subscriptions: 4,
      nodes: [
        { node: 'one', ...ofNode },
        { node: 'other', ...ofNode },
      ],
    })
  })

  it('tell what the disk of the node had lost when it started, and not how much is on it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-stats-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    for (const loss of [undefined, 'the watermark is missing or damaged']) {
      const node = await startNode({ engine: { disk: dir } })
      const ask = apiClient(node, node.token('watcher', { permissions: ['stats'] }))
      expect((await ask('GET /stats')).body['engine']).toEqual({ name: 'disk', ...(loss !== undefined && { loss }) })
      expect(node.holdfast.stats().engine.disk).toMatchObject({ segments: 1, loss })
      await ask('POST /channels/room:1/messages', { body: { data: 1 } })
      await node.close()
      rmSync(join(dir, 'watermark'))
    }
  })

  it('take the permission for it', async () => {
    const ada = apiClient(one, one.token('ada'))
    for (const line of ['GET /stats', 'GET /limits']) expect(await ada(line)).toMatchObject({ status: 403 })
  })
})

describe('limits', () => {
  it('are those of the node for one user, and the quotas of the tenant with what is used of them', async () => {
    const { status, body } = await watcher('GET /limits')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      messageBytesMax: 65_536,
      connectionsPerUserMax: 10,
      rates: { requests: { perSecond: 2_000, burst: 4_000 } },
      quotas: { channels: 100, connections: 50 },
      usage: { connections: 2 },
    })
    expect(body['quotas']).not.toHaveProperty('operations')
  })
})
