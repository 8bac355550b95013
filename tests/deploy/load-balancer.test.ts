import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Holdfast as Client } from '@holdfast/client'
import { CLOSE } from '@holdfast/protocol'
import { type Holdfast, type HoldfastOptions, MemoryEngine, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { eventually, pause } from '../kit/deadline.js'
import { checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { haproxy, LoadBalancer, type LoadBalancerSettings, nginx, type Shipped } from './load-balancer.js'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Two nodes that share what they know. */
async function startNodes(
  options: Partial<HoldfastOptions> = {},
): Promise<{ nodes: [Holdfast, Holdfast]; ports: [number, number] }> {
  const engine = new MemoryEngine()
  const start = async (): Promise<{ node: Holdfast; port: number }> => {
    const node = createHoldfast({
      auth: { secret: SECRET, queryToken: true },
      channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
      limits: { connectionsPerUserMax: 1_000 },
      // By this name HAProxy asks how they are.
      hosts: ['holdfast'],
      trustedProxies: ['127.0.0.1'],
      engine,
      ...options,
    })
    cleanups.push(() => node.close())
    return { node, port: (await node.listen()).port }
  }
  const [one, two] = [await start(), await start()]
  return { nodes: [one.node, two.node], ports: [one.port, two.port] }
}

async function startBalancer(shipped: Shipped, settings: LoadBalancerSettings): Promise<LoadBalancer> {
  const balancer = await LoadBalancer.start(shipped, settings)
  cleanups.push(() => balancer.stop())
  return balancer
}

const tokenOf = (user: string): string => signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 600 })

