import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signToken } from '@holdfast/server'
import { eventually, pause } from '../kit/deadline.js'
import { median, percentile, printFigures } from '../kit/figures.js'
import { LightReader } from '../kit/light-reader.js'
import { machineTime, machineTimeBetween } from '../kit/machine-time.js'
import { type LogLine, SECRET, ServerProcess } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'

const OTHERS = 999
/** A busy machine adds to single rounds; a slow reader that costs the others anything does so in all, the best of them too. */
const ROUNDS_MIN = 3
const ROUNDS_MAX = 9
const OUTBOX_BYTES_MAX = 1_048_576
const BETWEEN_TICKS_MS = 20
const TICK_PADDING = 'x'.repeat(512)
/** For the thousandth reader alone, so that what the kernel takes for it is filled in seconds. */
const BULK_PADDING = 'x'.repeat(49_152)
const TICKS_UNDISTURBED = 100
const TICKS_MAX = 1_000
const SHARED = 'room:shared'
const BULK = 'room:bulk'

const SETTINGS = {
  channels: { 'room:*': { subscribe: 'member', publish: 'member', history: { size: 50, ttl: '1h' } } },
  limits: { connectionsPerUserMax: OTHERS + 10, outboxBytesMax: OUTBOX_BYTES_MAX },
  heartbeat: { intervalMs: 600_000, timeoutMs: 900_000 },
}

/** How the thousandth reader came to be given up. */
interface GivenUp {
  readonly ticks: number
  readonly queuedBytes: number
  readonly toldAfterMs: number
}

