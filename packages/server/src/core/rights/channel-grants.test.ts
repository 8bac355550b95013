import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HoldfastOptions } from '../../options.js'
import { signTokenAt } from '../../access/token.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../../testing/simulated-cluster.js'
import { TEST_SECRET } from '../../testing/test-node.js'

let cluster: SimulatedCluster
let one: SimulatedNode
let other: SimulatedNode

const CHANNELS: HoldfastOptions['channels'] = {
  'room:*': {
    subscribe: 'grant',
    publish: 'grant',
    presence: 'grant',
    history: { size: 100, ttl: '1h', read: 'grant' },
  },
  'closed:*': { subscribe: 'nobody', publish: 'server' },
}

beforeEach(async () => {
  cluster = new SimulatedCluster()
  one = await cluster.start('n1', { channels: CHANNELS })
  other = await cluster.start('n2', { channels: CHANNELS })
})
afterEach(() => cluster.close())

const ENDED = { code: 'permission_denied' }

const tokenFor = (
  user: string,
  options: {
    verbs?: readonly ('subscribe' | 'publish' | 'presence' | 'history')[]
    ttl?: string
    channel?: string
  } = {},
): string => {
  const { channel = 'room:42', ...rest } = options
  return one.holdfast.tenant('acme').user(user).channelToken(channel, rest)
}

/** Sends a command and answers what came of it. */
async function ask(peer: Peer, command: object): Promise<Record<string, unknown> | undefined> {
  const id = peer.socket.messages.length + 1
  peer.say({ id, ...command })
  await cluster.clock.pass(20, 5)
  return peer.socket.messages.find((message) => message['id'] === id)
}

const subscribe = (peer: Peer, token?: string, members: object = {}): ReturnType<typeof ask> =>
  ask(peer, { type: 'subscribe', channel: 'room:42', token, ...members })

const publish = (peer: Peer): ReturnType<typeof ask> => ask(peer, { type: 'publish', channel: 'room:42', data: 1 })

