import { afterEach, describe, expect, it } from 'vitest'
import type { HoldfastOptions } from '../../options.js'
import { SimulatedCluster } from '../../testing/simulated-cluster.js'
import { type TestNode, startNode } from '../../testing/test-node.js'

const history = { size: 100, ttl: '1h' } as const

describe('a recheck of a user', () => {
  let cluster: SimulatedCluster

  afterEach(() => cluster.close())

  /** Two nodes whose rule asks a list that the test changes. */
  async function twoNodes(): Promise<{
    members: Set<string>
    nodes: Awaited<ReturnType<SimulatedCluster['start']>>[]
  }> {
    cluster = new SimulatedCluster()
    const members = new Set(['room:1', 'room:2', 'slow:1'])
    const options: Partial<HoldfastOptions> = {
      channels: {
        'room:*': { subscribe: (_, channel) => members.has(channel), history },
        'slow:*': { subscribe: (_, channel) => Promise.resolve(members.has(channel)) },
      },
    }
    return { members, nodes: [await cluster.start('n1', options), await cluster.start('n2', options)] }
  }

  it('ends what is allowed no more, on every node and for no other user', async () => {
    const { members, nodes } = await twoNodes()
    const [n1, n2] = nodes
    const peers = [await n1!.join('ada'), await n2!.join('ada'), await n2!.join('bob')]
    for (const peer of peers)
      for (const channel of ['room:1', 'room:2', 'slow:1']) peer.say({ type: 'subscribe', channel })
    await cluster.clock.pass(20, 1)
    for (const peer of peers) expect(peer.got('subscribed')).toHaveLength(3)
    members.delete('room:2')
    members.delete('slow:1')
    const recheck = n1!.holdfast.tenant('acme').recheck('ada')
    await cluster.clock.pass(100, 1)
    expect(await recheck).toBe(2)
    for (const peer of peers.slice(0, 2))
      expect(peer.got('unsubscribed')).toMatchObject([
        { channel: 'room:2', code: 'permission_denied' },
        { channel: 'slow:1', code: 'permission_denied' },
      ])
    expect(peers[2]?.got('unsubscribed')).toEqual([])
    const told = n1!.holdfast.tenant('acme').publish('room:1', 'still', 1)
    await cluster.clock.pass(20, 1)
    await told
    for (const peer of peers) expect(peer.got('message')).toMatchObject([{ channel: 'room:1', event: 'still' }])
  })

  it('finds nobody in another tenant', async () => {
    const { members, nodes } = await twoNodes()
    const ada = await nodes[0]!.join('ada')
    ada.say({ type: 'subscribe', channel: 'room:1' })
    await cluster.clock.pass(20, 1)
    members.clear()
    const recheck = nodes[0]!.holdfast.tenant('globex').recheck('ada')
    await cluster.clock.pass(100, 1)
    expect(await recheck).toBe(0)
    expect(ada.got('unsubscribed')).toEqual([])
  })

  it('is made at a resume, on whichever node that happens', async () => {
    const { members, nodes } = await twoNodes()
    const [n1, n2] = nodes
    const ada = await n1!.join('ada')
    for (const channel of ['room:1', 'room:2', 'slow:1']) ada.say({ type: 'subscribe', channel })
    await cluster.clock.pass(20, 1)
    ada.handler.closed(1006, false)
    members.delete('room:2')
    members.delete('slow:1')
    await cluster.clock.pass(50)
    const back = await n2!.join('ada', { resume: ada.resume() })
    expect(back.got('welcome')).toMatchObject([{ session: { resumed: true } }])
    expect(back.got('subscribed')).toMatchObject([{ channel: 'room:1' }])
    expect(back.got('unsubscribed').map(({ channel, code }) => [channel, code])).toEqual([
      ['room:2', 'permission_denied'],
      ['slow:1', 'permission_denied'],
    ])
  })

  it('is made at a recovery: a position is no right', async () => {
    const { members, nodes } = await twoNodes()
    const ada = await nodes[0]!.join('ada')
    ada.say({ type: 'subscribe', channel: 'room:1' })
    await cluster.clock.pass(20, 1)
    const since = ada.got('subscribed')[0]?.['position']
    ada.say({ type: 'unsubscribe', channel: 'room:1' })
    await nodes[0]!.holdfast.tenant('acme').publish('room:1', 'missed', 1)
    members.delete('room:1')
    ada.say({ type: 'subscribe', id: 1, channel: 'room:1', since: since as object })
    await cluster.clock.pass(20, 1)
    expect(ada.got('error')).toMatchObject([{ id: 1, code: 'permission_denied' }])
    expect(ada.got('message')).toEqual([])
  })
})

describe('a refresh', () => {
  let node: TestNode

  afterEach(() => node.close())

  it('ends what the new roles and grants do not allow, and leaves the rest', async () => {
    node = await startNode({
      channels: {
        'staff:*': { subscribe: 'role:staff', publish: 'member', history },
        'room:*': { subscribe: 'grant', presence: 'grant', publish: 'member', history },
      },
      roles: { host: { 'room:*': ['subscribe', 'presence'] } },
    })
    const claims = { roles: ['staff', 'host'], grants: { 'room:{user}': ['subscribe'] } }
    const ada = await node.join('ada', { claims })
    for (const channel of ['staff:1', 'room:1', 'room:ada']) await ada.request({ type: 'subscribe', channel })
    await ada.request({ type: 'subscribe', channel: 'room:2', presence: true })
    await ada.request({ type: 'refresh', token: node.token('ada', { ...claims, roles: [] }) })
    const ended = [await ada.next('unsubscribed'), await ada.next('unsubscribed'), await ada.next('unsubscribed')]
    expect(ended.map(({ channel }) => channel)).toEqual(['staff:1', 'room:1', 'room:2'])
    for (const channel of ['staff:1', 'room:1', 'room:ada'])
      await ada.request({ type: 'publish', channel, data: channel })
    await ada.request({ type: 'ping' })
    expect(ada.received.filter(({ type }) => type === 'message')).toMatchObject([{ channel: 'room:ada' }])
  })
})
