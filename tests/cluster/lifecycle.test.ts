import { type LifecycleEvent, signToken } from '@holdfast/server'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { EventReceiver } from '../kit/event-receiver.js'
import { printFigures } from '../kit/figures.js'
import { machineTime } from '../kit/machine-time.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'

const WEBHOOK_SECRET = 'qZ7vN2xK9bT4mW1sR8yC5jL6hD3gF0pA'
const TYPES = ['connected', 'resumed', 'disconnected', 'occupied', 'vacated', 'joined', 'left'] as const

const LEASE_MS = 3_000
/** A few seconds after the lease of a dead node has lapsed everything about it was told. */
const TOLD_WITHIN_MS = LEASE_MS + 6_000

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function startReceiver(): Promise<EventReceiver> {
  const receiver = await EventReceiver.start(WEBHOOK_SECRET)
  ends.push(() => receiver.close())
  return receiver
}

interface Cluster {
  readonly redis: RedisServer
  readonly nodes: readonly NodeProcess[]
}

async function startCluster(count: number, events: readonly object[]): Promise<Cluster> {
  const redis = await RedisServer.start()
  ends.push(() => redis.stop())
  const nodes: NodeProcess[] = []
  for (let at = 0; at < count; at += 1) {
    const node = await NodeProcess.start({
      node: `n${at}`,
      engine: { redis: redis.url },
      channels: { 'room:*': { publish: 'member', presence: true, history: { size: 100, ttl: '1h' } } },
      cluster: { renewMs: 500, leaseMs: LEASE_MS },
      presence: { graceMs: 500 },
      drain: { windowMs: 100, deadlineMs: 1_000 },
      webhooks: { secret: WEBHOOK_SECRET, allowPrivate: true, events: events as [] },
    })
    ends.push(() => node.stop())
    nodes.push(node)
  }
  return { redis, nodes }
}

async function join(
  node: NodeProcess | undefined,
  user: string,
  channel: string,
  tenant = 'acme',
): Promise<WireClient> {
  const token = signToken({ secret: SECRET, tenant, user, ttlSeconds: 600 })
  const client = await WireClient.welcomed(node?.url ?? '', { token })
  ends.push(async () => client.close())
  await client.ask({ type: 'subscribe', channel, presence: true })
  return client
}

const of = (events: readonly LifecycleEvent[], connection: string): string[] =>
  events.filter((event) => 'connection' in event && event.connection === connection).map(({ type }) => type)

