import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import type { WireClient } from '../kit/wire-client.js'
import type { NodeOptions } from '../cluster/kit/node-questions.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { CHANNELS, TENANT, join } from './pair.js'

const CLIENTS = 40
const STALL_MS = 2_000
const STARVED_MS = 4_000
const HALL = 'room:hall'

/** Who says nothing for the length of a stall is given up, were it not for the stall. */
const HEARTBEAT = { intervalMs: 500, timeoutMs: 1_500 }

let redis: RedisServer
let standing: NodeProcess
let other: NodeProcess
let clients: WireClient[]
let watcher: WireClient

async function setUp(options: NodeOptions = {}): Promise<void> {
  const engine = { redis: redis.url }
  const start = (node: string): Promise<NodeProcess> =>
    NodeProcess.start({ node, channels: CHANNELS, engine, heartbeat: HEARTBEAT, ...options })
  ;[standing, other] = await Promise.all([start('standing'), start('other')])
  await Promise.all([standing.isReady(), other.isReady()])
  watcher = await join(other.url, 'watcher')
  await watcher.get('subscribed', { type: 'subscribe', channel: HALL, presence: true })
  clients = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => join(standing.url, `user-${index}`)))
  for (const client of clients) await client.get('subscribed', { type: 'subscribe', channel: HALL, presence: true })
  await allAreThere()
}

beforeEach(async () => {
  redis = await RedisServer.start()
})

afterEach(async () => {
  await Promise.all([standing.stop(), other.stop()])
  await redis.stop()
})

const allAreThere = (): Promise<unknown> =>
  eventually('everybody is there', async () => {
    const { counts } = await other.ask('presence', { tenant: TENANT, channel: HALL })
    return counts.members === CLIENTS + 1 && counts.connections === CLIENTS + 1
  })

/** Everybody is connected still: nobody was told goodbye, and all hear what is said. */
async function nobodyWasClosed(): Promise<void> {
  await other.ask('publish', { tenant: TENANT, channel: HALL, data: 'still there?' })
  const hears = (client: WireClient): boolean => client.of('message').length > 0
  await eventually('everybody hears', () => clients.every(hears))
  for (const client of clients) expect(client.of('goodbye')).toEqual([])
}

describe('a node that stands still for two seconds, again and again', () => {
  it('F-31 closes nobody for silence that was its own, and keeps its members', async () => {
    await setUp()
    await standing.ask('stall', { ms: STALL_MS })
    await pause(HEARTBEAT.intervalMs)
    standing.pause()
    await pause(STALL_MS)
    standing.resume()
    await standing.isReady()
    await nobodyWasClosed()
    expect(watcher.of('left')).toEqual([])
  }, 40_000)

  it('F-31 enters its members again where its lease lapsed meanwhile', async () => {
    await setUp({ cluster: { renewMs: 300, leaseMs: 2_000 } })
    standing.pause()
    await eventually('others let go of what it held', () => watcher.of('left').length === CLIENTS)
    standing.resume()
    await allAreThere()
    await nobodyWasClosed()
    // Each went once and came back once.
    const changesOf = (user: string): string[] =>
      watcher.messages.flatMap((told) =>
        (told.type === 'joined' || told.type === 'left') && told.member.user === user ? [told.type] : [],
      )
    const users = Array.from({ length: CLIENTS }, (_, index) => `user-${index}`)
    await eventually('the watcher has heard', () => users.every((user) => changesOf(user).at(-1) === 'joined'))
    for (const user of users) expect(changesOf(user)).toEqual(['joined', 'left', 'joined'])
  }, 40_000)
})

describe('a node that gets a tenth of a processor', () => {
  it('F-34 serves slowly, and loses no client', async () => {
    await setUp()
    let isOver = false
    const starving = (async () => {
      while (!isOver) {
        standing.pause()
        await pause(90)
        standing.resume()
        await pause(10)
      }
    })()
    const until = performance.now() + STARVED_MS
    let said = 0
    for (; performance.now() < until; said += 1) {
      await other.ask('publish', { tenant: TENANT, channel: HALL, data: said })
      await pause(100)
    }
    const late = clients.filter((client) => client.of('message').length < said / 2)
    isOver = true
    await starving
    await eventually('everybody has everything', () => clients.every((client) => client.of('message').length >= said))
    for (const client of clients) {
      expect(client.of('goodbye')).toEqual([])
      expect(client.of('message').map(({ data }) => data)).toEqual(Array.from({ length: said }, (_, index) => index))
    }
    // Slow, and not stuck.
    expect(late).toEqual([])
    expect(watcher.of('left')).toEqual([])
  }, 40_000)
})
