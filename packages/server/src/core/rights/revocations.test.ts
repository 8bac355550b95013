import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HoldfastOptions } from '../../options.js'
import { settle } from '../../simulated-clock.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../../testing/simulated-cluster.js'
import { TEST_SECRET } from '../../testing/test-node.js'
import { signTokenAt } from '../../access/token.js'
import { CONTROL_READERS } from '../nodes/control-messages.js'
import { HeardWithdrawals, decodeWithdrawal, withdrawalKey } from './withdrawal.js'

let cluster: SimulatedCluster
let one: SimulatedNode
let other: SimulatedNode

beforeEach(async () => {
  cluster = new SimulatedCluster()
  one = await cluster.start('n1')
  other = await cluster.start('n2')
})
afterEach(() => cluster.close())

const REVOKED = { code: 1008, reason: 'Token revoked' }

const tokenOf = (tokenId: string, tenant = 'acme', ttlSeconds = 3_600): string =>
  signTokenAt({ secret: TEST_SECRET, tenant, user: 'ada', tokenId, ttlSeconds }, cluster.clock.now())

const tokenFor = (user: string): string =>
  signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user }, cluster.clock.now())

/** Believes everybody to be ada of acme, with a token that was issued then. */
const anyone = (issuedAt: number | undefined): Partial<HoldfastOptions> => ({
  auth: {
    authenticate: () => ({
      identity: {
        tenant: 'acme',
        user: 'ada',
        roles: [],
        grants: {},
        expiresAt: undefined,
        tokenId: undefined,
        issuedAt,
      },
    }),
  },
})

describe('a token that is withdrawn', () => {
  it('ends its connections on every node, and no others, and welcomes nobody any more', async () => {
    const token = tokenOf('t1')
    const [here, there] = [await one.join('ada', { token }), await other.join('ada', { token })]
    const spared = [
      await one.join('ada', { token: tokenOf('t2') }),
      await one.join('ada', { token: tokenOf('t1', 'other') }),
      await one.join('ada'),
    ]
    await one.holdfast.tenant('acme').revokeToken('t1')
    await cluster.clock.pass(10)
    expect([here.socket.closedWith, there.socket.closedWith]).toEqual([REVOKED, REVOKED])
    expect(spared.map(({ socket }) => socket.closedWith)).toEqual([undefined, undefined, undefined])
    expect((await other.join('ada', { token })).socket.closedWith).toEqual(REVOKED)
  })

  it('cannot refresh a connection', async () => {
    const peer = await one.join('ada', { token: tokenOf('t2') })
    await one.holdfast.tenant('acme').revokeToken('t1')
    peer.say({ type: 'refresh', id: 1, token: tokenOf('t1') })
    await cluster.clock.pass(10)
    expect(peer.got('error')).toMatchObject([{ id: 1, code: 'permission_denied' }])
  })

  it('is looked for by a node that could not hear of it, as soon as it can', async () => {
    const peer = await other.join('ada', { token: tokenOf('t1') })
    other.cut()
    await one.holdfast.tenant('acme').revokeToken('t1')
    await cluster.clock.pass(1_000)
    expect(peer.socket.closedWith).toBeUndefined()
    other.heal()
    await cluster.clock.pass(1_000)
    expect(peer.socket.closedWith).toEqual(REVOKED)
  })

  it('counts again after its time', async () => {
    await one.holdfast.tenant('acme').revokeToken('t1', { ttl: '10s' })
    await cluster.clock.pass(11_000)
    expect((await other.join('ada', { token: tokenOf('t1') })).socket.closedWith).toBeUndefined()
  })

  it('is not taken for granted while nobody can say: such a token has to come again, others are welcome', async () => {
    one.cut()
    const refused = await one.join('ada', { token: tokenOf('t1') })
    expect(refused.socket.closedWith).toEqual({ code: 1011, reason: 'Internal error' })
    expect((await one.join('ada')).socket.closedWith).toBeUndefined()
  })

  it('is withdrawn by its id and for a time, or not at all', async () => {
    const acme = one.holdfast.tenant('acme')
    await expect(acme.revokeToken('')).rejects.toThrow('tokenId must be 1 to 256 characters')
    await expect(acme.revokeToken('t1', { ttl: 'soon' })).rejects.toThrow('ttl must be milliseconds or text such as 1h')
    one.cut()
    await expect(acme.revokeToken('t1')).rejects.toMatchObject({ code: 'engine_unavailable', retryable: true })
  })
})

