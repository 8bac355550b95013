import { Holdfast, type HoldfastOptions, type Member } from '@holdfast/client'
import { MemoryEngine, createHoldfast, signToken } from '@holdfast/server'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../kit/deadline.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

const secret = 'k3Jx9-Qm2vT7_wZ4pL8sB1nR6yD0fG5h'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

type Node = ReturnType<typeof createHoldfast>

async function startNode(
  engine: 'memory' | MemoryEngine = 'memory',
): Promise<{ node: Node; port: number; url: string }> {
  const node = createHoldfast({
    auth: { secret },
    engine,
    channels: {
      'room:*': { subscribe: 'member', publish: 'member', presence: true, history: { size: 1000, ttl: '1h' } },
      'live:*': { subscribe: 'member', publish: 'member' },
      'user:{user}': { inbox: true, history: { size: 100, ttl: '1h' } },
    },
    drain: { windowMs: 200, deadlineMs: 5000 },
    presence: { graceMs: 0, coalesceMs: 10 },
  })
  const { port, url } = await node.listen()
  cleanups.push(() => node.close())
  return { node, port, url }
}

function connectTo(url: string, user: string, options: HoldfastOptions = {}): Holdfast {
  const token = (): string => signToken({ secret, tenant: 'acme', user, ttlSeconds: 60 })
  const client = new Holdfast(url, { token, WebSocket, backoff: { minMs: 20, maxMs: 200 }, ...options })
  cleanups.push(() => client.disconnect())
  return client
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('the client and a node', () => {
  it('find the package ws by themselves where no WebSocket is global', async () => {
    const { url } = await startNode()
    const token = signToken({ secret, tenant: 'acme', user: 'ada' })
    const client = new Holdfast(url, { token })
    cleanups.push(() => client.disconnect())
    await client.ready()
    expect(client.identity).toMatchObject({ tenant: 'acme', user: 'ada', resumed: false })
  })

  it('carry messages, signals, history, presence and typing between users', async () => {
    const { url } = await startNode()
    const [ada, bob] = [connectTo(url, 'ada'), connectTo(url, 'bob')]
    const heard: unknown[] = []
    const room = bob.channel<{ chat: { text: string }; cursor: { x: number } }>('room:1')
    room.on('chat', ({ data, from, offset }) => heard.push([data.text, from, offset]))
    room.on('cursor', ({ data }) => heard.push(data.x))
    const members = (): (readonly string[])[] => [[...room.presence.members.keys()].toSorted()]
    room.presence.on('change', () => {})
    await room.subscribe()
    const mine = ada.channel<{ chat: { text: string }; cursor: { x: number } }>('room:1')
    await mine.subscribe({ presence: { info: { name: 'Ada' } } })
    const published = await mine.publish('chat', { text: 'hello' })
    expect(published).toMatchObject({ offset: 1, duplicate: false })
    mine.signal('cursor', { x: 7 })
    mine.typing(true)
    await eventually('bob hears ada', () => heard.length === 2 && room.typers[0] === 'ada')
    expect(heard).toEqual([['hello', { user: 'ada', connection: ada.identity!.connection }, 1], 7])
    await eventually('bob sees ada', () => members()[0]!.length === 2)
    expect((room.presence.members.get('ada') as Member).info).toEqual({ name: 'Ada' })
    const { messages, more } = await room.history({ limit: 10 })
    expect([messages.map(({ data }) => data), more]).toEqual([[{ text: 'hello' }], false])
    expect((await room.members()).counts).toMatchObject({ members: 2 })
    ada.disconnect()
    await eventually('bob sees ada leave', () => members()[0]!.length === 1)
  })

  it('call methods, keep a state, and refuse with the codes of the protocol', async () => {
    const { node, url } = await startNode()
    node.method('double', { handler: (data) => Number(data) * 2 })
    const client = connectTo(url, 'ada')
    expect(await client.call('double', 21)).toBe(42)
    await expect(client.call('triple', 1)).rejects.toMatchObject({ code: 'unknown_method', retryable: false })
    await expect(client.channel('secret:1').subscribe()).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(client.channel('user:bob').publish('x', 1)).rejects.toMatchObject({ code: 'permission_denied' })
    await client.state({ page: 3 })
    await expect(client.state('x'.repeat(20_000))).rejects.toMatchObject({ code: 'limit_exceeded' })
  })

  it('lose nothing and repeat nothing over many cuts, on every channel, while both sides publish', async () => {
    const { node, port } = await startNode()
    const proxy = await TcpProxy.start(port)
    cleanups.push(() => proxy.close())
    const client = connectTo(proxy.url, 'ada')
    const rooms = ['room:1', 'room:2', 'room:3']
    const heard = new Map<string, unknown[]>(rooms.map((room) => [room, []]))
    const gaps: unknown[] = []
    for (const name of rooms) {
      const room = client.channel(name)
      room.on('n', ({ data }) => heard.get(name)!.push(data))
      room.on('gap', (gap) => gaps.push(gap))
      await room.subscribe()
    }
    const acme = node.tenant('acme')
    const published: Promise<unknown>[] = []
    for (const n of numbers(1, 120)) {
      for (const room of rooms) published.push(acme.publish(room, 'n', n))
      published.push(client.channel('room:1').publish('mine', n))
      if (n % 30 === 0) {
        const { reconnects } = client.statistics
        proxy.cut()
        await eventually('the client is back', () => client.statistics.reconnects > reconnects)
      }
    }
    await Promise.all(published)
    await eventually('all arrived', () => rooms.every((room) => heard.get(room)!.length >= 120))
    for (const room of rooms) expect(heard.get(room)).toEqual(numbers(1, 120))
    const mine = await client.channel('room:1').history({ limit: 1000 })
    expect(mine.messages.filter(({ event }) => event === 'mine').map(({ data }) => data)).toEqual(numbers(1, 120))
    expect(gaps).toEqual([])
    expect(client.statistics.reconnects).toBeGreaterThanOrEqual(3)
    expect(client.identity?.resumed).toBe(true)
  })

  it('announce what a node that lost its memory cannot recover', async () => {
    const first = await startNode()
    const proxy = await TcpProxy.start(first.port)
    cleanups.push(() => proxy.close())
    const client = connectTo(proxy.url, 'ada')
    const told: unknown[] = []
    const room = client.channel('room:1')
    room.on('gap', ({ reason }) => told.push(reason))
    room.on('n', ({ data }) => told.push(data))
    await room.subscribe()
    await first.node.tenant('acme').publish('room:1', 'n', 1)
    await eventually('the first message', () => told.length === 1)
    proxy.switchUpstream(undefined)
    proxy.cut()
    const second = await startNode()
    await second.node.tenant('acme').publish('room:1', 'n', 2)
    proxy.switchUpstream(second.port)
    await eventually('the second message', () => told.length === 3)
    expect(told).toEqual([1, 'epoch_changed', 2])
    expect(room.position).toMatchObject({ offset: 1 })
  })

  it('move to another node at a drain without a break: no state change, no loss, no duplicate', async () => {
    const engine = new MemoryEngine()
    const [one, two] = [await startNode(engine), await startNode(engine)]
    const proxy = await TcpProxy.start(one.port)
    cleanups.push(() => proxy.close())
    const client = connectTo(proxy.url, 'ada')
    const heard: unknown[] = []
    const states: string[] = []
    const room = client.channel('room:1')
    room.on('n', ({ data }) => heard.push(data))
    await room.subscribe()
    client.on('state', ({ state }) => states.push(state))
    proxy.switchUpstream(two.port)
    const drained = one.node.drain()
    for (const n of numbers(1, 200)) {
      await two.node.tenant('acme').publish('room:1', 'n', n)
      if (n % 20 === 0) await client.channel('room:1').publish('mine', n)
    }
    await drained
    await two.node.tenant('acme').publish('room:1', 'n', 201)
    await eventually('all arrived', () => heard.length >= 201)
    expect(heard).toEqual(numbers(1, 201))
    expect(states).toEqual([])
    expect(client.statistics.handovers).toBe(1)
    expect(client.identity?.node).toBe(two.node.node)
  })

  it('watch an operation to its end, also from another device that comes late, and cancel one', async () => {
    const { node, port } = await startNode()
    const proxy = await TcpProxy.start(port)
    cleanups.push(() => proxy.close())
    const client = connectTo(proxy.url, 'ada')
    const acme = node.tenant('acme')
    const started = await acme.operations.start({
      id: 'import-1',
      kind: 'import',
      owner: 'ada',
      total: 100,
      unit: 'rows',
    })
    const job = client.operation<{ rows: number }>('import-1')
    const percents: number[] = []
    job.on('progress', ({ percent = 0 }) => percents.push(percent))
    await eventually('the first snapshot', () => job.snapshot)
    started.advance(40)
    await eventually('progress', () => percents.includes(40))
    proxy.cut()
    started.advance(40)
    await eventually('progress after a cut', () => percents.includes(80))
    await started.complete({ rows: 100 })
    expect(await job.done).toEqual({ rows: 100 })
    expect(await connectTo(proxy.url, 'ada').operation('import-1').done).toEqual({ rows: 100 })
    expect(percents).toEqual(percents.toSorted((a, b) => a - b))
    const endless = acme.operations.run({ id: 'endless', kind: 'wait', owner: 'ada' }, (op) => {
      return new Promise((_, reject) => op.signal.addEventListener('abort', () => reject(op.signal.reason)))
    })
    endless.catch(() => {})
    const other = client.operation('endless')
    const off = other.on('progress', () => {})
    await eventually('it runs', () => other.snapshot)
    off()
    await other.cancel()
    await expect(other.done).rejects.toMatchObject({ code: 'operation_cancelled' })
    await expect(connectTo(proxy.url, 'bob').operation('import-1').done).rejects.toMatchObject({
      name: 'HoldfastError',
    })
  })

  it('deliver a notification to whichever device comes, until one has acknowledged it', async () => {
    const { node, url } = await startNode()
    const acme = node.tenant('acme')
    await acme.notify('ada', { title: 'one' })
    const titles: string[] = []
    const first = connectTo(url, 'ada')
    first.inbox().on('notification', ({ data }) => titles.push(data.title))
    await eventually('the first device hears it', () => titles.length === 1)
    first.disconnect()
    const second = connectTo(url, 'ada')
    second.inbox({ autoAck: true }).on('notification', ({ data }) => titles.push(data.title))
    await eventually('the second device hears it', () => titles.length === 2)
    await acme.notify('ada', { title: 'two' })
    await eventually('and the next one', () => titles.length === 3)
    second.disconnect()
    const acknowledged = async (): Promise<boolean> => {
      const device = connectTo(url, 'ada')
      const late: string[] = []
      device.inbox().on('notification', ({ data }) => late.push(data.title))
      await device.inbox().channel?.subscribe()
      await eventually('the inbox began', () => device.inbox().channel?.status === 'subscribed')
      device.disconnect()
      return late.length === 0
    }
    await eventually('nothing is left', acknowledged)
    expect(titles).toEqual(['one', 'one', 'two'])
  })

  it('end for good on a refused token, after asking for it once more', async () => {
    const { url } = await startNode()
    let asked = 0
    const client = connectTo(url, 'ada', { token: () => `not-a-token-${(asked += 1)}` })
    await expect(client.ready()).rejects.toMatchObject({ code: 'refused', message: 'Invalid authentication token' })
    expect([asked, client.status]).toEqual([2, 'failed'])
  })
})
