import { describe, expect, it, onTestFinished } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import type { HoldfastOptions } from '../../options.js'
import type { QuotaOptions } from '../../options/tenant-options.js'
import { faultyEngine } from '../../testing/faulty-engine.js'
import { SimulatedCluster, type SimulatedNode } from '../../testing/simulated-cluster.js'
import { startNode } from '../../testing/test-node.js'

/** Without inboxes, which are channels too. */
const CHANNELS = {
  'room:*': { publish: 'member', history: { size: 1_000, ttl: '1h' } },
  'live:*': { publish: 'member' },
} as const

/** Two nodes that share an engine, where the tenant `acme` has these quotas. */
async function twoNodes(
  quotas: QuotaOptions,
  options: Partial<HoldfastOptions> = {},
): Promise<{ cluster: SimulatedCluster; one: SimulatedNode; other: SimulatedNode }> {
  const cluster = new SimulatedCluster()
  onTestFinished(() => cluster.close())
  const all = { tenants: { acme: { quotas } }, channels: CHANNELS, ...options }
  return { cluster, one: await cluster.start('one', all), other: await cluster.start('other', all) }
}

/** Ends of promises: `fine`, or the code. */
async function ends(cluster: SimulatedCluster, works: readonly Promise<unknown>[]): Promise<string[]> {
  const all = Promise.all(
    works.map((work) =>
      work.then(
        () => 'fine',
        (error: unknown) => String((error as { code?: unknown }).code),
      ),
    ),
  )
  await cluster.clock.pass(20, 1)
  return all
}

const fine = (all: readonly string[]): number => all.filter((end) => end === 'fine').length