describe('the tokens of a user', () => {
  const stateOf = (...peers: Peer[]): unknown[] => peers.map(({ socket }) => socket.closedWith)

  it("end on every node when they are withdrawn, with an id and without, and nobody else's do", async () => {
    const theirs = [
      await one.join('ada'),
      await one.join('ada', { token: tokenOf('t1') }),
      await other.join('ada', { token: tokenOf('t2') }),
    ]
    const spared = [
      await one.join('bob'),
      await other.join('ada', { token: tokenOf('t1', 'other') }),
      await other.join('adam'),
    ]
    await cluster.clock.pass(1)
    await one.holdfast.tenant('acme').user('ada').revoke()
    await cluster.clock.pass(10)
    expect(stateOf(...theirs)).toEqual([REVOKED, REVOKED, REVOKED])
    expect(stateOf(...spared)).toEqual([undefined, undefined, undefined])
  })

  it('are refused from then on, and those of a later second are good', async () => {
    const [before, withId] = [tokenFor('ada'), tokenOf('t1')]
    await cluster.clock.pass(500)
    await one.holdfast.tenant('acme').user('ada').revoke()
    expect(stateOf(await other.join('ada', { token: before }), await one.join('ada', { token: withId }))).toEqual([
      REVOKED,
      REVOKED,
    ])
    await cluster.clock.pass(1_000)
    const after = tokenFor('ada')
    expect(stateOf(await other.join('ada', { token: after }), await one.join('ada', { token: after }))).toEqual([
      undefined,
      undefined,
    ])
  })

  it('are told apart by when they were issued', async () => {
    const early = await one.join('ada')
    await cluster.clock.pass(10_000)
    const moment = cluster.clock.now() - 1_000
    const late = await one.join('ada')
    await cluster.clock.pass(10_000)
    await other.holdfast
      .tenant('acme')
      .user('ada')
      .revoke({ issuedBefore: new Date(moment) })
    await cluster.clock.pass(10)
    expect(stateOf(early, late)).toEqual([REVOKED, undefined])
  })

  it('count as withdrawn when nobody knows when they were issued', async () => {
    const node = await cluster.start('n3', { ...anyone(undefined) })
    const peer = await node.join('ada')
    await one.holdfast.tenant('acme').user('ada').revoke({ issuedBefore: 1 })
    await cluster.clock.pass(10)
    expect(stateOf(peer, await node.join('ada'))).toEqual([REVOKED, REVOKED])
  })

  it('neither refresh a connection nor resume a session; a refreshed connection is judged by its new token', async () => {
    const old = tokenFor('ada')
    const peer = await one.join('ada', { token: old })
    await cluster.clock.pass(2_000)
    peer.say({ type: 'refresh', id: 1, token: tokenFor('ada') })
    await cluster.clock.pass(10)
    const gone = await other.join('ada', { token: old })
    await one.holdfast
      .tenant('acme')
      .user('ada')
      .revoke({ issuedBefore: cluster.clock.now() - 1_000 })
    await cluster.clock.pass(10)
    expect(stateOf(peer, gone)).toEqual([undefined, REVOKED])
    peer.say({ type: 'refresh', id: 2, token: old })
    await cluster.clock.pass(10)
    expect(peer.got('error')).toMatchObject([{ id: 2, code: 'permission_denied' }])
    expect(stateOf(await one.join('ada', { token: old, resume: gone.resume() }))).toEqual([REVOKED])
    expect((await one.join('ada', { resume: gone.resume() })).got('welcome')).toMatchObject([
      { session: { resumed: true } },
    ])
  })

  it('are looked for by a node that could not hear of it, and judged by what it has heard while it cannot ask', async () => {
    const [ada, bob] = [await other.join('ada'), await other.join('bob')]
    const old = [tokenFor('ada'), tokenFor('bob')] as const
    await cluster.clock.pass(1_000)
    await one.holdfast.tenant('acme').user('bob').revoke()
    await cluster.clock.pass(10)
    other.cut()
    await one.holdfast.tenant('acme').user('ada').revoke()
    await cluster.clock.pass(100)
    expect(stateOf(ada, bob)).toEqual([undefined, REVOKED])
    expect(stateOf(await other.join('bob', { token: old[1] }), await other.join('ada', { token: old[0] }))).toEqual([
      REVOKED,
      undefined,
    ])
    other.heal()
    await cluster.clock.pass(1_000)
    expect(stateOf(ada)).toEqual([REVOKED])
  })

  it('stay withdrawn whatever is withdrawn later', async () => {
    const acme = one.holdfast.tenant('acme').user('ada')
    const old = tokenFor('ada')
    await cluster.clock.pass(5_000)
    await acme.revoke({ ttl: '1h' })
    await acme.revoke({ issuedBefore: 1, ttl: '1s' })
    await cluster.clock.pass(10_000)
    expect(stateOf(await other.join('ada', { token: old }))).toEqual([REVOKED])
  })

  it('withdrawn on both nodes at once end as by the later of the two', async () => {
    const peers = [await one.join('ada'), await other.join('ada')]
    const late = cluster.clock.now() + 1
    await Promise.all([
      one.holdfast.tenant('acme').user('ada').revoke({ issuedBefore: 1 }),
      other.holdfast.tenant('acme').user('ada').revoke({ issuedBefore: late }),
      one.holdfast.tenant('acme').user('ada').revoke({ issuedBefore: 2 }),
    ])
    await cluster.clock.pass(10)
    expect(stateOf(...peers)).toEqual([REVOKED, REVOKED])
    expect(JSON.parse((await cluster.engine.records.get('revoked-user:4:acme3:ada'))?.value ?? '')).toMatchObject({
      issuedBefore: late,
    })
  })

  it('end while a handshake goes on: nobody slips in between the look and the welcome', async () => {
    const token = tokenFor('ada')
    await cluster.clock.pass(1_000)
    const records = cluster.engine.records
    const get = records.get.bind(records)
    let revoked: Promise<void> | undefined
    // What is read now is old by the time that it arrives.
    records.get = async (key) => {
      const record = await get(key)
      if (key.startsWith('revoked-user:')) {
        revoked ??= one.holdfast.tenant('acme').user('ada').revoke()
        await settle()
      }
      return record
    }
    const peer = await other.join('ada', { token })
    await revoked
    expect(stateOf(peer)).toEqual([REVOKED])
    expect(peer.got('welcome')).toEqual([])
  })

  it('are withdrawn from a moment on and for a time, or not at all', async () => {
    const ada = one.holdfast.tenant('acme').user('ada')
    await expect(ada.revoke({ issuedBefore: new Date(NaN) })).rejects.toThrow('issuedBefore must be a date')
    await expect(ada.revoke({ ttl: 0 })).rejects.toThrow('ttl must be milliseconds or text such as 1h')
    one.cut()
    await expect(ada.revoke()).rejects.toMatchObject({ code: 'engine_unavailable', retryable: true })
    expect(stateOf(await one.join('ada', { token: tokenFor('ada') }))).toEqual([undefined])
  })
})