describe('a node that is killed', () => {
  it('is told of by those that survive it: its connections, members and channels, each in order, signed', async () => {
    const receiver = await startReceiver()
    const { nodes } = await startCluster(3, [{ url: receiver.url, events: TYPES }])
    // The first looks after the others and delivers: it is the worst to lose.
    const [first, second] = nodes
    const lost = await Promise.all(['ada', 'eve'].map((user) => join(first, user, 'room:1')))
    await join(first, 'cora', 'room:2')
    const kept = await join(second, 'bob', 'room:2')
    await Promise.all([receiver.took('connected', 'bob'), receiver.took('occupied', 'room:1')])
    await Promise.all(['ada', 'eve', 'cora'].map((user) => receiver.took('connected', user)))

    await first?.kill9()
    const killedAt = machineTime()
    for (const user of ['ada', 'eve', 'cora']) await receiver.took('disconnected', user, TOLD_WITHIN_MS)
    await receiver.took('vacated', 'room:1', TOLD_WITHIN_MS)
    const vacatedAfterMs = machineTime() - killedAt
    await receiver.took('left', 'room:2', TOLD_WITHIN_MS)
    printFigures('told of a killed node', {
      'all of it after, ms': Math.round(machineTime() - killedAt),
      'lease, ms': LEASE_MS,
      repetitions: receiver.repetitions,
    })

    expect(vacatedAfterMs).toBeLessThan(TOLD_WITHIN_MS)
    for (const client of lost) {
      const [welcome] = client.of('welcome')
      expect(of(receiver.events, welcome?.connection ?? '')).toEqual(['connected', 'disconnected'])
    }
    const disconnected = receiver.events.filter(({ type }) => type === 'disconnected')
    expect(disconnected).toHaveLength(3)
    for (const event of disconnected) expect(event).toMatchObject({ code: 1006, reason: 'Node lost', node: 'n0' })
    expect(receiver.words('room:1', ['occupied', 'vacated'])).toEqual(['occupied', 'vacated'])
    expect(receiver.words('room:1', ['joined', 'left']).toSorted()).toEqual(['joined', 'joined', 'left', 'left'])
    expect(receiver.words('room:2', ['occupied', 'vacated'])).toEqual(['occupied'])
    expect(receiver.words('room:2', ['left'])).toEqual(['left'])
    expect(receiver.words('bob')).toEqual(['connected'])
    expect(receiver.unsigned).toBe(0)
    expect(await kept.ask({ type: 'presence', channel: 'room:2' })).toMatchObject({ type: 'ok' })
  }, 60_000)

  it('that was only frozen tells of its connections again when it goes on', async () => {
    const receiver = await startReceiver()
    const { nodes } = await startCluster(2, [{ url: receiver.url, events: TYPES }])
    const [, second] = nodes
    await join(second, 'ada', 'room:1')
    await Promise.all([receiver.took('connected', 'ada'), receiver.took('joined', 'room:1')])
    second?.pause()
    await receiver.took('disconnected', 'ada', TOLD_WITHIN_MS)
    await receiver.took('vacated', 'room:1', TOLD_WITHIN_MS)
    await receiver.took('left', 'room:1', TOLD_WITHIN_MS)
    second?.resume()
    await receiver.took('resumed', 'ada', 15_000)
    const isBack = (): boolean => receiver.words('room:1').slice(-2).toSorted().join() === 'joined,occupied'
    await eventually('the channel is occupied again', isBack, 15_000)
    expect(receiver.words('ada')).toEqual(['connected', 'disconnected', 'resumed'])
  }, 60_000)
})

describe('a node that leaves', () => {
  it('has told of the end of its connections when it is gone', async () => {
    const receiver = await startReceiver()
    const { nodes } = await startCluster(2, [{ url: receiver.url, events: TYPES }])
    const [first] = nodes
    await join(first, 'ada', 'room:1')
    await receiver.took('joined', 'room:1')
    expect(await first?.term()).toBe(0)
    expect(await receiver.took('disconnected', 'ada', 3_000)).toMatchObject({ code: 1012, reason: 'Service restart' })
    await receiver.took('vacated', 'room:1', TOLD_WITHIN_MS)
    await receiver.took('left', 'room:1', TOLD_WITHIN_MS)
  }, 60_000)
})

describe('a receiver that fails', () => {
  it('delays nobody else, and gets all that it missed, in order', async () => {
    const [failing, healthy] = [await startReceiver(), await startReceiver()]
    failing.answer = () => 500
    const { nodes } = await startCluster(2, [
      { url: failing.url, events: TYPES, tenant: 'acme' },
      { url: healthy.url, events: TYPES, tenant: 'other' },
    ])
    const [first, second] = nodes
    for (const user of ['ada', 'eve']) await join(first, user, 'room:1')
    const others = await join(second, 'zoe', 'room:1', 'other')
    await healthy.took('joined', 'room:1', 3_000)
    await others.close()
    await healthy.took('vacated', 'room:1', 3_000)
    expect(failing.requests.length).toBeGreaterThan(0)
    failing.answer = () => 200
    for (const user of ['ada', 'eve']) await failing.took('connected', user, 40_000)
    await failing.took('occupied', 'room:1', 40_000)
    expect(failing.words('room:1', ['joined'])).toHaveLength(2)
    expect(
      [...failing.requests, ...healthy.requests].every(({ events, tenant }) =>
        events.every((event) => event.tenant === tenant),
      ),
    ).toBe(true)
    expect(failing.events.every(({ tenant }) => tenant === 'acme')).toBe(true)
    expect(healthy.events.every(({ tenant }) => tenant === 'other')).toBe(true)
  }, 90_000)
})
