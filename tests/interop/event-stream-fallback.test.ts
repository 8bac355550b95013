import type { IncomingMessage, ServerResponse } from 'node:http'
import { Holdfast } from '@holdfast/client'
import { fallbackWebSocket } from '@holdfast/client/event-stream'
import { type Holdfast as Node, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SECRET as secret } from '../kit/server-process.js'
import { UpgradeRefuser } from '../kit/upgrade-refuser.js'

const channels = { 'room:*': { publish: 'member' as const, presence: true, history: { size: 1_000, ttl: '1h' } } }

let node: Node
let proxy: UpgradeRefuser
/** What was asked for besides upgrades. */
let asked: string[]
let clients: Holdfast[]
/** Answers in the place of the node where it says so. */
let before: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined

beforeEach(async () => {
  asked = []
  clients = []
  before = undefined
  node = createHoldfast({ auth: { secret }, channels, presence: { coalesceMs: 10, graceMs: 5_000 } })
  const { port } = await node.listen()
  proxy = await UpgradeRefuser.start([port], (request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]?.split('/').slice(0, 4).join('/')}`)
    return before?.(request, response) === true
  })
})

afterEach(async () => {
  for (const client of clients) client.disconnect()
  await proxy.close()
  await node.close()
})

const token = (user: string): string => signToken({ secret, tenant: 'acme', user, ttlSeconds: 600 })

function connect(user: string, fallback = fallbackWebSocket({ WebSocket: WebSocket as never })): Holdfast {
  const client = new Holdfast(`${proxy.url}/ws`, {
    token: () => token(user),
    WebSocket: fallback,
    backoff: { minMs: 20, maxMs: 200 },
  })
  clients.push(client)
  return client
}

describe('a client whose WebSocket is refused', () => {
  it('goes on by event stream: subscribes, publishes, is present', async () => {
    const [one, two] = [connect('u1'), connect('u2')]
    const heard: unknown[] = []
    const room = one.channel('room:1')
    room.on('chat', ({ data }) => void heard.push(data))
    await room.subscribe({ presence: true })
    const other = two.channel('room:1')
    await other.subscribe({ presence: true })
    await expect.poll(() => [...room.presence.members.keys()].sort()).toEqual(['u1', 'u2'])
    for (let n = 0; n < 50; n += 1) void other.publish('chat', n)
    await expect.poll(() => heard).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(proxy.asked).toBe(2)
    // What is said in one turn goes together.
    expect(asked.filter((what) => what.startsWith('POST')).length).toBeLessThan(30)
  })

  it('says goodbye when it goes, so that nobody waits for it', async () => {
    const [one, two] = [connect('u1'), connect('u2')]
    const room = one.channel('room:1')
    await room.subscribe({ presence: true })
    await two.channel('room:1').subscribe({ presence: true })
    await expect.poll(() => room.presence.members.size).toBe(2)
    two.disconnect()
    await expect.poll(() => [...room.presence.members.keys()], { timeout: 3_000 }).toEqual(['u1'])
    await expect.poll(() => node.stats().connections).toBe(1)
  })

  it('is remembered for a while, and then tried again', async () => {
    const fallback = fallbackWebSocket({ WebSocket: WebSocket as never, rememberMs: 300 })
    await connect('u1', fallback).ready()
    await connect('u2', fallback).ready()
    expect(proxy.asked).toBe(1)
    proxy.upgrades = 'taken'
    await expect
      .poll(async () => {
        const client = connect('u3', fallback)
        await client.ready()
        client.disconnect()
        return proxy.asked
      })
      .toBe(2)
  })

  it('waits no longer than its patience for one that is not answered', async () => {
    proxy.upgrades = 'ignored'
    const client = connect('u1', fallbackWebSocket({ WebSocket: WebSocket as never, patienceMs: 200 }))
    await client.ready()
    expect([proxy.asked, asked[0]]).toEqual([1, 'GET /api/v1/stream'])
  })

  it('comes back after its server was away, with nothing lost or doubled', async () => {
    const client = connect('u1')
    const heard: unknown[] = []
    const room = client.channel('room:1')
    room.on('chat', ({ data }) => void heard.push(data))
    await room.subscribe()
    await node.tenant('acme').publish('room:1', 'chat', 1)
    await expect.poll(() => heard).toEqual([1])
    // The network, not the node: its log is in memory.
    proxy.cut()
    await node.tenant('acme').publish('room:1', 'chat', 2)
    await expect.poll(() => heard).toEqual([1, 2])
    await node.tenant('acme').publish('room:1', 'chat', 3)
    await expect.poll(() => heard).toEqual([1, 2, 3])
  })

  it('is told why it was refused', async () => {
    const client = new Holdfast(`${proxy.url}/ws`, {
      token: 'a.b.c',
      WebSocket: fallbackWebSocket({ WebSocket: WebSocket as never }),
    })
    clients.push(client)
    await expect(client.ready()).rejects.toMatchObject({ message: expect.stringContaining('authentication') as string })
  })

  it('loses nothing that it says when an answer to a post is lost, or a node is busy for a moment', async () => {
    const client = connect('u1')
    const room = client.channel('room:1')
    await room.subscribe()
    let disturbed = 0
    before = (request, response) => {
      if (request.method !== 'POST' || (disturbed += 1) > 2) return false
      if (disturbed === 1) return (response.writeHead(503).end(), true)
      // Taken, and nobody learns of it.
      response.end = () => response.destroy()
      return false
    }
    const sent = await Promise.all([room.publish('chat', 1), room.publish('chat', 2)])
    expect(sent.map(({ offset, duplicate }) => [offset, duplicate])).toEqual([
      [1, false],
      [2, false],
    ])
    await expect.poll(() => disturbed, { timeout: 5_000 }).toBeGreaterThan(2)
    await room.publish('chat', 3)
    expect(client.status).toBe('open')
  })

  it('ends when neither gets through', async () => {
    before = (_, response) => (response.writeHead(403).end(), true)
    const client = new Holdfast(`${proxy.url}/ws`, {
      token: token('u1'),
      maxAttempts: 2,
      backoff: { minMs: 10, maxMs: 20 },
      WebSocket: fallbackWebSocket({ WebSocket: WebSocket as never }),
    })
    clients.push(client)
    await expect(client.ready()).rejects.toThrow()
    expect([proxy.asked, asked]).toEqual([2, ['GET /api/v1/stream', 'GET /api/v1/stream']])
  })
})

describe('a client whose WebSocket is taken', () => {
  it('uses it', async () => {
    proxy.upgrades = 'taken'
    const client = connect('u1')
    await client.channel('room:1').publish('chat', 1)
    client.disconnect()
    expect([proxy.asked, asked]).toEqual([1, []])
  })

  it('does without one where it is told to', async () => {
    proxy.upgrades = 'taken'
    await connect('u1', fallbackWebSocket({ WebSocket: false })).ready()
    expect(proxy.asked).toBe(0)
  })
})