describe('the tokens of a tenant', () => {
  it("end on every node when they are withdrawn, and no other tenant's do; later ones are good", async () => {
    const theirs = [await one.join('ada'), await other.join('bob'), await other.join('ada', { token: tokenOf('t1') })]
    const spared = await other.join('ada', { token: tokenOf('t1', 'other') })
    const old = tokenFor('ada')
    await cluster.clock.pass(1_000)
    await one.holdfast.tenant('acme').revokeAll()
    await cluster.clock.pass(10)
    expect(theirs.map(({ socket }) => socket.closedWith)).toEqual([REVOKED, REVOKED, REVOKED])
    expect(spared.socket.closedWith).toBeUndefined()
    expect((await other.join('ada', { token: old })).socket.closedWith).toEqual(REVOKED)
    await cluster.clock.pass(1_000)
    expect((await other.join('ada')).socket.closedWith).toBeUndefined()
  })

  it('cost the handshakes of a second one read for all', async () => {
    let reads = 0
    const records = cluster.engine.records
    const get = records.get.bind(records)
    records.get = (key) => {
      if (key.startsWith('revoked-tenant:')) reads += 1
      return get(key)
    }
    for (const user of ['a', 'b', 'c', 'd']) await one.join(user)
    expect(reads).toBe(1)
    await cluster.clock.pass(1_000)
    await one.join('e')
    expect(reads).toBe(2)
  })
})

