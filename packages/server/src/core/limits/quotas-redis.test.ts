import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { QuotaOptions } from '../../options/tenant-options.js'
import { engineOn } from '../../engine/redis/testing/redis-harness.js'
import { RedisProcess } from '../../engine/redis/testing/redis-process.js'
import { type TestNode, startNode } from '../../testing/test-node.js'
import { eventually } from '../../engine/redis/testing/deadline.js'

let redis: RedisProcess
let runs = 0

beforeAll(async () => {
  redis = await RedisProcess.start()
})
afterAll(() => redis.stop())

/** Two nodes over one Redis, where the tenant `acme` has these quotas. */
async function twoNodes(quotas: QuotaOptions): Promise<[one: TestNode, other: TestNode]> {
  const prefix = `quotas-${process.pid}-${(runs += 1)}`
  const start = async (node: string): Promise<TestNode> => {
    const engine = engineOn({ servers: [{ host: '127.0.0.1', port: redis.port }], prefix })
    const started = await startNode({ engine, node, tenants: { acme: { quotas } } })
    onTestFinished(() => started.close())
    return started
  }
  const [one, other] = [await start('one'), await start('other')]
  return [one, other]
}

async function countFine(works: readonly Promise<unknown>[]): Promise<number> {
  return (await Promise.allSettled(works)).filter(({ status }) => status === 'fulfilled').length
}

describe('two nodes over Redis', () => {
  it('share the messages of a second', async () => {
    const nodes = await twoNodes({ messagesPerSecond: 100 })
    const tenants = nodes.map(({ holdfast }) => holdfast.tenant('acme'))
    const began = performance.now()
    let given = 0
    while (performance.now() - began < 1_500) {
      const works = Array.from({ length: 40 }, async (_, n) => tenants[n % 2]?.signal('live:1', 'e', n))
      given += await countFine(works)
      await new Promise((resolve) => void setTimeout(resolve, 20))
    }
    const seconds = (performance.now() - began) / 1_000
    // A full bucket, what it got meanwhile, and what was borrowed before.
    expect(given).toBeLessThanOrEqual(100 + 100 * (seconds + 1))
    expect(given).toBeGreaterThan(150)
    const usage = await tenants[0]?.usage()
    expect(usage?.messagesPerSecond).toBeGreaterThan(50)
    expect(usage?.messagesPerSecond).toBeLessThanOrEqual(250)
  })

  it('share channels, operations and what histories keep', async () => {
    const [one, other] = await twoNodes({ channels: 5, operations: 2, historyBytes: 2_000 })
    const [here, there] = [one.holdfast.tenant('acme'), other.holdfast.tenant('acme')]
    const publishes = Array.from({ length: 10 }, (_, n) => (n % 2 ? here : there).publish(`room:${n}`, 'e', 'x'))
    expect(await countFine(publishes)).toBe(5)
    const start = (n: number): Promise<unknown> =>
      (n % 2 ? here : there).operations.start({ kind: 'import', owner: 'ada' })
    expect(await countFine(Array.from({ length: 8 }, (_, n) => start(n)))).toBe(2)
    await eventually('what was published counts', async () => (await here.usage()).historyBytes === 15)
    const known = (await Promise.allSettled(publishes)).flatMap((end, n) => (end.status === 'fulfilled' ? [n] : []))
    const fill = (n: number): Promise<unknown> =>
      (n % 2 ? here : there).publish(`room:${known[n % known.length]}`, 'e', 'y'.repeat(198))
    for (let n = 0; n < 10; n += 1) await fill(n)
    for (const tenant of [here, there])
      await eventually('it is full', async () => (await tenant.usage()).historyBytes === 2_015)
    expect(await countFine([fill(0), fill(1)])).toBe(0)
    expect(await there.usage()).toMatchObject({ channels: 5, operations: 2, historyBytes: 2_015 })
  })

  it('keep the order of a connection that has to borrow', async () => {
    const [one] = await twoNodes({
      messagesPerSecond: 1_000,
      bytesPerSecond: 1_000_000,
      channels: 5,
      historyBytes: 10_000,
    })
    const ada = await one.join('ada')
    const answers = Array.from({ length: 200 }, (_, n) => ada.request({ type: 'publish', channel: 'room:1', data: n }))
    const offsets = (await Promise.all(answers)).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, n) => n + 1))
  })
})
