import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LifecycleEvent } from '../lifecycle/event.js'
import type { HoldfastOptions } from '../options.js'
import { type Peer, SimulatedCluster, type SimulatedNode } from '../testing/simulated-cluster.js'
import type { Notification } from './notification.js'
import type { NotificationReceipt } from './receipt.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

let cluster: SimulatedCluster
let told: LifecycleEvent[]

beforeEach(() => {
  cluster = new SimulatedCluster()
  told = []
})

afterEach(() => cluster.close())

const pass = (ms: number, stepMs = 50): Promise<void> => cluster.clock.pass(ms, stepMs)

const start = async (node: string, options: Partial<HoldfastOptions> = {}): Promise<SimulatedNode> => {
  const started = await cluster.start(node, { presence: { graceMs: 1_000 }, ...options })
  for (const type of ['notification.confirmed', 'notification.expired', 'notification.unreachable'] as const)
    started.holdfast.on(type, (event) => void told.push(event))
  await pass(200)
  return started
}

/** What an application on a node does, while time goes on. */
async function during<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const over = work.finally(() => (isOver = true))
  over.catch(() => undefined)
  for (let step = 0; step < 2_000 && !isOver; step += 1) await pass(1, 1)
  return over
}

const notify = (
  { holdfast }: SimulatedNode,
  notification: Partial<Notification> = {},
  user = 'ada',
): ReturnType<ReturnType<typeof holdfast.tenant>['notify']> =>
  during(holdfast.tenant('acme').notify(user, { title: 'Your export is ready', receipt: true, ...notification }))

const receipt = ({ holdfast }: SimulatedNode, id: string): Promise<NotificationReceipt | undefined> =>
  during(holdfast.tenant('acme').receipt(id))

/** Titles and places of the notifications that a client was given, live or out of the inbox. */
const given = ({ got }: Peer): { id: string; offset: number }[] =>
  [
    ...got('subscribed').flatMap(({ messages }) => messages as { event: string }[]),
    ...(got('message') as unknown as { event: string }[]),
  ]
    .filter(({ event }) => event === 'notification')
    .map((message) => message as unknown as { offset: number; data: { id: string } })
    .map(({ offset, data }) => ({ offset, id: data.id }))

const reminders = ({ got }: Peer): Record<string, unknown>[] =>
  got('signal')
    .filter(({ event }) => event === 'reminder')
    .map(({ data }) => data as Record<string, unknown>)

const acknowledge = async (peer: Peer, offset: number): Promise<void> => {
  peer.say({ type: 'ack', channel: 'user:ada', offset })
  await pass(100)
}

const leave = async (peer: Peer): Promise<void> => {
  peer.handler.closed(1000, true)
  await pass(1_500)
}

