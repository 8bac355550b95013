import { CLOSE, decodeServerFrame } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { HoldfastError } from '../errors.js'
import type { TestClient } from '../../testing/test-client.js'
import { TEST_CHANNELS, TEST_SECRET, type TestNode, startNode } from '../../testing/test-node.js'

let node: TestNode

beforeEach(async () => {
  node = await startNode()
})

afterEach(() => node.close())

/** Restarts the node with other options. */
async function restart(options: Parameters<typeof startNode>[0]): Promise<void> {
  await node.close()
  node = await startNode(options)
}

/** Expects the goodbye and the close frame of an entry of the table. */
async function expectClose(client: TestClient, name: keyof typeof CLOSE, reconnect?: string): Promise<void> {
  const { code, reason } = CLOSE[name]
  expect(await client.closed).toEqual({ code, reason })
  expect(client.received.at(-1)).toEqual({
    type: 'goodbye',
    code,
    message: reason,
    reconnect: reconnect ?? CLOSE[name].reconnect,
  })
}

describe('the welcome', () => {
  it('says who the client is, where, and what the bounds are', async () => {
    const client = await node.open()
    const welcome = await client.hello(node.token('ada', { roles: ['staff'] }), { id: 7 })
    expect(decodeServerFrame(JSON.stringify(welcome))).toHaveLength(1)
    expect(welcome).toMatchObject({
      id: 7,
      tenant: 'acme',
      user: 'ada',
      roles: ['staff'],
      node: node.holdfast.node,
      session: { resumed: false, window: 300_000 },
      heartbeat: { interval: 25_000, timeout: 35_000 },
      limits: { messageBytesMax: 65_536, channelsMax: 256, commandsInFlightMax: 32, outboxBytesMax: 1_048_576 },
      channels: ['user:ada'],
    })
    expect(welcome).not.toHaveProperty('state')
  })

  it('comes before the verdict on each channel that it names', async () => {
    const client = await node.open('?channel=room:1')
    const { channels } = await client.hello(node.token('ada'))
    expect(channels).toEqual(['user:ada', 'room:1'])
    await client.next('subscribed', { channel: 'user:ada' })
    await client.next('subscribed', { channel: 'room:1', recovered: 'new' })
    expect(client.received[0]).toMatchObject({ type: 'welcome' })
  })

  it('comes before the answers to what was sent along with hello', async () => {
    const client = await node.open()
    const commands = [
      { type: 'hello', token: node.token('ada') },
      { type: 'subscribe', id: 1, channel: 'room:1' },
      { type: 'publish', id: 2, channel: 'room:1', data: 1 },
    ]
    client.send(commands.map((command) => JSON.stringify(command)).join('\n'))
    await client.next('message', { channel: 'room:1', data: 1 })
    const types = client.received.filter(({ channel }) => channel !== 'user:ada').map(({ type }) => type)
    expect(types.slice(0, 2)).toEqual(['welcome', 'subscribed'])
  })
})

describe('a session', () => {
  /** Sessions that were stored, for a node whose engine others could share. */
  async function restartShared(): Promise<string[]> {
    const stored: string[] = []
    const engine = new MemoryEngine()
    const { put } = engine.records
    engine.records.put = (key, ...rest) => {
      if (key.startsWith('session:')) stored.push(key)
      return put.call(engine.records, key, ...rest)
    }
    await restart({
      engine,
      cluster: { secret: TEST_SECRET },
      auth: { secret: TEST_SECRET, anonymous: { tenant: 'lobby', grants: {} } },
    })
    return stored
  }

  it('of somebody whose name was made up is not stored, and says so: nobody comes again under it', async () => {
    const stored = await restartShared()
    const nobody = await node.open()
    nobody.send({ type: 'hello' })
    const { session } = (await nobody.next('welcome')) as unknown as { session: { id: string; secret: string } }
    expect(session).toMatchObject({ window: 0, resumed: false })
    nobody.socket.close()
    await nobody.closed
    const again = await node.open()
    again.send({ type: 'hello', resume: { session: session.id, secret: session.secret, positions: {} } })
    expect(await again.next('welcome')).toMatchObject({ session: { resumed: false } })
    const ada = await node.join('ada')
    expect(ada.received[0]).toMatchObject({ session: { window: 300_000 } })
    await vi.waitFor(() => expect(stored).toHaveLength(1), 10_000)
    expect(stored[0]).toContain('ada')
  })
})