describe('a reader that stops reading beside 999 that do', () => {
  let server: ServerProcess
  let publisher: WireClient
  let others: LightReader[]
  const received = new Map<LightReader, number>()
  let latencies: number[] = []
  let published = 0
  let residentMax = 0

  beforeAll(async () => {
    server = await ServerProcess.start(SETTINGS)
    publisher = await WireClient.welcomed(server.url, { token: tokenOf('publisher') })
    others = Array.from({ length: OTHERS }, () => startReader([SHARED], takeTick))
    await eventually('all others listen', () => received.size === OTHERS, 30_000)
  })

  afterAll(async () => {
    for (const reader of others) reader.end()
    await server.kill()
  })

  function startReader(channels: string[], onFrame: (head: string, reader: LightReader) => void): LightReader {
    const reader = new LightReader(server.port, onFrame)
    reader.send(JSON.stringify({ type: 'hello', token: tokenOf('reader') }))
    for (const channel of channels) reader.send(JSON.stringify({ type: 'subscribe', channel }))
    return reader
  }

  function takeTick(head: string, reader: LightReader): void {
    const isTick = head.startsWith('{"type":"message"')
    if (isTick) latencies.push(machineTime() - Number(/"sentAt":([\d.]+)/.exec(head)?.[1]))
    if (isTick) received.set(reader, (received.get(reader) ?? 0) + 1)
    else if (head.startsWith('{"type":"subscribed"')) received.set(reader, 0)
  }

  /** A reader of both channels, once it listens. */
  async function startThousandth(): Promise<{ reader: LightReader; heads: string[] }> {
    const heads: string[] = []
    const reader = startReader([SHARED, BULK], (head) => heads.push(head))
    const verdicts = (): number => heads.filter((head) => head.startsWith('{"type":"subscribed"')).length
    await eventually('the thousandth reader listens', () => verdicts() === 2)
    return { reader, heads }
  }

  /** Publishes at a steady pace until `isEnough`; answers how many ticks, and the p99 of the others once all of them have everything. */
  async function publishUntil(isEnough: (ticks: number) => boolean): Promise<{ ticks: number; p99: number }> {
    latencies = []
    const startedAt = performance.now()
    let ticks = 0
    for (; !isEnough(ticks); ticks += 1) {
      // Answered before the next is sent: a burst after a pause of this process would fill a queue by megabytes at once.
      await publisher.get('ok', { type: 'publish', channel: BULK, data: BULK_PADDING })
      publisher.send({ type: 'publish', channel: SHARED, data: { sentAt: machineTime(), pad: TICK_PADDING } })
      residentMax = Math.max(residentMax, server.residentBytes())
      await pause(Math.max(0, startedAt + (ticks + 1) * BETWEEN_TICKS_MS - performance.now()))
    }
    published += ticks
    await eventually('all others have all', () => latencies.length === ticks * OTHERS, 30_000)
    return { ticks, p99: percentile(latencies, 0.99) }
  }

  async function besideReader(): Promise<number> {
    const { reader } = await startThousandth()
    const { p99 } = await publishUntil((ticks) => ticks >= TICKS_UNDISTURBED)
    reader.end()
    return p99
  }

  async function besideSlowReader(): Promise<GivenUp & { p99: number }> {
    const { reader, heads } = await startThousandth()
    reader.stopReading()
    const known = server.log.length
    const findLine = (): LogLine | undefined => server.log.slice(known).find(({ event }) => event === 'connection.slow')
    const publishing = publishUntil((ticks) => findLine() !== undefined || ticks >= TICKS_MAX)
    const line = await eventually('the slow reader is given up', findLine, 60_000)
    // It could not be told while it did not read; what it finds now was written when its queue reached the limit.
    reader.readOn()
    const closed = await eventually('the close frame', () => reader.closed)
    const toldAfterMs = machineTimeBetween(Date.parse(line.time), Date.now())
    expect(closed).toEqual({ code: 1013, reason: 'Too slow' })
    expect(heads.at(-1)).toContain('{"type":"goodbye","code":1013,"message":"Too slow","reconnect":"now"}')
    reader.end()
    return { ...(await publishing), queuedBytes: Number(line['bytes']), toldAfterMs }
  }

  it('is closed 1013 within a second of its limit, costs bounded memory, and leaves the p99 of the others within 10 ms', async () => {
    await publishUntil((ticks) => ticks >= 20)
    const residentBefore = server.residentBytes()
    const alone: number[] = []
    const beside: number[] = []
    const givenUp: GivenUp[] = []
    const difference = (): number => Math.min(...beside) - Math.min(...alone)
    while (beside.length < ROUNDS_MIN || (difference() >= 10 && beside.length < ROUNDS_MAX)) {
      alone.push(await besideReader())
      const round = await besideSlowReader()
      beside.push(round.p99)
      givenUp.push(round)
    }
    const grownMiB = (residentMax - residentBefore) / 1_048_576
    printFigures(`a slow reader beside ${OTHERS}`, {
      'p99 of the others beside a reader, ms': alone.map((p99) => p99.toFixed(1)).join(' '),
      'beside one that stopped, ms': beside.map((p99) => p99.toFixed(1)).join(' '),
      'difference of the best rounds, ms': difference(),
      'median of the differences, ms': median(beside.map((p99, round) => p99 - (alone[round] ?? 0))),
      'messages until it was given up': givenUp.map(({ ticks }) => ticks * 2).join(' '),
      'bytes queued for it then': givenUp.map(({ queuedBytes }) => queuedBytes).join(' '),
      'told after, ms': givenUp.map(({ toldAfterMs }) => toldAfterMs).join(' '),
      'resident before, MiB': residentBefore / 1_048_576,
      'resident growth at most, MiB': grownMiB,
    })
    for (const { queuedBytes, toldAfterMs } of givenUp) {
      expect(queuedBytes).toBeGreaterThan(OUTBOX_BYTES_MAX)
      expect(queuedBytes).toBeLessThan(OUTBOX_BYTES_MAX + 2 * BULK_PADDING.length)
      expect(toldAfterMs).toBeLessThan(1_000)
    }
    expect(difference()).toBeLessThan(10)
    expect(grownMiB).toBeLessThan(64)
    expect(new Set(received.values())).toEqual(new Set([published]))
  }, 240_000)
})

function tokenOf(user: string): string {
  return signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 3_600 })
}