describe('a receipt', () => {
  it('is sent when the notification is stored, and confirmed when a device acknowledges it', async () => {
    const node = await start('n1')
    const ada = await node.join('ada')
    const result = await notify(node, { id: 'export-1' })
    expect(result.receipt).toMatchObject({ id: 'export-1', user: 'ada', state: 'sent', priority: 'normal' })
    await pass(1_000)
    expect(await receipt(node, 'export-1')).toMatchObject({ state: 'sent', attempts: 1 })
    await acknowledge(ada, result.offset)
    const confirmed = await receipt(node, 'export-1')
    expect(confirmed).toMatchObject({ state: 'confirmed', attempts: 1, confirmedAt: expect.any(String) as string })
    await pass(1_000)
    expect(told).toMatchObject([{ type: 'notification.confirmed', user: 'ada', notification: 'export-1', attempts: 1 }])
  })

  it('counts each connection that its notification was handed to', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    for (const node of [one, one, other]) await node.join('ada')
    await one.join('eve')
    await notify(one, { id: 'a' })
    await pass(1_000)
    expect(await receipt(other, 'a')).toMatchObject({ attempts: 3 })
    await other.join('ada')
    await pass(1_000)
    expect(await receipt(one, 'a')).toMatchObject({ attempts: 4, state: 'sent' })
  })

  it('is confirmed by the second device when the first has acknowledged nothing', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    const { offset } = await notify(one, { id: 'a' })
    expect(await receipt(one, 'a')).toMatchObject({ attempts: 0 })
    const phone = await one.join('ada')
    expect(given(phone)).toEqual([{ id: 'a', offset }])
    await leave(phone)
    const laptop = await other.join('ada')
    expect(given(laptop)).toEqual([{ id: 'a', offset }])
    await acknowledge(laptop, offset)
    expect(await receipt(one, 'a')).toMatchObject({ state: 'confirmed', attempts: 2 })
    await leave(laptop)
    expect(given(await one.join('ada'))).toEqual([])
  })

  it('confirms everything up to what was acknowledged, and nothing behind it', async () => {
    const node = await start('n1')
    const ada = await node.join('ada')
    const offsets: number[] = []
    for (const id of ['a', 'b', 'c']) offsets.push((await notify(node, { id })).offset)
    await acknowledge(ada, offsets[1] ?? 0)
    const states = await Promise.all(['a', 'b', 'c'].map((id) => receipt(node, id)))
    expect(states.map((one) => one?.state)).toEqual(['confirmed', 'confirmed', 'sent'])
  })

  it('expires when its time is over, and says so once', async () => {
    const node = await start('n1')
    await notify(node, { id: 'a', ttl: '2m' })
    await pass(119 * SECOND, 500)
    expect(await receipt(node, 'a')).toMatchObject({ state: 'sent' })
    await pass(5 * SECOND)
    expect(await receipt(node, 'a')).toMatchObject({ state: 'expired', reason: 'ttl' })
    expect(told).toMatchObject([{ type: 'notification.expired', notification: 'a', reason: 'ttl' }])
    const ada = await node.join('ada')
    await acknowledge(ada, 1)
    expect(await receipt(node, 'a')).toMatchObject({ state: 'expired' })
    await pass(2_000)
    expect(told).toHaveLength(1)
  })

  it('expires when the inbox has no room for its notification any more', async () => {
    const inbox = { 'user:{user}': { inbox: true, history: { size: 3, ttl: '1h' } } } as const
    const node = await start('n1', { channels: inbox })
    for (const id of ['a', 'b', 'c', 'd']) await notify(node, { id })
    expect(await receipt(node, 'a')).toMatchObject({ state: 'expired', reason: 'trimmed' })
    expect(await receipt(node, 'b')).toMatchObject({ state: 'sent' })
    for (let more = 0; more < 3; more += 1) await during(node.holdfast.tenant('acme').publish('user:ada', 'e', more))
    await pass(2 * MINUTE, 500)
    const gone = told.filter(({ type }) => type === 'notification.expired')
    expect(gone.map((event) => ('notification' in event ? event.notification : '')).toSorted()).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
  })

  it('is kept for a day after it has ended', async () => {
    const node = await start('n1')
    await notify(node, { id: 'a', ttl: '1s' })
    await pass(23 * HOUR, MINUTE)
    expect(await receipt(node, 'a')).toMatchObject({ state: 'expired' })
    await pass(2 * HOUR, MINUTE)
    expect(await receipt(node, 'a')).toBeUndefined()
  })

  it('belongs to one tenant', async () => {
    const node = await start('n1')
    await notify(node, { id: 'a' })
    expect(await during(node.holdfast.tenant('other').receipt('a'))).toBeUndefined()
  })
})

