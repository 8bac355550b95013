import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SimulatedCluster, type SimulatedNode } from '../testing/simulated-cluster.js'
import { TEST_SECRET } from '../testing/test-node.js'
import { signTokenAt } from '../access/token.js'

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
