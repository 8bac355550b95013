import { type KeyObject, createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { HoldfastOptions } from '../../options.js'
import { FakeSocket, upgrade } from '../../testing/fake-socket.js'
import { SimulatedCluster, type SimulatedNode } from '../../testing/simulated-cluster.js'

/** Longer than a key set is not fetched again. */
const GAP_MS = 31_000
const REFRESH_MS = 600_000

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A client without a network, and what it was told. */
interface Peer {
  readonly socket: FakeSocket
  say(command: object): Promise<void>
  got(type: string): Record<string, unknown>[]
  leave(): void
}

let cluster: SimulatedCluster
let one: SimulatedNode
let other: SimulatedNode

beforeEach(() => {
  cluster = new SimulatedCluster()
})

afterEach(() => cluster.close())

async function start(options: Partial<HoldfastOptions>): Promise<void> {
  one = await cluster.start('one', options)
  other = await cluster.start('other', options)
}

/** Says hello with these members and waits for the answer: signatures are verified, and key sets fetched, in time that is not simulated. */
async function join({ holdfast }: SimulatedNode, hello: object): Promise<Peer> {
  const socket = new FakeSocket()
  const handler = holdfast.accept(socket, upgrade())
  const got = (type: string): Record<string, unknown>[] => socket.messages.filter((message) => message['type'] === type)
  const say = async (command: object): Promise<void> => {
    const text = JSON.stringify(command)
    handler.text(text, text.length)
    await cluster.clock.pass(20, 1)
  }
  await say({ type: 'hello', ...hello })
  await vi.waitFor(
    () => {
      cluster.clock.endTick()
      expect([...got('welcome'), ...got('goodbye')]).toHaveLength(1)
    },
    { timeout: 5_000, interval: 2 },
  )
  return { socket, say, got, leave: () => handler.closed(1000, true) }
}

/** What is needed to resume the session of a client. */
function resumeOf({ got }: Peer): object {
  const [welcome = {}] = got('welcome')
  const { id: session, secret } = welcome['session'] as { id: string; secret: string }
  return { session, secret, positions: {} }
}

/** `welcome`, or the reason of the goodbye. */
async function endOf(node: SimulatedNode, token: string): Promise<unknown> {
  const peer = await join(node, { token })
  const [goodbye] = peer.got('goodbye')
  peer.leave()
  return goodbye?.['message'] ?? 'welcome'
}

const claims = (user: string): object => {
  const now = Math.floor(cluster.clock.now() / 1_000)
  return { tenant: 'acme', sub: user, iat: now, exp: now + 80_000 }
}

describe('keys that are rotated while two nodes run', () => {
  const keys: Record<string, { publicKey: KeyObject; privateKey: KeyObject }> = {}
  for (const kid of ['a', 'b']) keys[kid] = generateKeyPairSync('ed25519')

  const published = (...kids: string[]): object => ({
    keys: kids.map((kid) => ({ ...keys[kid]?.publicKey.export({ format: 'jwk' }), kid })),
  })

  const tokenOf = (kid: string, user: string): string => {
    const content = `${encode({ alg: 'EdDSA', kid })}.${encode(claims(user))}`
    return `${content}.${sign(null, Buffer.from(content), keys[kid]?.privateKey as KeyObject).toString('base64url')}`
  }

  /** A host that publishes keys; `fetches` says how often it was asked. */
  async function publishing(set: object): Promise<{ url: string; set: object; fetches: number }> {
    const server = createServer((_, response) => {
      host.fetches += 1
      response.end(JSON.stringify(host.set))
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const host = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, set, fetches: 0 }
    return host
  }

  it('are believed on each from when they are published until they are not, and nobody who is there notices', async () => {
    const host = await publishing(published('a'))
    const began = cluster.clock.now()
    await start({ auth: { jwks: { url: host.url } } })
    const ada = await join(one, { token: tokenOf('a', 'ada') })
    const bob = await join(other, { token: tokenOf('a', 'bob') })
    for (const { say } of [ada, bob]) await say({ type: 'subscribe', channel: 'room:1' })
    expect(await endOf(one, tokenOf('b', 'eve'))).toBe('Invalid authentication token')
    expect(host.fetches).toBe(2)

    host.set = published('a', 'b')
    await cluster.clock.pass(GAP_MS, 1_000)
    for (const node of [one, other])
      for (const kid of ['b', 'a']) expect(await endOf(node, tokenOf(kid, 'cleo'))).toBe('welcome')
    expect(host.fetches).toBe(4)

    host.set = published('b')
    await cluster.clock.pass(began + REFRESH_MS - cluster.clock.now(), 1_000)
    // Slowly: simulated time must not end what real time has not.
    const refreshed = async (): Promise<void> => {
      await cluster.clock.pass(5)
      expect(host.fetches).toBe(6)
    }
    await vi.waitFor(refreshed, { timeout: 10_000, interval: 5 })
    for (const node of [one, other]) {
      await vi.waitFor(async () => expect(await endOf(node, tokenOf('a', 'dora'))).toBe('Invalid authentication token'))
      expect(await endOf(node, tokenOf('b', 'dora'))).toBe('welcome')
    }
    for (let n = 0; n < 20; n += 1) await (n % 2 ? ada : bob).say({ type: 'publish', channel: 'room:1', data: n })
    for (const { got } of [ada, bob])
      expect(got('message').map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('are fetched once by a node, however many of its tenants have them at one address', async () => {
    const host = await publishing(published('a'))
    const jwks = { url: host.url }
    one = await cluster.start('one', { auth: {}, tenants: { acme: { auth: { jwks } }, umbrella: { auth: { jwks } } } })
    expect(await endOf(one, tokenOf('a', 'ada'))).toBe('welcome')
    expect(host.fetches).toBe(1)
  })

  it('may be two while nodes are replaced one by one: a client moves on with a token of the new one, and its session', async () => {
    const secrets: Record<string, string> = { old: 'Qw7'.repeat(12), new: 'Zk3'.repeat(12) }
    const secretToken = (kid: string, user: string): string => {
      const content = `${encode({ alg: 'HS256', kid })}.${encode(claims(user))}`
      return `${content}.${createHmac('sha256', secrets[kid] ?? '')
        .update(content)
        .digest('base64url')}`
    }
    const believing = (...kids: string[]): Partial<HoldfastOptions> => ({
      auth: { keys: kids.map((kid) => ({ algorithm: 'HS256' as const, key: secrets[kid] ?? '', kid })) },
    })
    one = await cluster.start('one', believing('old'))
    const ada = await join(one, { token: secretToken('old', 'ada') })
    await ada.say({ type: 'subscribe', channel: 'room:1' })
    expect(await endOf(one, secretToken('new', 'ada'))).toBe('Invalid authentication token')

    other = await cluster.start('other', believing('old', 'new'))
    for (const kid of ['old', 'new']) expect(await endOf(other, secretToken(kid, 'bob'))).toBe('welcome')

    const third = await cluster.start('third', believing('new'))
    expect(await endOf(third, secretToken('old', 'ada'))).toBe('Invalid authentication token')
    const resume = resumeOf(ada)
    const moved = await join(third, { token: secretToken('new', 'ada'), resume })
    expect(moved.got('welcome')).toMatchObject([{ session: { resumed: true }, channels: ['user:ada', 'room:1'] }])
    const stolen = await join(other, { token: secretToken('new', 'eve'), resume })
    expect(stolen.got('welcome')).toMatchObject([{ user: 'eve', session: { resumed: false } }])
  })
})

describe('anonymous clients on two nodes', () => {
  const options: Partial<HoldfastOptions> = {
    auth: {
      secret: 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU',
      anonymous: { tenant: 'lobby', grants: { 'news:*': ['subscribe'] } },
    },
    channels: {
      'news:*': { subscribe: 'grant', publish: 'server', history: { size: 10, ttl: '1h' } },
      'room:*': { publish: 'member' },
    },
    tenants: { lobby: { quotas: { connections: 2 } } },
  }

  it('are somebody else each, hear what they may, and may nothing else', async () => {
    await start(options)
    const peers = [await join(one, {}), await join(other, {})]
    const users = peers.map(({ got }) => got('welcome')[0]?.['user'])
    expect(new Set(users).size).toBe(2)
    for (const { say, got } of peers) {
      await say({ type: 'subscribe', id: 1, channel: 'news:1' })
      await say({ type: 'subscribe', id: 2, channel: 'room:1' })
      await say({ type: 'publish', id: 3, channel: 'news:1', data: 'forged' })
      expect(got('subscribed')).toMatchObject([{ id: 1, channel: 'news:1' }])
      expect(got('error').map(({ id }) => id)).toEqual([2, 3])
    }
    for (const [at, node] of [one, other, one].entries())
      await Promise.all([node.holdfast.tenant('lobby').publish('news:1', 'e', at), cluster.clock.pass(20, 1)])
    await one.holdfast.tenant('acme').publish('news:1', 'e', 'of another tenant')
    await cluster.clock.pass(20, 1)
    for (const { got } of peers) expect(got('message').map(({ data }) => data)).toEqual([0, 1, 2])
  })

  it('count together against the quota of their tenant, and give their places back', async () => {
    await start(options)
    const [first, second] = [await join(one, {}), await join(other, {})]
    const third = await join(one, {})
    expect(third.got('goodbye')).toHaveLength(1)
    expect(await one.holdfast.tenant('lobby').usage()).toMatchObject({ connections: 2 })
    second.leave()
    await cluster.clock.pass(100, 10)
    expect((await join(one, {})).got('welcome')).toHaveLength(1)
    expect(first.got('goodbye')).toHaveLength(0)
  })

  it('cannot come back as somebody else who was anonymous, with the session of whom they know', async () => {
    await start(options)
    const first = await join(one, {})
    first.leave()
    await cluster.clock.pass(100, 10)
    const second = await join(other, { resume: resumeOf(first) })
    expect(second.got('welcome')).toMatchObject([{ tenant: 'lobby', session: { resumed: false } }])
    expect(second.got('welcome')[0]?.['user']).not.toBe(first.got('welcome')[0]?.['user'])
  })
})