describe('quotas over two nodes', () => {
  it('give the messages of a second once, whichever node they come to', async () => {
    const { cluster, one, other } = await twoNodes({ messagesPerSecond: 50 })
    const publish = (n: number): Promise<unknown> =>
      (n % 2 ? one : other).holdfast.tenant('acme').publish('live:1', 'e', n)
    expect(
      fine(
        await ends(
          cluster,
          Array.from({ length: 200 }, (_, n) => publish(n)),
        ),
      ),
    ).toBe(50)
    let given = 0
    for (let tenth = 0; tenth < 100; tenth += 1) {
      given += fine(
        await ends(
          cluster,
          Array.from({ length: 10 }, (_, at) => publish(at)),
        ),
      )
      await cluster.clock.pass(80)
    }
    // Ten seconds: what came in them, and what each may have been left with.
    expect(given).toBeGreaterThan(400)
    expect(given).toBeLessThanOrEqual(550)
    expect(await one.holdfast.tenant('acme').usage()).toMatchObject({ quotas: { messagesPerSecond: 50 } })
  })

  it('count a channel once, whoever listens where, and for as long as somebody does', async () => {
    const { cluster, one, other } = await twoNodes({ channels: 3 })
    const [ada, bob] = [await one.join('ada'), await other.join('bob')]
    for (const channel of ['live:1', 'live:2']) ada.say({ type: 'subscribe', channel })
    for (const channel of ['live:2', 'live:3', 'live:4']) bob.say({ type: 'subscribe', channel })
    await cluster.clock.pass(50, 1)
    expect(bob.got('subscribed')).toHaveLength(2)
    expect(bob.got('error')).toMatchObject([{ code: 'limit_exceeded', details: { quota: 'channels', max: 3 } }])
    // Long after what they entered at first would have lapsed.
    await cluster.clock.pass(300_000, 5_000)
    expect(await one.holdfast.tenant('acme').usage()).toMatchObject({ channels: 3 })
    for (const channel of ['live:1', 'live:2']) ada.say({ type: 'unsubscribe', channel })
    await cluster.clock.pass(120_000, 5_000)
    expect(await one.holdfast.tenant('acme').usage()).toMatchObject({ channels: 2 })
    bob.say({ type: 'subscribe', channel: 'live:4' })
    await cluster.clock.pass(50, 1)
    expect(bob.got('subscribed')).toHaveLength(3)
  })

  it('count a channel whose history is kept, and no other that nobody listens to', async () => {
    const { cluster, one, other } = await twoNodes({ channels: 2 })
    const [here, there] = [one.holdfast.tenant('acme'), other.holdfast.tenant('acme')]
    const works = [1, 2, 3, 4].map((n) => (n % 2 ? here : there).publish(`room:${n}`, 'e', 1))
    expect(fine(await ends(cluster, works))).toBe(2)
    expect(await ends(cluster, [here.publish('live:9', 'e', 1), there.signal('room:9', 'e', 1)])).toEqual([
      'fine',
      'fine',
    ])
    await cluster.clock.pass(3_700_000, 60_000)
    expect(await here.usage()).toMatchObject({ channels: 0 })
  })

  it('let go of what a node held that died', async () => {
    const { cluster, one, other } = await twoNodes({ channels: 1, operations: 1, connections: 1 })
    const ada = await one.join('ada')
    ada.say({ type: 'subscribe', channel: 'live:1' })
    await one.holdfast.tenant('acme').operations.start({ kind: 'import', owner: 'ada' })
    const there = other.holdfast.tenant('acme')
    const start = (): Promise<unknown> => there.operations.start({ kind: 'import', owner: 'bob' })
    expect(await ends(cluster, [start()])).toEqual(['limit_exceeded'])
    expect(await there.usage()).toMatchObject({ channels: 1, operations: 1, connections: 1 })
    one.cut()
    await cluster.clock.pass(120_000, 1_000)
    expect(await there.usage()).toMatchObject({ channels: 0, operations: 0, connections: 0 })
    expect(await ends(cluster, [start()])).toEqual(['fine'])
    const bob = await other.join('bob')
    bob.say({ type: 'subscribe', channel: 'live:2' })
    await cluster.clock.pass(50, 1)
    expect(bob.got('subscribed')).toHaveLength(1)
  })

  it('count operations that run, over all nodes', async () => {
    const { cluster, one, other } = await twoNodes({ operations: 3 })
    const nodes = [one, other].map(({ holdfast }) => holdfast.tenant('acme').operations)
    const starts = Array.from({ length: 10 }, (_, n) => nodes[n % 2]?.start({ kind: 'import', owner: 'ada' }))
    const running = (await Promise.allSettled(starts)).flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    expect(running).toHaveLength(3)
    await running[0]?.fail(new Error('no luck'))
    await cluster.clock.pass(50, 1)
    const works = nodes.map((operations) => operations.start({ kind: 'import', owner: 'ada' }))
    expect((await ends(cluster, works)).toSorted()).toEqual(['fine', 'limit_exceeded'])
    // One that could not begin holds nothing.
    await running[1]?.complete(1)
    const bad = nodes[0]?.start({ kind: '', owner: 'ada' }).catch(() => 'refused')
    expect(await bad).toBe('refused')
    expect(await one.holdfast.tenant('acme').usage()).toMatchObject({ operations: 2 })
  })

  it('bound what histories keep together, and have room again when a log has gone', async () => {
    const { cluster, one, other } = await twoNodes({ historyBytes: 1_000 })
    const [here, there] = [one.holdfast.tenant('acme'), other.holdfast.tenant('acme')]
    for (let n = 0; n < 5; n += 1) {
      await here.publish('room:1', 'e', 'x'.repeat(98))
      await there.publish('room:2', 'e', 'x'.repeat(98))
    }
    await cluster.clock.pass(2_000, 100)
    expect(await here.usage()).toMatchObject({ historyBytes: 1_000 })
    const works = [here.publish('room:3', 'e', 1), there.publish('room:1', 'e', 1), there.publish('live:1', 'e', 1)]
    expect(await ends(cluster, works)).toEqual(['limit_exceeded', 'limit_exceeded', 'fine'])
    await cluster.clock.pass(3_600_000, 60_000)
    // A node that had forgotten the tenant asks before the first message.
    expect(await ends(cluster, [here.publish('room:3', 'e', 1)])).toEqual(['fine'])
  })

  it('refuse everything of which there may be none', async () => {
    const { cluster, one } = await twoNodes({ historyBytes: 0, channels: 0, operations: 0 })
    const tenant = one.holdfast.tenant('acme')
    const ada = await one.join('ada')
    ada.say({ type: 'subscribe', channel: 'live:1' })
    const works = [tenant.publish('room:1', 'e', 1), tenant.operations.start({ kind: 'import', owner: 'ada' })]
    expect(await ends(cluster, works)).toEqual(['limit_exceeded', 'limit_exceeded'])
    expect(ada.got('error')).toMatchObject([{ code: 'limit_exceeded' }])
    expect(one.holdfast.stats().quotas).toEqual({
      tenants: 1,
      refused: { connections: 0, channels: 1, messagesPerSecond: 0, bytesPerSecond: 0, historyBytes: 1, operations: 1 },
    })
  })
})

