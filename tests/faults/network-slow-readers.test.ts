import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast } from '@holdfast/server'
import { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, pause } from '../kit/deadline.js'
import { median, percentile, printFigures } from '../kit/figures.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SECRET } from '../kit/server-process.js'

const CHANNEL = 'room:1'
const OUTBOX_BYTES_MAX = 262_144
/** What the kernel and the proxy take before anything waits in the server is several megabytes. */
const BULK = 'x'.repeat(32_768)
const OTHERS = 20
/** Of the median: what is above it belongs to a busy machine. */
const LATENCY_MS_MAX = 50

describe('a reader that is slower than what is sent', () => {
  let server: Holdfast
  let proxy: ChaosProxy
  let url: string
  let acknowledged: Acknowledged[]
  const slowLines: object[] = []
  const recorders: Recorder[] = []

  beforeAll(async () => {
    const note = (fields: Readonly<Record<string, unknown>>): void =>
      void (fields['event'] === 'connection.slow' && slowLines.push({ ...fields, at: performance.now() }))
    server = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
      limits: { outboxBytesMax: OUTBOX_BYTES_MAX, recoveryBytesMax: 67_108_864 },
      log: { debug: note, info: note, warn: note, error: note },
    })
    const { port } = await server.listen(0)
    proxy = await ChaosProxy.start(port)
    url = `ws://127.0.0.1:${port}/ws`
  })

  afterEach(() => {
    proxy.heal()
    for (const { client } of recorders.splice(0)) client.disconnect()
  })

  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  async function readers(): Promise<{ slow: Recorder; others: Recorder[] }> {
    acknowledged = []
    const slow = new Recorder(`ws://127.0.0.1:${proxy.port}/ws`, 'slow', CHANNEL)
    const others = Array.from({ length: OTHERS }, (_, index) => new Recorder(url, `user-${index}`, CHANNEL))
    recorders.push(slow, ...others)
    await eventually('all have begun', () => recorders.every(({ verdicts }) => verdicts.length > 0))
    return { slow, others }
  }

  /** Publishes, and answers how long the others waited for it. */
  async function publish(others: readonly Recorder[], pad: string): Promise<number> {
    const sentAt = performance.now()
    const { epoch, offset, id } = await server.tenant('acme').publish(CHANNEL, 'told', pad)
    acknowledged.push({ epoch, offset, id })
    await eventually('the others have it', () => others.every((other) => hasLast(other)))
    return performance.now() - sentAt
  }

  function hasLast({ told }: Recorder): boolean {
    const last = told.at(-1)
    return last?.kind === 'message' && last.id === acknowledged.at(-1)?.id
  }

  it('F-42 is given up soon after its queue is full, costs the others nothing, and recovers what it missed', async () => {
    const { slow, others } = await readers()
    proxy.blackhole('down')
    const latencies: number[] = []
    while (slowLines.length === 0 && latencies.length < 2_000) latencies.push(await publish(others, BULK))
    expect(slowLines[0]).toMatchObject({ event: 'connection.slow' })
    expect((slowLines[0] as { bytes: number }).bytes).toBeLessThanOrEqual(OUTBOX_BYTES_MAX + BULK.length + 1_024)
    printFigures('a reader that stopped reading', {
      'messages until it was given up': latencies.length,
      'others, median and p99, ms': [0.5, 0.99].map((share) => percentile(latencies, share).toFixed(1)).join(' '),
    })
    expect(median(latencies)).toBeLessThan(LATENCY_MS_MAX)
    proxy.heal()
    await eventually('it is back', () => slow.verdicts.length > 1)
    await publish([...others, slow], 'last')
    expect(checkHistory(slow.told, acknowledged)).toEqual([])
    expect(slow.counts).toEqual({ messages: acknowledged.length, gaps: 0 })
    expect(slow.states.some(({ reason, code }) => code === 1013 && reason === 'Too slow')).toBe(true)
  }, 60_000)

  it('F-43 that dribbles costs the others nothing, and is behind by no more than its queue holds', async () => {
    const { slow, others } = await readers()
    const known = slowLines.length
    proxy.bandwidth(4_000, 'down')
    const latencies: number[] = []
    for (let count = 0; count < 150; count += 1) {
      latencies.push(await publish(others, 'x'.repeat(1_024)))
      await pause(10)
    }
    printFigures('a reader that dribbles', {
      'behind by, messages': acknowledged.length - slow.data.length,
      'others, median and p99, ms': [0.5, 0.99].map((share) => percentile(latencies, share).toFixed(1)).join(' '),
    })
    expect(slow.data.length).toBeLessThan(acknowledged.length / 2)
    expect(median(latencies)).toBeLessThan(LATENCY_MS_MAX)
    proxy.heal()
    await publish([...others, slow], 'last')
    expect(checkHistory(slow.told, acknowledged)).toEqual([])
    expect(slowLines).toHaveLength(known)
  }, 60_000)
})