/** One HTTP request; the status of its answer. */
function ask(port: number, headers: Record<string, string>, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

/** A server that answers everything with 200, and what it was asked. */
async function recordRequests(): Promise<{ seen: IncomingHttpHeaders[]; port: number }> {
  const seen: IncomingHttpHeaders[] = []
  const recorder = createServer(({ headers }, response) => {
    seen.push(headers)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(recorder, 'listening')
  cleanups.push(() => recorder.close())
  return { seen, port: (recorder.address() as AddressInfo).port }
}

describe.each([
  { name: 'HAProxy', shipped: haproxy },
  { name: 'nginx', shipped: nginx },
])('$name, as shipped', ({ shipped }) => {
  it('finds nothing wrong with its configuration', async () => {
    const { code, said } = await LoadBalancer.check(shipped)
    expect(said).not.toMatch(/warn|alert|emerg/i)
    expect(code).toBe(0)
  })

  it('spreads connections over the nodes and carries messages between them', async () => {
    const { nodes, ports } = await startNodes()
    const balancer = await startBalancer(shipped, { nodes: ports })
    const recorders = Array.from({ length: 10 }, (_, at) => new Recorder(balancer.url, `user-${at}`, 'room:1'))
    cleanups.push(() => recorders.forEach(({ client }) => client.disconnect()))
    await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
    await recorders[0]?.client.channel('room:1').publish('chat', 'hello')
    await eventually('all have heard', () => recorders.every(({ data }) => data[0] === 'hello'))
    expect(nodes.map((node) => node.stats().connections)).toEqual([5, 5])
  })

  it('brings the code and the reason of a close to the client', async () => {
    const { ports } = await startNodes()
    const { url } = await startBalancer(shipped, { nodes: ports })
    const client = new WireClient(url)
    await client.opened()
    client.send({ type: 'hello', token: 'not.a.token' })
    const { code, reason } = CLOSE.invalidToken
    await expect(client.ended).resolves.toEqual({ code, reason })
  })

  it('leaves a connection alone that is silent but for heartbeats, and ends one that is dead', async () => {
    const { ports } = await startNodes({ heartbeat: { intervalMs: 200, timeoutMs: 20_000 } })
    const { url } = await startBalancer(shipped, { nodes: ports, idleTimeoutMs: 700 })
    const alive = await WireClient.welcomed(url, { token: tokenOf('ada') })
    await eventually('it outlives four timeouts', () => alive.of('ping').length > 14, 15_000)
    await expect(alive.get('pong', { type: 'ping' })).resolves.toBeDefined()
    const quiet = await startNodes({ heartbeat: { intervalMs: 60_000, timeoutMs: 120_000 } })
    const other = await startBalancer(shipped, { nodes: quiet.ports, idleTimeoutMs: 700 })
    const dead = await WireClient.welcomed(other.url, { token: tokenOf('ada') })
    await expect(dead.ended).resolves.toMatchObject({ code: 1006 })
  }, 60_000)

  it('answers who offers HTTP/2 in clear as if nothing had been offered', async () => {
    const { ports } = await startNodes()
    const { port } = await startBalancer(shipped, { nodes: ports })
    const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' }
    await expect(ask(port, offer, '/somewhere')).resolves.toBe(404)
    await expect(ask(port, {}, '/somewhere')).resolves.toBe(404)
    const recorded = await recordRequests()
    const other = await startBalancer(shipped, { nodes: [recorded.port, recorded.port] })
    await expect(ask(other.port, { ...offer, host: 'offer.test' }, '/somewhere')).resolves.toBe(200)
    const passed = recorded.seen.find(({ host }) => host === 'offer.test')
    expect(passed).toBeDefined()
    expect(passed).not.toHaveProperty('upgrade')
  })

  it('keeps to itself what nodes say of their health', async () => {
    const { ports } = await startNodes()
    const { port } = await startBalancer(shipped, { nodes: ports })
    for (const path of ['/health/ready', '/health/live']) await expect(ask(port, {}, path)).resolves.toBe(404)
  })

  it('tells nodes the address of the client, whatever the client says', async () => {
    const { seen, port } = await recordRequests()
    const balancer = await startBalancer(shipped, { nodes: [port, port] })
    await ask(balancer.port, { 'x-forwarded-for': '8.8.8.8', 'x-forwarded-proto': 'https', host: 'push.test' }, '/mine')
    const mine = await eventually('the request came', () => seen.find(({ host }) => host === 'push.test'))
    expect(mine).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  })

  it('lets a node that trusts it know the address of a client, whatever the client says', async () => {
    const lines: Record<string, unknown>[] = []
    const write = (fields: Record<string, unknown>): void => void lines.push(fields)
    const { ports } = await startNodes({ log: { debug: write, info: write, warn: write, error: write } })
    const { url } = await startBalancer(shipped, { nodes: ports })
    const client = new WebSocket(url, { localAddress: '127.0.0.2', headers: { 'x-forwarded-for': '8.8.8.8' } })
    await once(client, 'open')
    expect(lines.filter(({ event }) => event === 'origin.allowed').map(({ address }) => address)).toEqual(['127.0.0.2'])
    client.terminate()
  })

  it('keeps tokens out of its log', async () => {
    const { ports } = await startNodes()
    const balancer = await startBalancer(shipped, { nodes: ports })
    const client = new WireClient(`${balancer.url}?token=${tokenOf('ada')}`, [])
    await client.welcome()
    await client.close()
    await eventually('the connection is logged', () => balancer.accessLog().includes('/ws'))
    expect(balancer.accessLog()).not.toContain('token')
  })

  it('sends nobody to a node that drains, and lets it hand its clients over without a loss', async () => {
    const { nodes, ports } = await startNodes({ drain: { delayMs: 1_000, windowMs: 1_000, deadlineMs: 10_000 } })
    const [leaving, staying] = nodes
    const { url } = await startBalancer(shipped, { nodes: ports })
    const recorders = Array.from({ length: 40 }, (_, at) => new Recorder(url, `user-${at}`, 'room:1'))
    cleanups.push(() => recorders.forEach(({ client }) => client.disconnect()))
    await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
    expect(leaving.stats().connections).toBe(20)

    const acknowledged: { epoch: string; offset: number; id: string }[] = []
    const state = { isOver: false }
    const flow = (async () => {
      for (let round = 0; !state.isOver; round += 1) {
        const { epoch, offset, id } = await staying.tenant('acme').publish('room:1', 'told', round)
        acknowledged.push({ epoch, offset, id })
        await pause(10)
      }
    })()
    const drained = leaving.drain()
    const join = async (_: unknown, at: number): Promise<Client> => {
      const token = tokenOf(`new-${at}`)
      const client = new Client(url, { token, WebSocket, backoff: { minMs: 60_000, maxMs: 60_000 } })
      cleanups.push(() => client.disconnect())
      await client.ready()
      return client
    }
    let newcomers: Client[] = []
    try {
      newcomers = await Promise.all(Array.from({ length: 20 }, join))
      await drained
    } finally {
      state.isOver = true
      await flow
    }
    const last = acknowledged.at(-1)?.id
    await eventually('everybody has the last message', () =>
      recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === last)),
    )

    expect(newcomers.map(({ status }) => status)).toEqual(newcomers.map(() => 'open'))
    expect(staying.stats().connections).toBe(60)
    for (const { told, states, client } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(states.map((change) => change.state)).toEqual(['open'])
      expect(client.statistics.reconnects).toBe(0)
    }
  }, 60_000)
})
