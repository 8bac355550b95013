import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from './engine/memory/memory-engine.js'
import { createHoldfast, type Holdfast } from './holdfast.js'
import { TestClient } from './testing/test-client.js'
import { TEST_CHANNELS, TEST_SECRET, startNode } from './testing/test-node.js'
import { signToken } from './sign-token.js'

const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one()
})

function create(options: object = {}): Holdfast {
  const holdfast = createHoldfast({ auth: { secret: TEST_SECRET }, channels: TEST_CHANNELS, ...options })
  undo.push(() => holdfast.close())
  return holdfast
}

async function serve(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const token = signToken({ secret: TEST_SECRET, tenant: 'acme', user: 'ada' })

describe('listen', () => {
  it('says where', async () => {
    const { host, port, url } = await create().listen()
    expect({ host, url }).toEqual({ host: '127.0.0.1', url: `ws://127.0.0.1:${port}/ws` })
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200)
  })

  it('takes the path of the options', async () => {
    const { url } = await create({ path: '/live/socket' }).listen(0, 'localhost')
    expect(url).toMatch(/^ws:\/\/localhost:\d+\/live\/socket$/)
    const client = await TestClient.connect(url)
    expect(await client.hello(token)).toMatchObject({ user: 'ada' })
    await client.leave()
  })

  it('rejects when the port is taken', async () => {
    const { port } = await create().listen()
    await expect(create().listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('attach', () => {
  it("serves the WebSocket on a server of one's own, and fetch the HTTP side", async () => {
    const holdfast = create()
    const server = createServer((_, response) => response.end('mine'))
    holdfast.attach(server)
    const address = await serve(server)
    const client = await TestClient.connect(`ws://${address}/ws`)
    expect(await client.hello(token)).toMatchObject({ user: 'ada' })
    expect(await (await fetch(`http://${address}/`)).text()).toBe('mine')
    const ready = await holdfast.fetch(new Request('http://node/health/ready'))
    expect(await ready.json()).toEqual({ status: 'ready' })
    await client.leave()
  })

  it('can be undone, and then serves no more', async () => {
    const holdfast = create()
    const server = createServer()
    const detach = holdfast.attach(server)
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 418 Teapot\r\n\r\n'))
    const address = await serve(server)
    await (await TestClient.connect(`ws://${address}/ws`)).leave()
    detach()
    await expect(TestClient.connect(`ws://${address}/ws`)).rejects.toThrow('418')
  })

  it('lets two nodes share a server under different paths', async () => {
    const [one, other] = [create({ path: '/one', node: 'one' }), create({ path: '/other', node: 'other' })]
    const server = createServer()
    one.attach(server)
    other.attach(server)
    const address = await serve(server)
    for (const name of ['one', 'other']) {
      const client = await TestClient.connect(`ws://${address}/${name}`)
      expect(await client.hello(token)).toMatchObject({ node: name })
      await client.leave()
    }
  })
})

describe('an engine that does not start', () => {
  class BrokenEngine extends MemoryEngine {
    override start(): Promise<void> {
      return Promise.reject(new Error('no route to host'))
    }
  }

  it('is a rejection of listen', () =>
    expect(create({ engine: new BrokenEngine() }).listen()).rejects.toThrow('no route to host'))

  it('is a line in the log of attach, and the node can be closed', async () => {
    const lines: unknown[] = []
    const note = (fields: object): void => void lines.push(fields)
    const log = { debug: note, info: note, warn: note, error: note }
    const holdfast = create({ engine: new BrokenEngine(), log })
    holdfast.attach(createServer())
    const line = { event: 'engine.unstarted', error: 'Error', reason: 'no route to host' }
    await expect.poll(() => lines).toEqual([line])
    await holdfast.close()
  })
})

describe('readiness', () => {
  const readiness = async (holdfast: Holdfast): Promise<unknown> =>
    (await holdfast.fetch(new Request('http://node/health/ready'))).json()

  it('ends when the node drains', async () => {
    const holdfast = create()
    await holdfast.drain()
    expect(await readiness(holdfast)).toEqual({ status: 'unready', reason: 'draining' })
  })

  it('ends while the node is full', async () => {
    const node = await startNode({ limits: { connectionsMax: 1 } })
    undo.push(() => node.close())
    const client = await node.join('ada')
    expect(await readiness(node.holdfast)).toEqual({ status: 'unready', reason: 'full' })
    await client.leave()
    await expect.poll(() => readiness(node.holdfast)).toEqual({ status: 'ready' })
  })
})

describe('stats', () => {
  it('count what the node does now', async () => {
    const node = await startNode({ node: 'n1' })
    undo.push(() => node.close())
    const client = await node.join('ada')
    await client.request({ type: 'subscribe', channel: 'room:1' })
    expect(node.holdfast.stats()).toMatchObject({
      node: 'n1',
      connections: 1,
      channels: 2,
      operations: 0,
      operationWork: { writers: 0, changesWaiting: 0, oldestWaitingMs: 0, places: 0 },
      heartbeat: { healthy: 1, late: 0, stale: 0 },
      draining: false,
    })
    await client.leave()
    await expect.poll(() => node.holdfast.stats()).toMatchObject({ connections: 0, channels: 0 })
  })
})

describe('close', () => {
  it('may be called again, and before anything was opened', async () => {
    const holdfast = create()
    await Promise.all([holdfast.close(), holdfast.close(), holdfast.drain()])
  })

  it('fails what runs, so that it may be tried again', async () => {
    const node = await startNode()
    const work = node.holdfast.tenant('acme').operations.run({ kind: 'import', owner: 'ada' }, async ({ signal }) => {
      await once(signal, 'abort')
      throw signal.reason
    })
    await expect.poll(() => node.holdfast.stats().operations).toBe(1)
    const failed = expect(work).rejects.toMatchObject({ code: 'operation_cancelled' })
    await node.close()
    await failed
  })

  it('leaves a server that is not its own running', async () => {
    const holdfast = create()
    const server = createServer((_, response) => response.end('mine'))
    holdfast.attach(server)
    const address = await serve(server)
    await holdfast.close()
    expect(await (await fetch(`http://${address}/`)).text()).toBe('mine')
  })
})

describe('method', () => {
  it('is registered once under a name', () => {
    const holdfast = create()
    const undoMethod = holdfast.method('m', { handler: () => 1 })
    expect(() => holdfast.method('m', { handler: () => 1 })).toThrow(RangeError)
    undoMethod()
    expect(() => holdfast.method('m', { handler: () => 1 })).not.toThrow()
  })
})
