import { type OperationSnapshot, TERMINAL_STATES } from '@holdfast/protocol'
import { signToken } from '@holdfast/server'
import { afterEach, describe, expect, it } from 'vitest'
import { SECRET } from '../kit/server-process.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const TOKEN = signToken({
  secret: SECRET,
  tenant: 'acme',
  user: 'importer',
  permissions: ['operations'],
  ttlSeconds: 600,
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

async function ask(node: NodeProcess, line: string, body?: object, headers: object = {}): Promise<Answer> {
  const [method = 'GET', path = ''] = line.split(' ')
  const answer = await fetch(`http://127.0.0.1:${node.port}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

const snapshotIn = ({ text }: Pick<Answer, 'text'>): OperationSnapshot => JSON.parse(text) as OperationSnapshot

/** The snapshots of a stream that has ended, in order. */
const told = ({ text }: Answer): OperationSnapshot[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as OperationSnapshot)

const rising = (numbers: readonly number[]): readonly number[] => numbers.toSorted((one, other) => one - other)

describe('an operation over HTTP, on three nodes with one Redis', () => {
  it(
    'goes on when the node is killed that began it, and ends once for everybody who waits',
    { timeout: 60_000 },
    async () => {
      const redis = await RedisServer.start()
      ends.push(() => redis.stop())
      const nodes: NodeProcess[] = []
      for (const name of ['n0', 'n1', 'n2']) {
        const node = await NodeProcess.start({ node: name, engine: { redis: redis.url }, channels: {} })
        ends.push(() => node.stop())
        nodes.push(node)
      }
      const [first, second, third] = nodes as [NodeProcess, NodeProcess, NodeProcess]

      const key = { 'idempotency-key': 'nightly-1' }
      const spec = { id: 'import-42', kind: 'import', owner: 'ada', total: 5 }
      const begun = await ask(first, 'POST /operations', spec, key)
      const again = await ask(second, 'POST /operations', spec, key)
      expect([again.status, again.text]).toEqual([201, begun.text])
      expect(again.headers.get('idempotent-replayed')).toBe('true')

      const waits = [second, third].map((node) => ask(node, 'GET /operations/import-42?wait=60'))
      const streams = [second, third].map((node) => ask(node, 'GET /operations/import-42/events'))
      for (const [done, node] of [first, second, third, first].entries())
        expect((await ask(node, 'PATCH /operations/import-42', { done: done + 1 })).status).toBe(200)

      await first.kill9()
      expect((await ask(second, 'PATCH /operations/import-42', { done: 5 })).status).toBe(200)
      const race = await Promise.all([
        ask(second, 'POST /operations/import-42/complete', { result: 'done' }),
        ask(third, 'POST /operations/import-42/fail', { error: { message: 'no' } }),
      ])
      expect(rising(race.map(({ status }) => status))).toEqual([200, 409])

      const final = snapshotIn(race.find(({ status }) => status === 200) ?? { text: '' })
      for (const answer of [...(await Promise.all(waits)), await ask(third, 'GET /operations/import-42')])
        expect(snapshotIn(answer)).toEqual(final)
      for (const snapshots of (await Promise.all(streams)).map(told)) {
        expect(snapshots.at(-1)).toEqual(final)
        expect(snapshots.filter(({ state }) => (TERMINAL_STATES as readonly string[]).includes(state))).toHaveLength(1)
        const versions = snapshots.map(({ version }) => version)
        expect(versions).toEqual(rising([...new Set(versions)]))
        const percents = snapshots.map(({ progress }) => progress.percent ?? 0)
        expect(percents).toEqual(rising(percents))
      }
    },
  )
})