describe('a channel token', () => {
  it('opens its channel to its user, for its verbs and no others', async () => {
    const peer = await one.join('ada')
    expect(await subscribe(peer)).toMatchObject({ type: 'error', ...ENDED })
    expect(await subscribe(peer, tokenFor('ada'))).toMatchObject({ type: 'subscribed' })
    expect(await publish(peer)).toMatchObject({ type: 'error', ...ENDED })
    expect(await ask(peer, { type: 'history', channel: 'room:42' })).toMatchObject({ type: 'error' })
    expect(await subscribe(peer, tokenFor('ada', { verbs: ['subscribe', 'publish', 'presence'] }))).toMatchObject({
      type: 'subscribed',
    })
    expect(await publish(peer)).toMatchObject({ type: 'ok' })
    expect(await subscribe(peer, undefined, { presence: true })).toMatchObject({ type: 'subscribed' })
  })

  it('opens no other channel, and none whose rule does not say so', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada'))
    expect(await ask(peer, { type: 'subscribe', channel: 'room:43' })).toMatchObject({ type: 'error' })
    const closed = tokenFor('ada', { channel: 'closed:1', verbs: ['subscribe', 'publish'] })
    expect(await ask(peer, { type: 'subscribe', channel: 'closed:1', token: closed })).toMatchObject({ type: 'error' })
    expect(await ask(peer, { type: 'publish', channel: 'closed:1', data: 1 })).toMatchObject({ type: 'error' })
  })

  it("is nobody else's: not of another user, of another channel, or of the connection", async () => {
    const peer = await one.join('ada')
    const bearer = signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: 'ada' }, cluster.clock.now())
    const others = [
      tokenFor('bob'),
      tokenFor('ada', { channel: 'room:43' }),
      one.holdfast.tenant('other').user('ada').channelToken('room:42'),
      bearer,
    ]
    for (const token of others) {
      expect(await subscribe(peer, token)).toMatchObject({
        type: 'error',
        message: 'token must be a channel token for this channel, of this user, and not expired',
        ...ENDED,
      })
    }
    const posing = await one.join('ada', { token: tokenFor('ada') })
    expect(posing.socket.closedWith).toEqual({ code: 1008, reason: 'Invalid authentication token' })
  })

  it('ends its subscription with itself, and what else it allowed', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { verbs: ['subscribe', 'publish'], ttl: '10s' }))
    await cluster.clock.pass(9_000, 500)
    expect(peer.got('unsubscribed')).toEqual([])
    expect(await publish(peer)).toMatchObject({ type: 'ok' })
    await cluster.clock.pass(2_000, 500)
    expect(peer.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
    expect(await publish(peer)).toMatchObject({ type: 'error' })
    expect(await subscribe(peer)).toMatchObject({ type: 'error' })
  })

  it('is followed by a fresh one without a break', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { ttl: '10s' }))
    await cluster.clock.pass(5_000, 500)
    await subscribe(peer, tokenFor('ada', { ttl: '20s' }))
    await cluster.clock.pass(10_000, 500)
    expect(peer.got('unsubscribed')).toEqual([])
    await cluster.clock.pass(10_000, 500)
    expect(peer.got('unsubscribed')).toMatchObject([ENDED])
  })

  it('that is followed by one that allows less leaves nothing behind', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { ttl: '10s' }))
    expect(await subscribe(peer, tokenFor('ada', { verbs: ['publish'], ttl: '1h' }))).toMatchObject({ type: 'error' })
    expect(peer.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
    expect(await publish(peer)).toMatchObject({ type: 'ok' })
    expect(await subscribe(peer, tokenFor('ada'))).toMatchObject({ type: 'subscribed' })
    expect(peer.got('unsubscribed')).toHaveLength(1)
  })

  it('does not end a subscription that needs it no more', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { ttl: '10s' }))
    const grants = { 'room:42': ['subscribe'] }
    const token = signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: 'ada', grants }, cluster.clock.now())
    await ask(peer, { type: 'refresh', token })
    await cluster.clock.pass(12_000, 500)
    expect(peer.got('unsubscribed')).toEqual([])
  })

  it('holds on after a resume, on whichever node, and no longer than it would have', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { verbs: ['subscribe', 'publish'], ttl: '20s' }))
    peer.handler.closed(1006, false)
    await cluster.clock.pass(2_000, 500)
    const back = await other.join('ada', { resume: peer.resume() })
    expect(back.got('subscribed')).toMatchObject([{ channel: 'room:42' }])
    expect(await publish(back)).toMatchObject({ type: 'ok' })
    await cluster.clock.pass(20_000, 500)
    expect(back.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
  })

  it('that has expired by the time of a resume is worth nothing there', async () => {
    const peer = await one.join('ada')
    await subscribe(peer, tokenFor('ada', { ttl: '10s' }))
    peer.handler.closed(1006, false)
    await cluster.clock.pass(15_000, 500)
    const back = await other.join('ada', { resume: peer.resume() })
    expect(back.got('subscribed')).toEqual([])
    expect(back.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
  })

  it('goes with the tokens of its user when those are withdrawn', async () => {
    const channelToken = tokenFor('ada')
    await cluster.clock.pass(1_000)
    await one.holdfast.tenant('acme').user('ada').revoke()
    await cluster.clock.pass(1_000)
    const peer = await other.join('ada')
    expect(await subscribe(peer, channelToken)).toMatchObject({ type: 'error', ...ENDED })
    expect(await subscribe(peer, tokenFor('ada'))).toMatchObject({ type: 'subscribed' })
  })

  it('that was withdrawn does not come back with the session that held it', async () => {
    const [peer, bob] = [await one.join('ada'), await one.join('bob')]
    await subscribe(peer, tokenFor('ada', { verbs: ['subscribe', 'publish'] }))
    await subscribe(bob, tokenFor('bob'))
    await cluster.clock.pass(2_000, 500)
    const token = tokenFor('ada', { verbs: ['subscribe'], channel: 'room:43' })
    await cluster.clock.pass(2_000, 500)
    await one.holdfast.tenant('acme').user('ada').revoke()
    await cluster.clock.pass(2_000, 500)
    expect(peer.socket.closedWith).toMatchObject({ reason: 'Token revoked' })
    const late = await cluster.start('n3', { channels: CHANNELS })
    const back = await late.join('ada', { resume: peer.resume() })
    expect(back.got('welcome')).toMatchObject([{ session: { resumed: true } }])
    expect(back.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
    expect(await publish(back)).toMatchObject({ type: 'error', ...ENDED })
    expect(await ask(back, { type: 'subscribe', channel: 'room:43', token })).toMatchObject({ type: 'error', ...ENDED })
    expect(bob.got('unsubscribed')).toEqual([])
  })

  it('that was issued before what is withdrawn ends, though its connection came later', async () => {
    const channelToken = tokenFor('ada', { verbs: ['subscribe', 'publish'] })
    await cluster.clock.pass(5_000, 500)
    const issuedBefore = cluster.clock.now()
    const peer = await other.join('ada')
    expect(await subscribe(peer, channelToken)).toMatchObject({ type: 'subscribed' })
    await one.holdfast.tenant('acme').user('ada').revoke({ issuedBefore })
    expect(await publish(peer)).toMatchObject({ type: 'error', ...ENDED })
    await cluster.clock.pass(1_500, 500)
    expect(peer.socket.closedWith).toBeUndefined()
    expect(peer.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
  })

  it('is held for as many channels as a connection may have', async () => {
    const few = await cluster.start('n3', { channels: CHANNELS, limits: { channelsMax: 2 } })
    const peer = await few.join('ada')
    const take = (channel: string): ReturnType<typeof ask> =>
      ask(peer, { type: 'subscribe', channel, token: tokenFor('ada', { channel }) })
    await take('room:1')
    await take('room:2')
    expect(await take('room:3')).toMatchObject({ type: 'error', code: 'limit_exceeded' })
    expect(await take('room:2')).toMatchObject({ type: 'subscribed' })
  })

  it('does not keep its session out where there is room for fewer', async () => {
    const peer = await one.join('ada')
    for (const channel of ['room:1', 'room:2', 'room:3'])
      await ask(peer, { type: 'subscribe', channel, token: tokenFor('ada', { channel }) })
    const few = await cluster.start('n3', { channels: CHANNELS, limits: { channelsMax: 2 } })
    const back = await few.join('ada', { resume: peer.resume() })
    await cluster.clock.pass(100, 5)
    expect(back.got('welcome')).toMatchObject([{ session: { resumed: true } }])
    expect(back.got('subscribed').map(({ channel }) => channel)).toContain('room:1')
    expect(back.got('goodbye')).toEqual([])
  })

  it('is not worth more than it can be when the clock is put back', async () => {
    const peer = await one.join('ada')
    const record = { channels: [{ channel: 'room:42', presence: false }], grants: grantUntil(7_200_000) }
    peer.handler.closed(1006, false)
    await cluster.clock.pass(1_000, 100)
    const { session } = peer.resume()
    const key = `session:4:acme3:ada${session}`
    const stored = JSON.parse((await cluster.engine.records.get(key))?.value ?? '{}') as object
    await cluster.engine.records.put(key, JSON.stringify({ ...stored, ...record }), { ttlMs: 60_000 })
    const back = await other.join('ada', { resume: peer.resume() })
    expect(back.got('unsubscribed')).toMatchObject([{ channel: 'room:42', ...ENDED }])
  })
})

function grantUntil(ms: number): object[] {
  const now = cluster.clock.now()
  return [{ channel: 'room:42', verbs: ['subscribe'], issuedAt: now, expiresAt: now + ms }]
}
