import { afterEach, describe, expect, it } from 'vitest'
import type { LeftReport } from '../../packages/server/src/engine/engine.js'
import { engineOn } from '../../packages/server/src/engine/redis/testing/redis-harness.js'
import type { RedisEngineOptions } from '../../packages/server/src/engine/redis/redis-options.js'
import { eventually } from '../kit/deadline.js'
import { RedisCluster } from './kit/redis-cluster.js'
import { SentinelGroup } from './kit/redis-sentinel.js'
import type { RedisServer } from './kit/redis-server.js'

// The master that holds the reports dies while they are read.

/** The default names would meet those of other tests only if tests shared servers, and these do not. */
const NAMES = { prefix: 'hf', clusterId: 'default' }
const REPORTS = 'holdfast:reports'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function readerOn(options: RedisEngineOptions, node: string): Promise<LeftReport[]> {
  const engine = engineOn({ ...options, ...NAMES })
  await engine.start()
  const got: LeftReport[] = []
  const stop = engine.reports.consume(node, async (reports) => void got.push(...reports))
  ends.push(() => engine.close(), stop)
  return got
}

/** Leaves what is numbered `from` to `to`; resolves when a replica has it, too. */
async function leave(master: RedisServer, from: number, to: number): Promise<void> {
  await master.ask(async (redis) => {
    for (let n = from; n <= to; n += 1) await redis.command('XADD', REPORTS, '*', 'n', String(n))
    await eventually('a replica has all of it', async () => (await redis.text('WAIT', '1', '1000')) === '1')
  })
}

/** Everything has come, by whichever node, and of each node in order but for what it read again. */
async function expectAll(readers: readonly LeftReport[][], count: number): Promise<void> {
  const numbers = (): Set<number> => new Set(readers.flat().map(({ fields }) => Number(fields['n'])))
  await eventually(`all ${count} have come`, () => numbers().size === count, 30_000)
  for (const got of readers) {
    const first = [...new Set(got.map(({ fields }) => Number(fields['n'])))]
    expect(first).toEqual(first.toSorted((one, other) => one - other))
  }
}

describe('reports go on after their master was killed', () => {
  it('behind sentinels', async () => {
    const group = await SentinelGroup.start()
    ends.push(() => group.stop())
    await group.settled()
    const options: RedisEngineOptions = { mode: 'sentinel', servers: group.nodes, master: group.name }
    const readers = [await readerOn(options, 'n1'), await readerOn(options, 'n2')]
    await leave(await group.master(), 1, 300)
    await group.killMaster()
    const master = await group.master()
    await master.ask(async (redis) => {
      for (let n = 301; n <= 600; n += 1) await redis.command('XADD', REPORTS, '*', 'n', String(n))
    })
    await expectAll(readers, 600)
  }, 90_000)

  it('on a cluster', async () => {
    const cluster = await RedisCluster.start()
    ends.push(() => cluster.stop())
    const options: RedisEngineOptions = { mode: 'cluster', servers: cluster.nodes }
    const readers = [await readerOn(options, 'n1'), await readerOn(options, 'n2')]
    const slot = await cluster.slotOf(REPORTS)
    await leave(await cluster.masterOf(slot), 1, 300)
    await cluster.killMaster(slot)
    const master = await cluster.masterOf(slot)
    await master.ask(async (redis) => {
      for (let n = 301; n <= 600; n += 1) await redis.command('XADD', REPORTS, '*', 'n', String(n))
    })
    await expectAll(readers, 600)
  }, 90_000)
})
