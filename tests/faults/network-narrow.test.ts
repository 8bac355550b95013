import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { machineTime } from '../kit/machine-time.js'
import type { WireClient } from '../kit/wire-client.js'
import { Pair, TENANT, isReady, join } from './pair.js'

const CHANNEL = 'room:1'

/** 256 kbit/s. */
const BYTES_PER_SECOND = 32_000

const CLIENTS = 5

/** As many as one connection may have in flight: more than the line carries before the first times out. */
const IN_FLIGHT = 32

const FILLER = 'x'.repeat(2_000)

const NARROW_MS = 7_000

/** The bound of a command (4 s), and what a busy machine adds. */
const ANSWERED_MS_MAX = 6_000

/** What waits is bounded by what clients may have in flight; the rest is what a test run needs. */
const GROWN_BYTES_MAX = 64 * 1_048_576

let pair: Pair

beforeEach(async () => {
  pair = await Pair.start()
})

afterEach(() => pair.stop())

describe('a node with a narrow line to Redis', () => {
  it('F-54 takes what it can pass on, refuses the rest in bounded time, holds little, and loses nothing', async () => {
    const { first, second } = pair
    const writers = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => join(first.url, `ada-${index}`)))
    const reader = await join(second.url, 'bob')
    await reader.get('subscribed', { type: 'subscribe', channel: CHANNEL })
    const lanes = writers.flatMap((writer, at) =>
      Array.from({ length: IN_FLIGHT }, (_, lane) => new Lane(writer, `${at}-${lane}`)),
    )
    first.proxy.tcp.bandwidth(BYTES_PER_SECOND)
    const before = process.memoryUsage().rss
    const until = performance.now() + NARROW_MS
    await Promise.all(lanes.map((lane) => lane.publishUntil(until)))
    const grown = process.memoryUsage().rss - before
    first.proxy.tcp.heal()
    await isReady(first)
    const accepted = lanes.reduce((sum, one) => sum + one.accepted, 0)
    const slowestMs = Math.max(...lanes.map((one) => one.slowestMs))
    printFigures('a line of 256 kbit/s', {
      accepted,
      refused: lanes.reduce((sum, { refusals }) => sum + refusals, 0),
      'slowest answer, ms': slowestMs,
      'memory, bytes': grown,
    })
    expect(accepted).toBeGreaterThan(0)
    expect(slowestMs).toBeLessThan(ANSWERED_MS_MAX)
    expect(grown).toBeLessThan(GROWN_BYTES_MAX)

    await Promise.all(lanes.map((lane) => lane.finish()))
    const { messages } = await second.holdfast.tenant(TENANT).history(CHANNEL, { limit: 10_000 })
    const stored = messages.map(({ data }) => (data as Said).name)
    expect(stored.toSorted()).toEqual(lanes.flatMap(({ names }) => names).toSorted())
    await eventually('the reader has everything', () => reader.of('message').length >= messages.length)
    expect(reader.of('message').map(({ offset }) => offset)).toEqual(messages.map(({ offset }) => offset))
  }, 60_000)
})

interface Said {
  readonly name: string
  readonly filler: string
}

/** Publishes one message after the other, each until it is taken. */
class Lane {
  readonly #writer: WireClient
  readonly #name: string
  readonly names: string[] = []
  refusals = 0
  accepted = 0
  slowestMs = 0
  /** Refused, and perhaps stored. */
  #owed: string | undefined

  constructor(writer: WireClient, name: string) {
    this.#writer = writer
    this.#name = name
  }

  async publishUntil(until: number): Promise<void> {
    while (performance.now() < until) {
      const begun = machineTime()
      await this.#publish()
      this.slowestMs = Math.max(this.slowestMs, machineTime() - begun)
      if (this.#owed !== undefined) await pause(200)
    }
  }

  /** Asks again for what was refused last. */
  async finish(): Promise<void> {
    while (this.#owed !== undefined) await this.#publish()
  }

  async #publish(): Promise<void> {
    const name = this.#owed ?? `${this.#name}-${this.names.length}`
    const data: Said = { name, filler: FILLER }
    const answer = await this.#writer.ask({ type: 'publish', channel: CHANNEL, data, key: name })
    if (this.#owed === undefined) this.names.push(name)
    if (answer.type === 'ok') {
      this.accepted += 1
      this.#owed = undefined
      return
    }
    expect(answer).toMatchObject({ type: 'error', code: 'engine_unavailable', retryable: true })
    this.refusals += 1
    this.#owed = name
  }
}
