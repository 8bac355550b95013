import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Holdfast,
  type LogPage,
  MemoryEngine,
  type ReadRange,
  type Retention,
  type Stream,
  createHoldfast,
} from '@holdfast/server'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, pause } from '../kit/deadline.js'
import { histogram, printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { moment } from '../kit/machine-time.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'

const CLIENTS = 500
/** Far more than it takes: the rest belongs to a machine that has other things to do as well. */
const DEADLINE_MS = 30_000
const PATIENCE = { connectTimeoutMs: 2 * DEADLINE_MS, requestTimeoutMs: 2 * DEADLINE_MS }
const READS_PER_CLIENT_MAX = 1.2
const CHANNEL = 'room:1'

/** Counts how often the log is read. */
class CountingEngine extends MemoryEngine {
  reads = 0

  override read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    if (stream.channel === CHANNEL) this.reads += 1
    return super.read(stream, retention, range)
  }
}

describe('five hundred clients whose connections are all cut at once', () => {
  const engine = new CountingEngine()
  let server: Holdfast
  let proxy: ChaosProxy
  let recorders: Recorder[]

  beforeAll(async () => {
    server = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { history: { size: 5_000, ttl: '1h' } } },
      engine,
    })
    proxy = await ChaosProxy.start((await server.listen(0)).port)
    const url = `ws://127.0.0.1:${proxy.port}/ws`
    recorders = Array.from({ length: CLIENTS }, (_, index) => new Recorder(url, `user-${index}`, CHANNEL, PATIENCE))
    await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0), 30_000)
  }, 60_000)

  afterAll(async () => {
    for (const { client } of recorders) client.disconnect()
    await proxy.close()
    await server.close()
  })

  it('F-44 come back spread out, in one attempt each, and lose nothing', async () => {
    const acknowledged: Acknowledged[] = []
    let isOver = false
    const flow = (async () => {
      while (!isOver) {
        const { epoch, offset, id } = await server.tenant('acme').publish(CHANNEL, 'told', acknowledged.length)
        acknowledged.push({ epoch, offset, id })
        await pause(100)
      }
    })()
    await eventually('messages flow', () => acknowledged.length > 2)
    const { reads } = engine
    const cutAt = moment()
    expect(proxy.killAll()).toBe(CLIENTS)
    await eventually(
      'all are back',
      () => recorders.every(({ client, verdicts }) => client.status === 'open' && verdicts.length > 1),
      DEADLINE_MS,
    )
    const backAfterMs = moment() - cutAt
    isOver = true
    await flow
    const lastId = acknowledged.at(-1)?.id
    await eventually(
      'all have the last message',
      () => recorders.every(({ told }) => told.some((one) => one.kind === 'message' && one.id === lastId)),
      DEADLINE_MS,
    )
    const readsPerClient = (engine.reads - reads) / CLIENTS
    const arrivals = recorders.map(({ states }) => (states.findLast(({ state }) => state === 'open')?.at ?? 0) - cutAt)
    printFigures(`${CLIENTS} clients cut at once`, {
      'all back after, ms': backAfterMs,
      'back in each 100 ms': histogram(arrivals, 100).join(' '),
      'reads of the log for each client': readsPerClient,
    })
    for (const { told, errors, counts, client } of recorders) {
      expect(checkHistory(told, acknowledged)).toEqual([])
      expect(errors).toEqual([])
      expect(counts.gaps).toBe(0)
      expect(client.statistics).toMatchObject({ reconnects: 1, attempts: 2 })
    }
    expect(readsPerClient).toBeLessThanOrEqual(READS_PER_CLIENT_MAX)
  }, 90_000)
})
