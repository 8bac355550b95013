import { afterAll, beforeAll, expect, it } from 'vitest'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { machineTime } from '../kit/machine-time.js'
import { WireClient } from '../kit/wire-client.js'
import { CHANNELS, TENANT, join, tokenOf } from './pair.js'

const ROOM = 'room:everybody'
const MEMBERS = 300
/** How many of them resume on the other nodes. */
const RESUMING = MEMBERS / 2
const LEASE_MS = 5_000

let redis: RedisServer
let nodes: NodeProcess[]
/** On the two nodes that live on. */
let watchers: WireClient[]

beforeAll(async () => {
  redis = await RedisServer.start()
  const engine = { redis: `redis://127.0.0.1:${redis.port}` }
  const cluster = { renewMs: 1_000, leaseMs: LEASE_MS }
  const options = { engine, cluster, channels: CHANNELS }
  nodes = await Promise.all(['n0', 'n1', 'n2'].map((node) => NodeProcess.start({ ...options, node })))
  watchers = await Promise.all([urlOf(1), urlOf(2)].map((url, at) => member(url, `watcher-${at}`)))
})

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis.stop()
})

const urlOf = (at: number): string => nodes[at]?.url ?? ''

async function member(url: string, user: string): Promise<WireClient> {
  const client = await join(url, user)
  await client.ask({ type: 'subscribe', channel: ROOM, presence: true })
  return client
}

/** The members of the killed node of whom a watcher was told this, in order. */
const told = (watcher: WireClient, type: 'joined' | 'left' | 'updated'): string[] =>
  watcher
    .of(type)
    .map(({ member: { user } }) => user)
    .filter((user) => user.startsWith('member-'))

it(`${MEMBERS} members of a killed node leave everywhere within the lease, once, but for those who resume: they are not seen to go`, async () => {
  const clients: WireClient[] = []
  for (let at = 0; at < MEMBERS; at += 50)
    clients.push(
      ...(await Promise.all(Array.from({ length: 50 }, (_, next) => member(urlOf(0), `member-${at + next}`)))),
    )
  await eventually('all are seen', () => watchers.every((watcher) => told(watcher, 'joined').length === MEMBERS))
  // The record of the last is written, with its channel, within a second.
  await Promise.all(clients.map((client) => client.ask({ type: 'state', data: 'present' })))
  await eventually('all are saved', async () => (await nodes[0]?.ask('stats', null))?.cluster.sessionsUnsaved === 0)
  const killedAt = machineTime()
  await nodes[0]?.kill9()
  const resumed = await Promise.all(clients.slice(0, RESUMING).map(resumeElsewhere))
  const resumedMs = machineTime() - killedAt
  expect(resumed.filter((session) => session.resumed)).toHaveLength(RESUMING)
  await eventually('the others have left', () =>
    watchers.every((watcher) => told(watcher, 'left').length >= MEMBERS - RESUMING),
  )
  const leftMs = machineTime() - killedAt
  expect(leftMs).toBeLessThan(LEASE_MS + 2_000)
  // Whoever would be told of them twice has been by then.
  await watchers[0]?.ask({ type: 'subscribe', channel: 'room:other', presence: true })
  const gone = clients.slice(RESUMING).map((_, at) => `member-${at + RESUMING}`)
  for (const watcher of watchers) {
    expect(told(watcher, 'left').toSorted()).toEqual(gone.toSorted())
    expect(told(watcher, 'joined')).toHaveLength(MEMBERS)
    expect(told(watcher, 'updated')).toEqual([])
  }
  for (const node of nodes.slice(1)) {
    const { counts } = await node.ask('presence', { tenant: TENANT, channel: ROOM })
    expect(counts).toEqual({ members: RESUMING + 2, connections: RESUMING + 2 })
  }
  printFigures(`a killed node with ${MEMBERS} members`, {
    'all who resume have, ms': resumedMs,
    'the others have left, ms': leftMs,
  })
})

async function resumeElsewhere(client: WireClient, at: number): Promise<{ readonly resumed: boolean }> {
  const { id, secret } = (await client.welcome()).session
  const resume = { session: id, secret, positions: {} }
  const again = await WireClient.welcomed(urlOf(1 + (at % 2)), { token: tokenOf(`member-${at}`), resume })
  return (await again.welcome()).session
}
