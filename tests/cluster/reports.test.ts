import type { OperationSnapshot } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisConnection } from './kit/redis-connection.js'
import { RedisServer } from './kit/redis-server.js'

// Programs that know nothing of Holdfast leave reports in Redis, while nodes that read them die, stand still and come back.

const TENANT = 'acme'
const REPORTS = 'holdfast:reports'

/** How the operations of a run end, in turn. */
const ENDS = ['complete', 'complete', 'fail', 'complete', 'cancelled'] as const
const STATE_OF = { complete: 'completed', fail: 'failed', cancelled: 'cancelled' } as const
const DATA_OF = { complete: '{"result": {"rows": 7}}', fail: '{"error": {"message": "no more"}}', cancelled: '{}' }

interface Run {
  readonly name: string
  readonly operations: number
  /** Reports of progress of each operation, every one of which says `advance` 1. */
  readonly updates: number
}

const endOf = (at: number): (typeof ENDS)[number] => ENDS[at % ENDS.length] ?? 'complete'

/** Everything that is left for a run, in the order in which it is left: all begin, all go on in turn, all end. */
function* reportsOf({ name, operations, updates }: Run): Generator<readonly string[]> {
  for (let step = 0; step < updates + 2; step += 1) {
    for (let at = 0; at < operations; at += 1) {
      const about = ['tenant', TENANT, 'operation', `${name}-${at}`]
      // Without a total: to complete the operation must not make up for what is missing.
      if (step === 0) yield [...about, 'do', 'create', 'data', '{"kind": "import", "owner": "ada"}']
      else if (step <= updates) yield [...about, 'do', 'report', 'data', '{"advance": 1}']
      else yield [...about, 'do', endOf(at), 'data', DATA_OF[endOf(at)]]
    }
  }
}

/** Leaves all that is given, some hundred at a time; `between` may stop the worker for as long as it likes. */
async function leave(
  redis: RedisServer,
  reports: Iterable<readonly string[]>,
  between: (left: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const worker = await RedisConnection.open(redis.port)
  const batch: Promise<string>[] = []
  let left = 0
  for (const fields of reports) {
    batch.push(worker.text('XADD', REPORTS, '*', ...fields))
    left += 1
    if (batch.length < 200) continue
    await Promise.all(batch.splice(0))
    await between(left)
  }
  await Promise.all(batch)
  worker.close()
}

/** Every operation has ended as was reported, with exactly the progress that was reported. */
async function expectEnds(node: NodeProcess, run: Run): Promise<void> {
  for (let at = 0; at < run.operations; at += 1) {
    const id = `${run.name}-${at}`
    const snapshot = await eventually(
      `${id} has ended`,
      async () => {
        const found = await node.ask('getOperation', { tenant: TENANT, id })
        return found?.endedAt !== undefined && found
      },
      60_000,
    )
    const { state, progress, attempt }: OperationSnapshot = snapshot
    expect({ id, state, done: progress.done, attempt }).toEqual({
      id,
      state: STATE_OF[endOf(at)],
      done: run.updates,
      attempt: 1,
    })
  }
}

/** Nothing is left, and nothing was refused. */
async function expectEmpty(redis: RedisServer): Promise<void> {
  await eventually('all is read', async () => Number(await redis.command('XLEN', REPORTS)) === 0, 60_000)
  const asJson = "return cjson.encode(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 3))"
  expect(await redis.command('EVAL', asJson, '1', `${REPORTS}:refused`)).toBe('{}')
}

describe('reports that were left in Redis', () => {
  let redis: RedisServer
  const nodes = new Map<string, NodeProcess>()

  const begin = async (name: string): Promise<NodeProcess> => {
    const node = await NodeProcess.start({ node: name, engine: { redis: redis.url } })
    nodes.set(name, node)
    return node
  }
  const reader = (but?: string): Promise<NodeProcess> =>
    eventually(
      'a node reads',
      async () => {
        const name = await redis.command('GET', `{${REPORTS}}:reader`)
        const node = name === but ? undefined : nodes.get(name)
        return node?.isRunning && node
      },
      20_000,
    )

  beforeAll(async () => {
    redis = await RedisServer.start({ appendonly: true, appendfsync: 'everysec' })
    await Promise.all(['n1', 'n2', 'n3'].map(begin))
  }, 60_000)

  afterAll(async () => {
    for (const node of nodes.values()) node.resume()
    await Promise.all([...nodes.values()].map((node) => node.stop()))
    await redis.stop()
  })

  it('end every operation as was reported, each report once, while its reader is killed and the next stands still', async () => {
    const run = { name: 'killed', operations: 500, updates: 38 }
    let frozen: NodeProcess | undefined
    await leave(redis, reportsOf(run), async (left) => {
      if (left === 5_000) await (await reader()).kill9()
      if (left === 10_000) {
        frozen = await reader()
        frozen.pause()
        // The lease has to lapse while it stands still.
        await reader(frozen.name)
      }
      if (left === 15_000) frozen?.resume()
    })
    const living = [...nodes.values()].find((node) => node.isRunning && node !== frozen)
    if (living === undefined) throw new Error('no node lives')
    await expectEmpty(redis)
    await expectEnds(living, run)
    if (frozen !== undefined) await expectEnds(frozen, { ...run, operations: 20 })
  }, 180_000)

  it('are all there after Redis was restarted in the middle of them', async () => {
    const run = { name: 'restarted', operations: 100, updates: 18 }
    const all = [...reportsOf(run)]
    await leave(redis, all.slice(0, 1_000))
    await redis.restart()
    await leave(redis, all.slice(1_000))
    await expectEmpty(redis)
    const living = await reader()
    await expectEnds(living, run)
    expect((await living.ask('stats', null)).reports).toMatchObject({ refused: 0, behind: 0 })
  }, 120_000)

  it('begin where they were left while no node was there', async () => {
    const run = { name: 'alone', operations: 20, updates: 3 }
    await Promise.all([...nodes.values()].map((node) => node.stop()))
    await leave(redis, reportsOf(run))
    const node = await begin('n4')
    await expectEmpty(redis)
    await expectEnds(node, run)
  }, 60_000)

  it('are kept with the reason where they were refused', async () => {
    const worker = await RedisConnection.open(redis.port)
    const entry = await worker.text('XADD', REPORTS, '*', 'tenant', TENANT, 'operation', 'nobodys', 'do', 'report')
    const refused = `${REPORTS}:refused`
    await eventually('it was refused', async () => (await worker.text('XLEN', refused)) === '1')
    const asJson = "return cjson.encode(redis.call('XRANGE', KEYS[1], '-', '+'))"
    const [[id, fields]] = JSON.parse(await worker.text('EVAL', asJson, '1', refused)) as [[string, string[]]]
    expect(id).toBe(entry)
    expect(fields).toEqual([...'tenant acme operation nobodys do report code not_found reason'.split(' '), 'Not found'])
    worker.close()
  })
})
