import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, MemoryEngine, createHoldfast, signToken } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { histogram, percentile, printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { WireClient } from '../kit/wire-client.js'

const CLIENTS = 60
const WRITERS = 6
const WITNESSES = 5
const WINDOW_MS = 1_500
const BETWEEN_MESSAGES_MS = 15
const CHANNEL = 'room:moving'

describe('a node that drains while clients listen', () => {
  const engine = new MemoryEngine()
  let leaving: Holdfast
  let staying: Holdfast
  let stayingPort: number
  let proxy: TcpProxy
  let recorders: Recorder[]
  let witnesses: WireClient[]
  const acknowledged: Acknowledged[] = []

  beforeAll(async () => {
    const options = {
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
      engine,
      drain: { windowMs: WINDOW_MS, deadlineMs: 15_000 },
    } as const
    leaving = createHoldfast({ ...options, node: 'leaving' })
    staying = createHoldfast({ ...options, node: 'staying' })
    const { port, url } = await leaving.listen()
    stayingPort = (await staying.listen()).port
    proxy = await TcpProxy.start(port)
    witnesses = await Promise.all(
      Array.from({ length: WITNESSES }, () => WireClient.welcomed(url, { token: tokenOf('witness') })),
    )
    recorders = Array.from({ length: CLIENTS }, (_, index) => new Recorder(proxy.url, `user-${index}`, CHANNEL))
    await eventually('all clients have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
  })

  afterAll(async () => {
    for (const { client } of recorders) client.disconnect()
    await proxy.close()
    await leaving.close()
    await staying.close()
  })

  async function publish(
    promise: Promise<{ epoch: string | undefined; offset: number | undefined; id: string }>,
  ): Promise<void> {
    const { epoch = '', offset = 0, id } = await promise
    acknowledged.push({ epoch, offset, id })
  }

  it('hands them over at their slots; they lose nothing, hear nothing twice, and notice nothing', async () => {
    let isOver = false
    const publishing: Promise<void>[] = []
    const flow = (async () => {
      for (let round = 0; !isOver; round += 1) {
        publishing.push(publish(staying.tenant('acme').publish(CHANNEL, 'told', round)))
        const writer = recorders[round % WRITERS]
        if (writer) publishing.push(publish(writer.client.channel(CHANNEL).publish('said', round)))
        await pause(BETWEEN_MESSAGES_MS)
      }
    })()

    proxy.switchUpstream(stayingPort)
    const begunAt = performance.now()
    const drained = leaving.drain()
    const goodbyes = await Promise.all(witnesses.map((witness) => witness.next('goodbye')))
    await Promise.all(witnesses.map((witness) => witness.close()))
    await drained
    const drainedAfterMs = performance.now() - begunAt
    isOver = true
    await flow
    await Promise.all(publishing)
    acknowledged.sort((one, other) => one.offset - other.offset)
    const lastId = acknowledged.at(-1)?.id
    await eventually('everybody has the last message', () =>
      recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === lastId)),
    )

    const arrivals = proxy.acceptedAt.filter((at) => at > begunAt).map((at) => at - begunAt)
    printFigures(`${CLIENTS} clients handed over`, {
      'node drained after, ms': drainedAfterMs,
      'slots of the witnesses, ms': goodbyes.map(({ after }) => after).join(' '),
      'new sockets after, ms (least, median, most)': [0, 0.5, 1]
        .map((share) => percentile(arrivals, share).toFixed(0))
        .join(' '),
      'new sockets in each 100 ms': histogram(arrivals, 100).join(' '),
      'messages published meanwhile': acknowledged.length,
      'duplicates dropped by the clients': recorders.reduce(
        (sum, { client }) => sum + client.statistics.duplicatesDropped,
        0,
      ),
    })
    for (const goodbye of goodbyes)
      expect(goodbye).toMatchObject({ code: 1012, message: 'Service restart', reconnect: 'now' })
    for (const { after = Infinity } of goodbyes) expect(after).toBeLessThanOrEqual(WINDOW_MS)
    expect(arrivals).toHaveLength(CLIENTS)
    for (const { told, counts, states, errors, client } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(counts).toEqual({ messages: acknowledged.length, gaps: 0 })
      expect(states.map(({ state }) => state)).toEqual(['open'])
      expect(client.statistics).toMatchObject({ handovers: 1, reconnects: 0 })
      expect(errors).toEqual([])
    }
    expect(staying.stats().connections).toBe(CLIENTS)
    expect(leaving.stats().connections).toBe(0)
  }, 60_000)
})

function tokenOf(user: string): string {
  return signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 3_600 })
}