describe('the same notification again', () => {
  it('is the same, an hour later, too', async () => {
    const node = await start('n1')
    const ada = await node.join('ada')
    const first = await notify(node, { id: 'a' })
    await pass(HOUR / 2, MINUTE)
    const again = await notify(node, { id: 'a' })
    expect(again).toMatchObject({ duplicate: true, offset: first.offset, id: first.id })
    expect(given(ada)).toHaveLength(1)
  })

  it('is refused with other content, or for another user', async () => {
    const node = await start('n1')
    await notify(node, { id: 'a' })
    const conflict = { code: 'idempotency_conflict' }
    await expect(notify(node, { id: 'a', title: 'Other' })).rejects.toMatchObject(conflict)
    await expect(notify(node, { id: 'a' }, 'eve')).rejects.toMatchObject(conflict)
  })

  it('is stored once when several nodes send it at one moment', async () => {
    const nodes = [await start('n1'), await start('n2')]
    const ada = await (nodes[0] as SimulatedNode).join('ada')
    const sent = await Promise.all([...nodes, ...nodes].map((node) => notify(node, { id: 'a' })))
    expect(new Set(sent.map(({ offset }) => offset)).size).toBe(1)
    await pass(500)
    expect(given(ada)).toHaveLength(1)
  })
})

describe('what is refused', () => {
  it.each<[Partial<Notification>, string]>([
    [{ ttl: '999ms' }, 'ttl must be from 1s to 7d'],
    [{ ttl: '8d' }, 'ttl must be from 1s to 7d'],
    [{ receipt: false, ttl: '1h' }, 'ttl needs receipt: true'],
    [{ receipt: false, priority: 'critical' }, 'receipt must be true for a critical notification'],
    [{ priority: 'urgent' as 'high' }, 'priority must be one of low, normal, high, critical'],
    [{ id: 'with a space' }, 'id must be 1 to 128 of'],
  ])('%j', async (notification, message) => {
    const node = await start('n1')
    await expect(notify(node, notification)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(message) as string,
    })
  })

  it('a receipt of a channel that is no inbox', async () => {
    const node = await start('n1', { channels: { 'user:*': { history: { size: 10, ttl: '1h' } } } })
    await expect(notify(node)).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('more open receipts than a tenant may have; one that ends makes room', async () => {
    const node = await start('n1', { limits: { receiptsPerTenantMax: 2 } })
    const ada = await node.join('ada')
    await notify(node, { id: 'a' })
    const { offset } = await notify(node, { id: 'b' })
    await expect(notify(node, { id: 'c' })).rejects.toMatchObject({ code: 'limit_exceeded' })
    await acknowledge(ada, offset)
    await expect(notify(node, { id: 'c' })).resolves.toMatchObject({ duplicate: false })
  })
})

describe('a critical notification', () => {
  const critical = { id: 'fire', title: 'Fire', priority: 'critical' } as const

  it('reminds devices after 1, 3 and 7 seconds, and no more', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    const devices = [await one.join('ada'), await other.join('ada')]
    const { offset } = await notify(one, critical)
    const sentAt = cluster.clock.now()
    const at: number[] = []
    for (let seen = 0; cluster.clock.now() < sentAt + 5 * MINUTE;) {
      await pass(100, 50)
      const now = reminders(devices[0] as Peer).length
      if (now > seen) at.push((cluster.clock.now() - sentAt) / SECOND)
      seen = now
    }
    expect(at).toHaveLength(3)
    for (const [index, expected] of [1, 3, 7].entries()) {
      expect(at[index]).toBeGreaterThanOrEqual(expected)
      expect(at[index]).toBeLessThan(expected * 1.1 + 2)
    }
    for (const device of devices)
      expect(reminders(device)).toMatchObject([
        { id: 'fire', title: 'Fire', offset, reminder: 1 },
        { offset, reminder: 2 },
        { offset, reminder: 3 },
      ])
    expect(await receipt(one, 'fire')).toMatchObject({ state: 'sent', attempts: 2 + 3 * 2 })
    expect(told).toEqual([])
    expect(given(devices[0] as Peer)).toHaveLength(1)
  })

  it('reminds nobody once it is confirmed', async () => {
    const node = await start('n1')
    const ada = await node.join('ada')
    await notify(node, critical)
    await pass(2_500)
    const [{ offset = 0 } = {}] = reminders(ada) as { offset?: number }[]
    await acknowledge(ada, offset)
    await pass(MINUTE, 100)
    expect(reminders(ada)).toHaveLength(1)
    expect(await receipt(node, 'fire')).toMatchObject({ state: 'confirmed', attempts: 2 })
  })

  it('tells at growing intervals that nobody is there, until a device has confirmed it', async () => {
    const node = await start('n1')
    await notify(node, critical)
    await pass(HOUR / 2, 500)
    const away = told.filter(({ type }) => type === 'notification.unreachable') as { at: string; times?: number }[]
    expect(away.map(({ times }) => times)).toEqual(away.map((_, index) => index + 1))
    // After 1, 3, 7, 15, ... seconds, with a share of chance and the time between two looks.
    expect(away.length).toBeGreaterThanOrEqual(9)
    expect(away.length).toBeLessThanOrEqual(11)
    expect(given(await node.join('ada'))).toEqual([{ id: 'fire', offset: 1 }])
    const ada = await node.join('ada')
    await pass(10_000)
    expect(reminders(ada).length).toBeGreaterThanOrEqual(3)
    await acknowledge(ada, 1)
    const before = told.length
    await pass(HOUR / 4, 500)
    expect(told.slice(before - 1).map(({ type }) => type)).toEqual(['notification.confirmed'])
  })

  it('is told of at once when the last device goes', async () => {
    const node = await start('n1')
    const ada = await node.join('ada')
    await notify(node, critical)
    await pass(10 * MINUTE, 500)
    expect(told).toEqual([])
    await leave(ada)
    await pass(40_000, 500)
    expect(told).toMatchObject([{ type: 'notification.unreachable', times: 1 }, {}, {}, {}].slice(0, told.length))
    expect(told.length).toBeGreaterThan(0)
  })

  it('expires like any other', async () => {
    const node = await start('n1')
    await notify(node, { ...critical, ttl: '10s' })
    await pass(15_000, 100)
    expect(told.at(-1)).toMatchObject({ type: 'notification.expired', priority: 'critical' })
    await pass(5 * MINUTE, 500)
    expect(told.at(-1)).toMatchObject({ type: 'notification.expired' })
  })
})