describe('what nodes of other versions say', () => {
  const read = CONTROL_READERS['token.revoke'].ask

  it('is understood as far as it goes: a token by its id alone, and what is new left out', () => {
    expect(read({ tenant: 'acme', tokenId: 't1' })).toEqual({ tenant: 'acme', tokenId: 't1' })
    expect(read({ tenant: 'acme', user: 'ada', issuedBefore: 5, until: 9, colour: 'red' })).toEqual({
      tenant: 'acme',
      user: 'ada',
      issuedBefore: 5,
      until: 9,
    })
  })

  it.each([
    [undefined],
    [{}],
    [{ tenant: 7 }],
    [{ tenant: 'acme', user: 7 }],
    [{ tenant: 'acme', tokenId: null }],
    [{ tenant: 'acme', user: 'ada', issuedBefore: 'now' }],
    [{ tenant: 'acme', user: 'ada', until: -1 }],
    [{ tenant: 'acme', user: 'ada', from: 1.5 }],
  ])('is not believed where it is %j', (value: unknown) => {
    expect(read(value)).toBeUndefined()
  })
})

describe('what a node has heard of withdrawals', () => {
  it('is bounded: the oldest goes first', () => {
    const heard = new HeardWithdrawals()
    const withdrawal = { issuedBefore: Infinity, from: 0, until: 10 }
    for (let at = 0; at <= 10_000; at += 1) heard.add(withdrawalKey({ tenant: 'acme', tokenId: `t${at}` }), withdrawal)
    expect(heard.size).toBe(10_000)
    const endOf = (tokenId: string): number => heard.endOf({ tenant: 'acme', user: 'ada', tokenId }, 5)
    expect([endOf('t0'), endOf('t1'), endOf('t10000')]).toEqual([Infinity, 0, 0])
    expect(heard.endOf({ tenant: 'acme', user: 'ada', tokenId: 't1' }, 10)).toBe(Infinity)
  })

  it('withdraws everything that it cannot read, and keeps tenants, users and tokens apart', () => {
    const everything = { issuedBefore: Infinity, from: 0, until: 7 }
    for (const text of ['revoked', '', 'null', '[]', '{"issuedBefore":"x"}', '7'])
      expect(decodeWithdrawal(text, 7)).toEqual(everything)
    const names = ['a', 'b', '1:a', 'a1:b', '', '2:ab', ':']
    const scopes = names.flatMap((tenant) => [
      { tenant },
      ...names.flatMap((name) => [
        { tenant, user: name },
        { tenant, tokenId: name },
      ]),
    ])
    expect(new Set(scopes.map(withdrawalKey)).size).toBe(scopes.length)
  })
})