describe('while the engine is away', () => {
  it('each node gives its share, and counts its own channels', async () => {
    const { cluster, one, other } = await twoNodes({ messagesPerSecond: 100, channels: 3 })
    const publish = (n: number): Promise<unknown> =>
      (n % 2 ? one : other).holdfast.tenant('acme').signal('live:1', 'e', n)
    const ada = await one.join('ada')
    ada.say({ type: 'subscribe', channel: 'live:1' })
    await ends(cluster, [publish(0), publish(1)])
    await cluster.clock.pass(10_000, 1_000)
    one.cut()
    other.cut()
    await cluster.clock.pass(2_000, 100)
    const first = await ends(
      cluster,
      Array.from({ length: 300 }, (_, n) => publish(n)),
    )
    // The rate was judged first; what was let through, the engine refused.
    expect(first.filter((end) => end === 'engine_unavailable').length).toBeLessThanOrEqual(100)
    expect(first.filter((end) => end === 'rate_limited').length).toBeGreaterThanOrEqual(200)
    one.heal()
    other.heal()
    await cluster.clock.pass(30_000, 1_000)
    expect(await one.holdfast.tenant('acme').usage()).toMatchObject({ channels: 1 })
  })
})

describe('a tenant without quotas', () => {
  it('asks the engine for nothing more, and nothing is remembered of it', async () => {
    const asked: string[] = []
    const engine = faultyEngine(new MemoryEngine(), async (method) => void asked.push(method))
    const node = await startNode({
      engine,
      tenants: { other: { quotas: { messagesPerSecond: 1 } } },
      plans: { wide: {} },
      defaultPlan: 'wide',
    })
    onTestFinished(() => node.close())
    const ada = await node.join('ada')
    await ada.request({ type: 'subscribe', channel: 'room:1' })
    await ada.request({ type: 'publish', channel: 'room:1', data: 1 })
    await node.holdfast.tenant('acme').publish('room:1', 'e', 2)
    expect(asked.filter((method) => /^registers.(put|totals)$/.test(method))).toEqual([])
    expect(node.holdfast.stats().quotas.tenants).toBe(0)
  })
})

describe('a tenant at its quota', () => {
  it('has its messages in the order in which they were sent, however they were paid for', async () => {
    const late = async (method: string): Promise<void> => {
      if (/^(rates|registers)\./.test(method)) await new Promise((resolve) => void setTimeout(resolve, 3))
    }
    const engine = faultyEngine(new MemoryEngine(), late)
    const quotas = { messagesPerSecond: 400, bytesPerSecond: 1_000_000, channels: 10, historyBytes: 1_000_000 }
    const node = await startNode({ engine, tenants: { acme: { quotas } } })
    onTestFinished(() => node.close())
    const [ada, bob] = [await node.join('ada'), await node.join('bob')]
    await bob.request({ type: 'subscribe', channel: 'room:1' })
    const answers = Array.from({ length: 300 }, (_, n) => ada.request({ type: 'publish', channel: 'room:1', data: n }))
    const offsets = (await Promise.all(answers)).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
  })

  it('writes one line a second for each quota, with how often it was reached', async () => {
    const lines: Record<string, unknown>[] = []
    const note = (fields: Record<string, unknown>): void => void lines.push(fields)
    const log = { debug: note, info: note, warn: note, error: note }
    const { cluster, one } = await twoNodes({ messagesPerSecond: 1, operations: 0 }, { log })
    const publish = (): Promise<unknown> => one.holdfast.tenant('acme').publish('live:1', 'secret-event', 'secret data')
    await ends(cluster, Array.from({ length: 31 }, publish))
    await cluster.clock.pass(10_000, 100)
    const told = lines.filter(({ event }) => event === 'quota.reached')
    expect(told).toMatchObject([
      { audit: true, tenant: 'acme', rule: 'messagesPerSecond', count: 1 },
      { audit: true, tenant: 'acme', rule: 'messagesPerSecond', count: 29 },
    ])
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})
