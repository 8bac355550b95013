import { signToken } from '@holdfast/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, within } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'

const REVOKED = { code: 1008, reason: 'Token revoked' }
const INVALID = { code: 1008, reason: 'Invalid authentication token' }
const EXPIRED = { code: 1008, reason: 'Authentication token expired' }

let redis: RedisServer
let nodes: NodeProcess[]
const clients: WireClient[] = []

beforeAll(async () => {
  redis = await RedisServer.start()
  nodes = await Promise.all(['n1', 'n2'].map((node) => startNode(node)))
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.break()))
})

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis.stop()
})

const startNode = (node: string): Promise<NodeProcess> =>
  NodeProcess.start({
    node,
    engine: { redis: `redis://127.0.0.1:${redis.port}` },
    channels: { 'room:*': { publish: 'member', history: { size: 100, ttl: '1h' } } },
  })

const tokenFor = (user: string, tenant = 'acme'): string => signToken({ secret: SECRET, tenant, user })

const at = (index: number): NodeProcess => {
  const node = nodes[index]
  if (node === undefined) throw new Error(`there is no node ${index}`)
  return node
}

async function join(node: NodeProcess, token: string, resume?: Resume): Promise<WireClient> {
  const client = await WireClient.welcomed(node.url, { token, ...(resume && { resume }) })
  clients.push(client)
  return client
}

type Resume = NonNullable<Parameters<typeof WireClient.welcomed>[1]['resume']>

/** How a connection ends that says hello with this. */
async function refused(node: NodeProcess, token: string, resume?: Resume): Promise<unknown> {
  const client = new WireClient(node.url)
  clients.push(client)
  await client.opened()
  client.send({ type: 'hello', token, ...(resume && { resume }) })
  return within('it is refused', client.ended)
}

/** `iat` is in whole seconds: what is issued from now on is later than what was issued before. */
async function nextSecond(): Promise<void> {
  const begun = Math.floor(Date.now() / 1_000)
  await eventually('the next second', () => Math.floor(Date.now() / 1_000) > begun)
}

describe('credentials that two nodes share through Redis', () => {
  it('T-067 withdrawn from a user, end on both nodes within a second, also while the user comes back; later ones are good', async () => {
    const token = tokenFor('ada')
    const lost = await join(at(1), token)
    const { session } = await lost.welcome()
    const resume = { session: session.id, secret: session.secret, positions: {} }
    await lost.break()
    const live = [await join(at(0), token), await join(at(1), token), await join(at(1), tokenFor('ada'))]
    const spared = [await join(at(1), tokenFor('bob')), await join(at(1), tokenFor('ada', 'other'))]
    const begun = machineTime()
    const back = refused(at(1), token, resume)
    await at(0).ask('revokeUser', { tenant: 'acme', user: 'ada' })
    expect(await Promise.all([...live.map(({ ended }) => ended), back])).toEqual([REVOKED, REVOKED, REVOKED, REVOKED])
    expect(machineTime() - begun).toBeLessThan(1_000)
    expect(await Promise.all(nodes.map((node) => refused(node, token, resume)))).toEqual([REVOKED, REVOKED])
    for (const client of spared) expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    await nextSecond()
    // Who came back while it was withdrawn may have been welcomed before it was sent away, and so have taken the session over.
    const isTaken = clients.some((client) => client.of('welcome').some((welcome) => welcome.session.resumed))
    const resumed = await join(at(1), tokenFor('ada'), resume)
    expect((await resumed.welcome()).session.resumed).toBe(!isTaken)
  })

  it('T-067 withdrawn while a node was down, are refused by it when it is back', async () => {
    const token = tokenFor('eve')
    await at(1).kill9()
    await at(0).ask('revokeUser', { tenant: 'acme', user: 'eve' })
    nodes[1] = await startNode('n2')
    await at(1).isReady()
    expect(await refused(at(1), token)).toEqual(REVOKED)
  })

  it('made as keys on one node, open the other, rotate and end there', async () => {
    const spec = { name: 'importer', grants: { 'room:*': ['publish'] } }
    const { id, key } = await at(0).ask('createKey', { tenant: 'acme', spec })
    const old = await join(at(1), key)
    expect((await old.welcome()).user).toBe(`key:${id}`)
    const next = await at(0).ask('rotateKey', { tenant: 'acme', id, overlap: '1s' })
    const fresh = await join(at(1), next.key)
    expect(await within('the overlap ends', old.ended)).toEqual(EXPIRED)
    expect(await refused(at(1), key)).toEqual(INVALID)
    const begun = machineTime()
    expect(await at(0).ask('revokeKey', { tenant: 'acme', id })).toBe(true)
    expect(await fresh.ended).toEqual(REVOKED)
    expect(machineTime() - begun).toBeLessThan(1_000)
    expect(await Promise.all(nodes.map((node) => refused(node, next.key)))).toEqual([INVALID, INVALID])
  })
})
