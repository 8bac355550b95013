import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../cluster/kit/free-port.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { eventually, pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { ServerProcess } from '../kit/server-process.js'
import { haproxy, LoadBalancer } from './load-balancer.js'

const CLIENTS = 1_000
const CHANNELS = 20
const BETWEEN_PUBLISHES_MS = 10

const DRAIN = { delayMs: 3_000, windowMs: 8_000, deadlineMs: 30_000 }

/** The channel of a client, and of the publishes that it makes. */
const channelOf = (index: number): string => `room:${index % CHANNELS}`

describe('kill -TERM of a node with 1,000 clients behind HAProxy', () => {
  let redis: RedisServer
  let leaving: ServerProcess
  let staying: ServerProcess
  let balancer: LoadBalancer
  const recorders: Recorder[] = []
  const acknowledged = new Map<string, Acknowledged[]>()

  beforeAll(async () => {
    redis = await RedisServer.start({ appendonly: true })
    const settings = {
      engine: redis.url,
      channels: { 'room:*': { publish: 'member', history: { size: 10_000, ttl: '1h' } } },
      drain: DRAIN,
      // By this name the balancer asks whether a node is ready.
      hosts: ['holdfast'],
      trustedProxies: ['127.0.0.1'],
    }
    leaving = await ServerProcess.start(settings)
    const port = await freePort()
    balancer = await LoadBalancer.start(haproxy, { nodes: [leaving.port, port] })
    for (let index = 0; index < CLIENTS; index += 1) {
      recorders.push(new Recorder(balancer.url, `user-${index}`, channelOf(index)))
      // A real crowd arrives over time; all at once they would wait for each other's TCP handshakes.
      if (index % 50 === 49) await eventually('they have begun', () => recorders.every(hasBegun), 20_000)
    }
    // As in a deploy: the new node comes when the old one has everybody.
    staying = await ServerProcess.start(settings, port)
  }, 60_000)

  afterAll(async () => {
    for (const { client } of recorders) client.disconnect()
    await balancer?.stop()
    await leaving?.kill()
    await staying?.kill()
    await redis?.stop()
  })

  const publish = async (recorder: Recorder, index: number, data: unknown): Promise<void> => {
    const channel = channelOf(index)
    const { epoch = '', offset = 0, id } = await recorder.client.channel(channel).publish('said', data)
    acknowledged.set(channel, [...(acknowledged.get(channel) ?? []), { epoch, offset, id }])
  }

  it('loses nothing, repeats nothing, shows no application a disconnect, and ends with 0', async () => {
    const state = { isOver: false }
    const publishing: Promise<void>[] = []
    const flow = (async () => {
      for (let round = 0; !state.isOver; round += 1) {
        const index = (round * 7) % CLIENTS
        publishing.push(publish(recorders[index]!, index, round))
        await pause(BETWEEN_PUBLISHES_MS)
      }
    })()
    await eventually('messages flow', () => publishing.length > 50)
    const begunAt = performance.now()
    const code = await leaving.terminate().finally(() => {
      state.isOver = true
    })
    const endedAfterMs = performance.now() - begunAt
    await flow
    await Promise.all(publishing)
    for (const list of acknowledged.values()) list.sort((one, other) => one.offset - other.offset)
    const newest = new Map(Array.from(acknowledged, ([channel, list]) => [channel, list.at(-1)?.id]))
    await eventually(
      'everybody has the last message',
      () =>
        recorders.every(({ told }, index) => {
          const last = newest.get(channelOf(index))
          return told.some((one) => one.kind === 'message' && one.id === last)
        }),
      30_000,
    )

    const sum = (count: (recorder: Recorder) => number): number => recorders.reduce((all, one) => all + count(one), 0)
    const movers = recorders.filter(({ client }) => client.statistics.handovers > 0)
    printFigures('1,000 clients behind HAProxy, one of two nodes ended with SIGTERM', {
      'exit code': String(code),
      'node ended after, ms': endedAfterMs,
      'clients handed over': movers.length,
      'messages published meanwhile': publishing.length,
      deliveries: sum(({ counts }) => counts.messages),
      'duplicates dropped by the clients': sum(({ client }) => client.statistics.duplicatesDropped),
    })
    expect(code).toBe(0)
    expect(movers.length).toBe(CLIENTS)
    recorders.forEach(({ told, counts, states, errors, client }, index) => {
      const expected = acknowledged.get(channelOf(index)) ?? []
      expect(checkHistory(told, expected)).toEqual([])
      expect(counts).toEqual({ messages: expected.length, gaps: 0 })
      expect(states.map((change) => change.state)).toEqual(['open'])
      expect(client.statistics.reconnects).toBe(0)
      expect(errors).toEqual([])
    })
    expect(leaving.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
    expect(staying.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
  }, 120_000)
})

function hasBegun({ verdicts }: Recorder): boolean {
  return verdicts.length > 0
}