describe('a node that dies', () => {
  it('leaves what it has sent to the others: reminders, confirmation and expiry', async () => {
    const one = await start('n1')
    await notify(one, { id: 'plain', ttl: '1m' })
    await notify(one, { id: 'fire', priority: 'critical' })
    const other = await start('n2')
    one.cut()
    const ada = await other.join('ada')
    await pass(15_000, 100)
    expect(reminders(ada)).toHaveLength(3)
    await acknowledge(ada, 2)
    expect(await receipt(other, 'fire')).toMatchObject({ state: 'confirmed' })
    expect(await receipt(other, 'plain')).toMatchObject({ state: 'confirmed' })
    await notify(other, { id: 'late', ttl: '1m' })
    const third = await start('n3')
    other.cut()
    await pass(80_000, 200)
    expect(await receipt(third, 'late')).toMatchObject({ state: 'expired', reason: 'ttl' })
    await pass(10_000, 200)
    expect(told.filter((event) => 'notification' in event && event.notification === 'late')).toHaveLength(1)
  })

  it('and had stored a notification without knowing it is helped by the others', async () => {
    const one = await start('n1')
    const other = await start('n2')
    const sent = one.holdfast.tenant('acme').notify('ada', { id: 'a', title: 'A', receipt: true })
    sent.catch(() => undefined)
    // Until the moment at which it is in the inbox.
    const stream = { tenant: 'acme', channel: 'user:ada' }
    const retention = { size: 100, ttlMs: HOUR }
    for (let step = 0; step < 100; step += 1) {
      await Promise.resolve()
      const page = await cluster.engine.read(stream, retention, { limit: 1, bytesMax: 1_000, keep: 'newest' })
      if (page.top.offset === 1) break
    }
    one.cut()
    await expect(during(sent)).rejects.toMatchObject({ code: 'engine_unavailable' })
    expect(await receipt(other, 'a')).toBeUndefined()
    await pass(45_000, 100)
    expect(await receipt(other, 'a')).toMatchObject({ state: 'sent' })
  })

  it('and never stored it leaves nothing', async () => {
    const other = await start('n2', { limits: { receiptsPerTenantMax: 1 } })
    const one = await start('n1', { limits: { receiptsPerTenantMax: 1 } })
    const sent = one.holdfast.tenant('acme').notify('ada', { id: 'a', title: 'A', receipt: true })
    sent.catch(() => undefined)
    for (let step = 0; step < 100; step += 1) {
      await Promise.resolve()
      if ((await cluster.engine.registers.totals('receipts:room:acme')).entries === 1) break
    }
    one.cut()
    await expect(during(sent)).rejects.toMatchObject({ code: 'engine_unavailable' })
    await pass(45_000, 100)
    expect(await receipt(other, 'a')).toBeUndefined()
    await expect(notify(other, { id: 'b' })).resolves.toMatchObject({ duplicate: false })
  })
})