describe('a credential', () => {
  const other = { secret: 'another-secret-another-secret-another' }

  it('may come in hello, before all others', async () => {
    const client = await node.open(`?token=${node.token('query')}`, {
      headers: { authorization: `Bearer ${node.token('header')}` },
      protocols: ['holdfast.v1+json', `bearer.${node.token('protocol')}`],
    })
    expect(await client.hello(node.token('frame'))).toMatchObject({ user: 'frame' })
  })

  it('may come in the header, before subprotocol and query', async () => {
    const client = await node.open(`?token=${node.token('query')}`, {
      headers: { authorization: `bearer ${node.token('header')}` },
      protocols: ['holdfast.v1+json', `bearer.${node.token('protocol')}`],
    })
    client.send({ type: 'hello' })
    expect(await client.next('welcome')).toMatchObject({ user: 'header' })
  })

  it.each(['Bearer', 'Bearer a b', 'bearer  a.b c'])(
    'that is broken in the header (%s) is refused where anybody may come without one',
    async (authorization) => {
      await restart({ auth: { secret: TEST_SECRET, anonymous: { tenant: 'lobby', grants: {} } } })
      const nobody = await node.open('', { headers: { authorization: 'Basic dXNlcjpwYXNz' } })
      nobody.send({ type: 'hello' })
      expect(await nobody.next('welcome')).toMatchObject({ tenant: 'lobby' })
      const client = await node.open('', { headers: { authorization } })
      client.send({ type: 'hello' })
      await expectClose(client, 'invalidToken')
    },
  )

  it.each(['bearer.', 'jwt.', 'access_token.'])(
    'may come as a subprotocol entry %s, before the query',
    async (prefix) => {
      const client = await node.open(`?token=${node.token('query')}`, {
        protocols: ['holdfast.v1+json', `${prefix}${node.token('protocol')}`],
      })
      expect(client.socket.protocol).toBe('holdfast.v1+json')
      client.send({ type: 'hello' })
      expect(await client.next('welcome')).toMatchObject({ user: 'protocol' })
    },
  )

  it('may come in the query', async () => {
    const client = await node.open(`?token=${node.token('query')}`)
    client.send({ type: 'hello' })
    expect(await client.next('welcome')).toMatchObject({ user: 'query' })
  })

  it('in the query is not read in production', async () => {
    await restart({ environment: 'production', origins: { allow: [], allowMissing: true } })
    const client = await node.open(`?token=${node.token('query')}`)
    client.send({ type: 'hello' })
    await expectClose(client, 'authenticationRequired')
  })

  it('in the query is read in production where the options say so', async () => {
    await restart({
      environment: 'production',
      origins: { allow: [], allowMissing: true },
      auth: { secret: TEST_SECRET, queryToken: true },
    })
    const client = await node.open(`?token=${node.token('query')}`, { protocols: [] })
    expect(await client.next('welcome')).toMatchObject({ user: 'query' })
  })

  it('is the only one looked at: a wrong one in hello is not made good by another', async () => {
    const client = await node.open('', { headers: { authorization: `Bearer ${node.token('header')}` } })
    client.send({ type: 'hello', token: node.token('frame', other) })
    await expectClose(client, 'invalidToken')
  })

  it.each<[string, object, keyof typeof CLOSE]>([
    ['nowhere', {}, 'authenticationRequired'],
    ['forged', { token: 'a.b.c' }, 'invalidToken'],
  ])('that is %s is answered as the table says', async (_, members, name) => {
    const client = await node.open()
    client.send({ type: 'hello', ...members })
    await expectClose(client, name)
  })

  it('that has expired is told apart, so that the client fetches another', async () => {
    const client = await node.open()
    client.send({ type: 'hello', token: node.token('ada', { ttlSeconds: -10 }) })
    await expectClose(client, 'tokenExpired')
  })

  it('is judged by the application where it brings its own way', async () => {
    const identity = { tenant: 't', user: 'u', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }
    const authenticate = (credential: string) =>
      credential === 'open' ? Promise.resolve({ identity }) : { failure: 'revoked' as const, detail: '-' }
    await restart({ auth: { authenticate } })
    const client = await node.open()
    expect(await client.hello('open')).toMatchObject({ tenant: 't', user: 'u' })
    const refused = await node.open()
    refused.send({ type: 'hello', token: 'shut' })
    await expectClose(refused, 'tokenRevoked')
  })

  it('that the way of the application chokes on ends the connection, and nothing of it is told', async () => {
    const authenticate = (): never => {
      throw new HoldfastError('internal_error', 'the password is 1234')
    }
    await restart({ auth: { authenticate } })
    const client = await node.open()
    client.send({ type: 'hello', token: 'x' })
    await expectClose(client, 'internalError')
    expect(JSON.stringify(client.received)).not.toContain('1234')
  })
})

describe('a client that does not speak the protocol', () => {
  it('is welcomed at once when it came with a credential', async () => {
    const client = await node.open(`?token=${node.token('ada')}`, { protocols: [] })
    expect(await client.next('welcome')).toMatchObject({ user: 'ada' })
  })

  it('gets its token entry echoed, because browsers insist on one', async () => {
    const entry = `bearer.${node.token('ada')}`
    const client = await node.open('', { protocols: ['chat', entry] })
    expect(client.socket.protocol).toBe(entry)
    await client.next('welcome')
  })

  it('may say hello when it came without a credential', async () => {
    const client = await node.open('', { protocols: [] })
    expect(await client.hello(node.token('ada'))).toMatchObject({ user: 'ada' })
  })
})

