import { Holdfast, type OperationError } from '@holdfast/client'
import type { OperationSnapshot } from '@holdfast/protocol'
import { signToken } from '@holdfast/server'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { eventually, within } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'
import { roamingSocket } from './kit/roaming-socket.js'

// However somebody comes to watch, and whatever dies meanwhile: all see the same end.

const TENANT = 'acme'
const OWNER = 'ada'
const TOTAL = 200

let redis: RedisServer
let nodes: NodeProcess[]
const clients: Holdfast[] = []

beforeAll(async () => {
  redis = await RedisServer.start({ appendonly: true, appendfsync: 'always' })
  nodes = await Promise.all(['n1', 'n2', 'n3'].map((node) => startNode(node)))
}, 60_000)

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis.stop()
})

const startNode = (node: string): Promise<NodeProcess> =>
  NodeProcess.start({ node, engine: { redis: redis.url }, limits: { connectionsPerUserMax: 100 } })

/** A node that lives, the first of those asked for. */
function living(preferred: number = 0): NodeProcess {
  const found = [...nodes.slice(preferred), ...nodes].find((node) => node.isRunning)
  if (found === undefined) throw new Error('no node lives')
  return found
}

const token = (permissions: readonly string[] = []): string =>
  signToken({ secret: SECRET, tenant: TENANT, user: OWNER, permissions })

/** What one watcher saw: its snapshots in order, and the last of them. */
interface Watcher {
  readonly name: string
  readonly seen: OperationSnapshot[]
  readonly end: Promise<OperationSnapshot>
}

function watch(name: string, id: string, preferred: number): Watcher {
  const WebSocket = roamingSocket(
    () => living(preferred).url,
    () => undefined,
  )
  const client = new Holdfast(living(preferred).url, { token: () => token(), WebSocket })
  clients.push(client)
  const job = client.operation(id)
  const seen: OperationSnapshot[] = []
  job.on('progress', ({ snapshot }) => void seen.push(snapshot))
  const end = job.done.then(
    () => seen.at(-1) as OperationSnapshot,
    (error: OperationError) => error.snapshot as OperationSnapshot,
  )
  return { name, seen, end }
}

/** A worker that speaks HTTP to whichever node lives, and says again what was not answered. */
async function tell(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<OperationSnapshot> {
  let answer: OperationSnapshot | undefined
  await eventually(
    `${method} ${path} is taken`,
    async () => {
      const response = await fetch(`http://127.0.0.1:${living().port}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token(['operations'])}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      }).catch(() => undefined)
      if (response === undefined || response.status >= 500 || response.status === 429) return false
      const said = (await response.json()) as OperationSnapshot & { error?: { code?: string } }
      // The first answer may have been lost on its way.
      if (response.status === 400 && method === 'POST' && path === '/operations') return true
      if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(said)}`)
      answer = said
      return true
    },
    60_000,
  )
  return answer as OperationSnapshot
}

const report = (id: string, done: number, phase: string): Promise<OperationSnapshot> =>
  tell('PATCH', `/operations/${id}`, {
    done,
    total: TOTAL,
    unit: 'rows',
    sequence: done + 1,
    phase,
    item: `row ${done}`,
  })

it.each(['completed', 'failed', 'cancelled'] as const)(
  'watchers before, during and after, through a reload, a killed node and a restarted Redis see one end: %s',
  async (state) => {
    const id = `watched-${state}`
    await tell('POST', '/operations', {
      id,
      kind: 'import',
      owner: OWNER,
      phases: [{ name: 'read' }, { name: 'write', weight: 3 }],
      queued: true,
    })
    const watchers = [watch('before', id, 0), watch('before, on the node that is killed', id, 1)]
    await Promise.all(watchers.map(({ seen, name }) => eventually(`${name} has it`, () => seen.length > 0)))
    await tell('POST', `/operations/${id}/attempts`, {})

    for (let done = 0; done < 50; done += 10) await report(id, done, 'read')
    watchers.push(watch('during', id, 2))
    const reloaded = watch('reloaded', id, 0)
    await eventually('it is seen running', () => reloaded.seen.length > 0)
    clients.at(-1)?.disconnect()
    await reloaded.end.catch(() => undefined)
    watchers.push(watch('after a reload', id, 1))

    await nodes[1]?.kill9()
    for (let done = 50; done < 100; done += 10) await report(id, done, 'write')
    nodes[1] = await startNode('n2')
    await redis.kill()
    await redis.restart()
    for (let done = 100; done < 150; done += 10) await report(id, done, 'write')
    watchers.push(watch('after the restart', id, 1))

    if (state === 'cancelled') await tell('POST', `/operations/${id}/cancel`, {})
    const ending = {
      completed: ['complete', { result: { rows: TOTAL } }],
      failed: ['fail', { error: { code: 'disk_full', message: 'the disk is full', retryable: true } }],
      cancelled: ['cancelled', {}],
    } as const
    const [word, body] = ending[state]
    await tell('POST', `/operations/${id}/${word}`, body)
    watchers.push(watch('after the end', id, 0), watch('after the end, elsewhere', id, 1))

    const ends = await within('all see the end', Promise.all(watchers.map(({ end }) => end)), 30_000)
    const last = await tell('GET', `/operations/${id}`)
    for (const [at, end] of ends.entries()) expect([watchers[at]?.name, end]).toEqual([watchers[at]?.name, last])
    expect(last.state).toBe(state)
    for (const { name, seen } of watchers) {
      const versions = seen.map(({ version }) => version)
      expect([name, versions]).toEqual([name, [...new Set(versions)].toSorted((a, b) => a - b)])
      const percents = seen.map(({ progress: { percent = 0 } }) => percent)
      expect([name, percents]).toEqual([name, percents.toSorted((a, b) => a - b)])
    }
  },
  120_000,
)
