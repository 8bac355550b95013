import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PublishResult } from '@holdfast/server'
import type { ServerPublish } from './kit/node-questions.js'
import { NodeProcess } from './kit/node-process.js'
import type { Problem } from './kit/questions.js'
import { RedisServer } from './kit/redis-server.js'

const PAIRS = 10_000
const CHANNELS = 10
const CONFLICTS = 1_000
const IN_FLIGHT = 64

type Outcome = PublishResult | Problem

const isPublished = (outcome: Outcome | undefined): outcome is PublishResult =>
  outcome !== undefined && 'offset' in outcome

describe('two nodes that publish under the same keys at the same time', () => {
  let redis: RedisServer
  let nodes: NodeProcess[]

  beforeAll(async () => {
    redis = await RedisServer.start()
    const options = {
      channels: { 'room:*': { history: { size: 20_000, ttl: '1h' } } },
      engine: { redis: redis.url },
    } as const
    nodes = await Promise.all(['one', 'other'].map((node) => NodeProcess.start({ ...options, node })))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await redis.stop()
  })

  /** What each node was answered, pair by pair. */
  async function race(publishesOf: (node: number) => ServerPublish[]): Promise<(Outcome | undefined)[][]> {
    const answers = await Promise.all(
      nodes.map((node, index) =>
        node.ask('publishMany', { publishes: publishesOf(index), inFlight: IN_FLIGHT }, 120_000),
      ),
    )
    return (answers[0] ?? []).map((_, at) => answers.map((answer) => answer[at]))
  }

  it(`F-63 store ${PAIRS} messages for ${PAIRS} pairs, and answer both of a pair alike`, async () => {
    const publishes = Array.from({ length: PAIRS }, (_, index) => ({
      tenant: 'acme',
      channel: `room:${index % CHANNELS}`,
      data: { pair: index },
      key: `pair-${index}`,
    }))
    const pairs = await race(() => publishes)
    expect(pairs.filter((pair) => !pair.every(isPublished))).toEqual([])
    const answered = pairs.map((pair) => pair.filter(isPublished))
    const unequal = answered.filter(
      ([one, other]) => one?.epoch !== other?.epoch || one?.offset !== other?.offset || one?.id !== other?.id,
    )
    expect(unequal).toEqual([])
    expect(answered.filter((pair) => pair.filter(({ duplicate }) => duplicate).length !== 1)).toEqual([])
    expect(await storedPairs()).toEqual(Array.from({ length: PAIRS }, (_, index) => index))
  }, 180_000)

  it(`F-64 take one of two payloads under the same key, ${CONFLICTS} times, and refuse the other`, async () => {
    const pairs = await race((node) =>
      Array.from({ length: CONFLICTS }, (_, index) => ({
        tenant: 'acme',
        channel: 'room:conflicts',
        data: { pair: index, node },
        key: `conflict-${index}`,
      })),
    )
    const taken = pairs.filter((pair) => pair.filter(isPublished).length === 1)
    const refused = pairs.flatMap((pair) => pair.filter((outcome) => !isPublished(outcome)))
    expect(taken).toHaveLength(CONFLICTS)
    expect(new Set(refused.map((problem) => (problem as Problem).code))).toEqual(new Set(['idempotency_conflict']))
    expect(await stored('room:conflicts')).toHaveLength(CONFLICTS)
  }, 60_000)

  async function storedPairs(): Promise<number[]> {
    const pages = await Promise.all(Array.from({ length: CHANNELS }, (_, index) => stored(`room:${index}`)))
    return pages.flat().toSorted((one, other) => one - other)
  }

  async function stored(channel: string): Promise<number[]> {
    const page = await nodes[0]?.ask('history', { tenant: 'acme', channel, range: { limit: 20_000 } })
    return (page?.messages ?? []).map(({ data }) => (data as { pair: number }).pair)
  }
})