describe('before the welcome', () => {
  it('a client that says nothing in time is sent away, to come again later: no credential was refused', async () => {
    await restart({ limits: { handshakeTimeoutMs: 100 }, heartbeat: { intervalMs: 100, timeoutMs: 1_000 } })
    const client = await node.open()
    await expectClose(client, 'authenticationRequired', 'backoff')
  })

  it('ping is answered, in both its forms', async () => {
    const client = await node.open()
    client.send('ping')
    client.send({ type: 'ping', id: 1, at: 'now' })
    expect(await client.next('pong')).toEqual({ type: 'pong', id: 1, at: 'now' })
    expect(client.words).toEqual(['pong'])
  })

  it.each([
    { type: 'subscribe', channel: 'room:1' },
    { type: 'publish', channel: 'room:1', data: 1 },
  ])('%j ends the connection', async (command) => {
    const client = await node.open()
    client.send(command)
    await expectClose(client, 'badRequest')
  })

  it('a second hello while the first is looked at does not count', async () => {
    const client = await node.open()
    client.send({ type: 'hello', token: node.token('ada') })
    client.send({ type: 'hello', id: 2, token: node.token('bob') })
    expect(await client.next('welcome')).toMatchObject({ user: 'ada' })
    expect(await client.next('error')).toMatchObject({ id: 2, code: 'bad_request', message: 'hello must be sent once' })
  })

  it('a frame may have 16 KiB', async () => {
    const client = await node.open()
    const hello = JSON.stringify({ type: 'hello', token: node.token('ada') })
    client.send(hello.padEnd(16_384))
    await client.next('welcome')
    const bigger = await node.open()
    bigger.send(hello.padEnd(16_385))
    await expectClose(bigger, 'messageTooBig')
  })

  it('a frame behind hello may be as large as any, and waits for the welcome', async () => {
    const client = await node.open()
    client.send({ type: 'hello', token: node.token('ada') })
    client.send({ type: 'publish', id: 1, channel: 'room:1', data: 'x'.repeat(60_000) })
    expect(await client.next('ok', { id: 1 })).toMatchObject({ offset: 1 })
    expect(client.received[0]).toMatchObject({ type: 'welcome' })
  })

  it('malformed frames count: too many end the connection', async () => {
    const client = await node.open()
    for (let count = 0; count < 10; count += 1) client.send('{')
    await expectClose(client, 'tooManyErrors')
  })
})

describe('the connections of a user', () => {
  it('are limited, and a place that is left is free again', async () => {
    await restart({ limits: { connectionsPerUserMax: 2 } })
    const [first] = [await node.join('ada'), await node.join('ada')]
    await node.join('bob')
    const third = await node.open()
    third.send({ type: 'hello', token: node.token('ada') })
    await expectClose(third, 'connectionLimit')
    await first.leave()
    await expect.poll(() => node.holdfast.stats().connections).toBe(2)
    await node.join('ada')
  })

  it('include one that resumes instead of the one it replaces', async () => {
    await restart({ limits: { connectionsPerUserMax: 1 } })
    const client = await node.open()
    const { session } = await client.hello(node.token('ada'))
    const { id, secret } = session as { id: string; secret: string }
    const next = await node.open()
    const welcome = await next.hello(node.token('ada'), { resume: { session: id, secret, positions: {} } })
    expect(welcome['session']).toMatchObject({ resumed: true })
  })
})

describe('a session that finds no place', () => {
  it('is kept for the next try', async () => {
    await restart({ limits: { connectionsPerUserMax: 1 } })
    const first = await node.open()
    const { session } = await first.hello(node.token('ada'))
    const { id, secret } = session as { id: string; secret: string }
    const resume = { session: id, secret, positions: {} }
    await first.leave()
    const other = await node.join('ada')
    const second = await node.open()
    second.send({ type: 'hello', token: node.token('ada'), resume })
    await expectClose(second, 'connectionLimit')
    await other.leave()
    await expect.poll(() => node.holdfast.stats().connections).toBe(0)
    const third = await node.open()
    const welcome = await third.hello(node.token('ada'), { resume })
    expect(welcome['session']).toMatchObject({ id, resumed: true })
  })
})

describe('the address', () => {
  it('names a channel that is refused: the client is told, and stays', async () => {
    const client = await node.open('?channel=staff:1')
    await client.hello(node.token('ada'))
    expect(await client.next('unsubscribed')).toMatchObject({ channel: 'staff:1', code: 'permission_denied' })
    expect(await client.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it.each(['nonsense', 'room:', 'room:%2F', ''])('names %j, which is no channel: the client is told', async (name) => {
    const client = await node.open(`?channel=${name}`)
    const welcome = await client.hello(node.token('ada'))
    expect(decodeServerFrame(JSON.stringify(welcome))).toHaveLength(1)
    expect(await client.next('error')).toMatchObject({ code: 'invalid_channel' })
  })
})

describe('a node with rules of its own for inboxes', () => {
  it('subscribes every connection to each', async () => {
    const mail = { inbox: true, history: { size: 10, ttl: '1h' } }
    await restart({ channels: { ...TEST_CHANNELS, 'mail:new:{user}': mail } })
    const client = await node.open()
    const { channels } = await client.hello(node.token('ada lovelace'))
    expect(channels).toEqual(['user:ada~20lovelace', 'mail:new:ada~20lovelace'])
  })
})