describe('waiting for a receipt', () => {
  it('ends when it is confirmed, on whichever node', async () => {
    const [one, other] = [await start('n1'), await start('n2')]
    const ada = await one.join('ada')
    const { offset } = await notify(one, { id: 'a' })
    const changed = other.holdfast.tenant('acme').receipts.changed('a', { timeoutMs: 60_000 })
    await pass(500)
    const before = cluster.clock.now()
    await acknowledge(ada, offset)
    expect(await during(changed)).toMatchObject({ state: 'confirmed' })
    expect(cluster.clock.now() - before).toBeLessThan(500)
  })

  it('ends when the time is over, or nobody wants to know any more', async () => {
    const node = await start('n1')
    const { receipts } = node.holdfast.tenant('acme')
    await notify(node, { id: 'a' })
    const before = cluster.clock.now()
    expect(await during(receipts.changed('a', { timeoutMs: 1_500 }))).toMatchObject({ state: 'sent' })
    expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(1_500)
    const given = new AbortController()
    const changed = receipts.changed('a', { timeoutMs: 60_000, signal: given.signal })
    await pass(500)
    given.abort()
    expect(await during(changed)).toMatchObject({ state: 'sent' })
    expect(await during(receipts.changed('none', { timeoutMs: 60_000 }))).toBeUndefined()
    await expect(receipts.changed('a', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'bad_request' })
  })
})

describe('notifications of many users', () => {
  it('end once each, and are told once each', async () => {
    const nodes = [await start('n1'), await start('n2'), await start('n3')]
    const users = Array.from({ length: 12 }, (_, index) => `u${index}`)
    const sent: string[] = []
    for (const [index, user] of users.entries()) {
      const node = nodes[index % 3] as SimulatedNode
      for (const id of [`${user}-1`, `${user}-2`]) {
        const priority = index % 4 === 0 ? 'critical' : 'high'
        sent.push((await notify(node, { id, ttl: '3m', priority }, user)).receipt?.id ?? '')
      }
    }
    for (const [index, user] of users.entries()) {
      if (index % 3 === 0) continue
      const peer = await (nodes[(index + 1) % 2] as SimulatedNode).join(user)
      peer.say({ type: 'ack', channel: `user:${user}`, offset: (index % 2) + 1 })
    }
    nodes[2]?.cut()
    await pass(5 * MINUTE, 200)
    const ends = told.filter(({ type }) => type !== 'notification.unreachable')
    expect(ends.map((event) => ('notification' in event ? event.notification : '')).toSorted()).toEqual(sent.toSorted())
    for (const id of sent)
      expect(['confirmed', 'expired']).toContain((await receipt(nodes[0] as SimulatedNode, id))?.state)
  })
})
