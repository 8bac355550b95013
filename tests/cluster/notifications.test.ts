import { type LifecycleEvent, type NotificationReceipt, signToken } from '@holdfast/server'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { EventReceiver } from '../kit/event-receiver.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'

const WEBHOOK_SECRET = 'qZ7vN2xK9bT4mW1sR8yC5jL6hD3gF0pA'
const TYPES = ['notification.confirmed', 'notification.expired', 'notification.unreachable'] as const

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function startNodes(redis: RedisServer, receiver: EventReceiver, count: number): Promise<NodeProcess[]> {
  const nodes: NodeProcess[] = []
  for (let at = 0; at < count; at += 1) {
    const node = await NodeProcess.start({
      node: `n${at}`,
      engine: { redis: redis.url },
      channels: { 'user:{user}': { inbox: true, history: { size: 100, ttl: '1h' } } },
      cluster: { renewMs: 500, leaseMs: 3_000 },
      webhooks: { secret: WEBHOOK_SECRET, allowPrivate: true, events: [{ url: receiver.url, events: [...TYPES] }] },
    })
    ends.push(() => node.stop())
    nodes.push(node)
  }
  return nodes
}

const tokenOf = (user: string): string =>
  signToken({ secret: SECRET, tenant: 'acme', user, permissions: ['notify'], ttlSeconds: 600 })

async function device(node: NodeProcess, user: string): Promise<WireClient> {
  const client = await WireClient.welcomed(node.url, { token: tokenOf(user) })
  ends.push(async () => client.close())
  return client
}

async function ask(node: NodeProcess, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${node.port}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${tokenOf('mailer')}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: await answer.json() }
}

const receiptAt = async (node: NodeProcess, id: string, wait = ''): Promise<NotificationReceipt> =>
  (await ask(node, `/notifications/${id}${wait}`)).body as NotificationReceipt

/** The notifications that a device was given out of the inbox, or live. */
const given = (client: WireClient): string[] =>
  [...client.of('subscribed').flatMap(({ messages }) => messages), ...client.of('message')]
    .filter(({ event }) => event === 'notification')
    .map(({ data }) => (data as { id: string }).id)

const of = (events: readonly LifecycleEvent[], notification: string): string[] =>
  events.filter((event) => 'notification' in event && event.notification === notification).map(({ type }) => type)

describe('notifications on Redis, when the node that sent them is killed', () => {
  it('wait for a device on another node, remind it, and are confirmed there, each once', async () => {
    const redis = await RedisServer.start()
    ends.push(() => redis.stop())
    const receiver = await EventReceiver.start(WEBHOOK_SECRET)
    ends.push(() => receiver.close())
    const [sender, second, third] = (await startNodes(redis, receiver, 3)) as [NodeProcess, NodeProcess, NodeProcess]
    const send = (id: string, members: object): Promise<unknown> =>
      ask(sender, '/users/ada/notifications', { id, title: id, receipt: true, ...members })
    await send('short', { ttl: '4s' })
    await send('fire', { priority: 'critical' })
    await send('plain', {})
    expect(await receiptAt(sender, 'plain')).toMatchObject({ state: 'sent', attempts: 0 })
    await sender.kill9()

    // Nobody is there, and whoever looks after that now says so; what had four seconds is over.
    await eventually('it is told that nobody is there', () => of(receiver.events, 'fire').length > 0, 20_000)
    await eventually('the short one has expired', () => of(receiver.events, 'short').length > 0, 20_000)

    const phone = await device(second, 'ada')
    await eventually('the inbox is there', () => given(phone).length === 3)
    expect(given(phone)).toEqual(['short', 'fire', 'plain'])
    await eventually(
      'the phone is reminded',
      () => phone.of('signal').some(({ event }) => event === 'reminder'),
      15_000,
    )
    await phone.close()

    const laptop = await device(third, 'ada')
    await eventually('the inbox is there again', () => given(laptop).length === 3)
    const waiting = receiptAt(second, 'plain', '?wait=20')
    const ack = await laptop.ask({ type: 'ack', channel: 'user:ada', offset: 3 })
    expect(ack.type).toBe('ok')
    expect(await waiting).toMatchObject({ state: 'confirmed', attempts: 2 })
    expect(await receiptAt(third, 'fire')).toMatchObject({ state: 'confirmed' })
    expect(await receiptAt(third, 'short')).toMatchObject({ state: 'expired', reason: 'ttl' })
    await eventually(
      'both are told',
      () => of(receiver.events, 'plain').length + of(receiver.events, 'fire').length >= 3,
    )

    const ended = (id: string): string[] => of(receiver.events, id).filter((type) => !type.endsWith('unreachable'))
    expect(ended('plain')).toEqual(['notification.confirmed'])
    expect(ended('fire')).toEqual(['notification.confirmed'])
    expect(ended('short')).toEqual(['notification.expired'])
    const tablet = await device(second, 'ada')
    expect(given(tablet)).toEqual([])
  }, 90_000)
})
