import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { within } from '../kit/deadline.js'
import { seedOfThisRun } from '../kit/seeded-random.js'
import { check, describe as inWords } from '../cluster/kit/checker/checker.js'
import { ClientProcess } from '../cluster/kit/client-process.js'
import { History, readHistory } from '../cluster/kit/history.js'
import { noteLogs, readTops } from '../cluster/kit/logs-read.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { freshFile } from '../cluster/kit/run.js'
import { KillPoint, MOMENTS, type Moment } from './kill-point.js'
import { CHANNELS, TENANT } from './pair.js'

const NODES = 3
const KILLS = 52
const ROOMS = Array.from({ length: 3 }, (_, index) => `room:${index}`)
const CLIENTS = 18
const PUBLISHERS = 9
const EVERYWHERE = ROOMS.map((channel) => ({ tenant: TENANT, channel }))

/** A place for a node, which is killed and replaced there. */
interface Berth {
  readonly point: KillPoint
  readonly proxy: ChaosProxy
  node: NodeProcess
  generation: number
}

const seed = seedOfThisRun()
const seen = new Set<string>()
const berths: Berth[] = []
let redis: RedisServer
let history: History
let clients: ClientProcess

beforeAll(async () => {
  redis = await RedisServer.start()
  history = new History(freshFile('node-killed'), 'test')
  for (let index = 0; index < NODES; index += 1) {
    const point = new KillPoint(seen)
    const proxy = await ChaosProxy.start(redis.port, { reader: () => point.reader() })
    berths.push({ point, proxy, node: await start(proxy, `n${index}.0`), generation: 0 })
  }
  await Promise.all(berths.map(({ node }) => node.isReady()))
  clients = await ClientProcess.start({ history: history.file, urls: urls(), seed })
  await clients.connect({
    name: 'client',
    clients: Array.from({ length: CLIENTS }, () => ({ tenant: TENANT, channels: ROOMS })),
    options: { backoff: { minMs: 50, maxMs: 500 } },
  })
}, 60_000)

afterAll(async () => {
  await clients.stop()
  await Promise.all(berths.flatMap(({ node, proxy }) => [node.stop(), proxy.close()]))
  await redis.stop()
  history.close()
})

describe('nodes that are killed in the middle of a publish, while clients ask again elsewhere', () => {
  it(`F-28 lose nothing that was acknowledged and double nothing, ${KILLS} times at ${MOMENTS.length} moments`, async () => {
    const publishers = Array.from({ length: PUBLISHERS }, (_, index) => ({
      client: `client-${index}`,
      channels: ROOMS,
    }))
    await clients.publish({ publishers, perSecond: 80 })
    const isReplaced: Promise<void>[] = berths.map(() => Promise.resolve())
    for (let kill = 0; kill < KILLS; kill += 1) {
      const index = kill % NODES
      const berth = berths[index] as Berth
      await isReplaced[index]
      await clients.useNodes(urls())
      await killAt(berth, MOMENTS[kill % MOMENTS.length] as Moment)
      // The next one is killed meanwhile.
      isReplaced[index] = replace(berth, index)
    }
    await Promise.all(isReplaced)
    await clients.useNodes(urls())
    await clients.stopPublishing()
    const [{ node }] = berths as [Berth]
    await clients.caughtUp(() => readTops(node, EVERYWHERE), 30_000)
    await clients.rest()
    for (const berth of berths) await noteLogs(history, berth.node, EVERYWHERE)
    history.flush()
    const verdict = check(() => readHistory(history.file))
    process.stdout.write(`\n${KILLS} kills, seed ${seed}, ${history.file}\n${inWords(verdict)}\n`)
    expect(verdict.violations.slice(0, 20)).toEqual([])
    expect(verdict.figures).toMatchObject({
      lost: 0,
      duplicated: 0,
      'out of order': 0,
      'silent gaps': 0,
      'signalled gaps': 0,
      unknown: 0,
      refused: 0,
      faults: KILLS,
    })
  }, 300_000)
})

async function killAt({ point, node }: Berth, moment: Moment): Promise<void> {
  history.note({ t: 'fault', name: `${node.name} is killed: ${moment}`, phase: 'begin' })
  const struck = new Promise<void>((resolve) => {
    point.arm(moment, () => {
      process.kill(node.pid, 'SIGKILL')
      resolve()
    })
  })
  await within(`a publish that is ${moment}`, struck)
  await node.exited
}

async function replace(berth: Berth, index: number): Promise<void> {
  berth.generation += 1
  berth.node = await start(berth.proxy, `n${index}.${berth.generation}`)
  await berth.node.isReady()
}

function start(proxy: ChaosProxy, node: string): Promise<NodeProcess> {
  const engine = { redis: `redis://127.0.0.1:${proxy.port}` }
  // What a client had on nodes that were just killed counts until their leases lapse.
  return NodeProcess.start({ node, channels: CHANNELS, engine, limits: { connectionsPerUserMax: 1_000 } })
}

function urls(): string[] {
  return berths.filter(({ node }) => node.isRunning).map(({ node }) => node.url)
}
