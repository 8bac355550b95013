import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../packages/server/src/clock.js'
import { systemRandom } from '../../packages/server/src/random.js'
import type { PublishOutcome } from '../../packages/server/src/engine/engine.js'
import { LINK_LIMITS } from '../../packages/server/src/engine/redis/command-link.js'
import { DriverConnector } from '../../packages/server/src/engine/redis/connector.js'
import { Keys } from '../../packages/server/src/engine/redis/keys.js'
import { Logs } from '../../packages/server/src/engine/redis/logs.js'
import { SCRIPTS } from '../../packages/server/src/engine/redis/scripts/all.js'
import { loadScripts } from '../../packages/server/src/engine/redis/server-check.js'
import { ShardLinks } from '../../packages/server/src/engine/redis/shard-links.js'
import { SingleTopology } from '../../packages/server/src/engine/redis/single-topology.js'
import { silentLogger } from '../../packages/server/src/telemetry/log.js'
import { within } from '../kit/deadline.js'
import { SeededRandom } from '../kit/seeded-random.js'
import { ChaosProxy } from './kit/proxy/chaos-proxy.js'
import { RedisServer } from './kit/redis-server.js'

const CUTS = 10_000
const WRITERS = 50
const CHANNELS = 10
/** Publishes of one writer that are under way together. */
const TOGETHER = 3

const KEPT = { size: 1_000_000, ttlMs: 600_000 }
const connector = new DriverConnector({ tls: false, connectTimeoutMs: 1_000 }, systemClock)
const random = new SeededRandom(12)

type Published = Extract<PublishOutcome, { kind: 'published' }>

/** The command path of an engine, through a proxy of its own. */
class Writer {
  readonly acknowledged: (Published & { readonly data: string })[] = []
  readonly #proxy: ChaosProxy
  readonly #links: ShardLinks
  readonly #logs: Logs
  readonly #name: number
  readonly #waiting: (() => void)[]

  private constructor(name: number, proxy: ChaosProxy, links: ShardLinks, waiting: (() => void)[]) {
    this.#waiting = waiting
    this.#name = name
    this.#proxy = proxy
    this.#links = links
    const tops = { acknowledged: () => undefined, rotated: () => undefined, generation: () => '' }
    this.#logs = new Logs({
      commands: links,
      keys: new Keys('cuts', 'default'),
      random: systemRandom,
      tops,
      foreign: () => undefined,
    })
  }

  static async start(name: number, port: number): Promise<Writer> {
    const proxy = await ChaosProxy.start(port)
    const ignore = (): void => undefined
    const waiting: (() => void)[] = []
    const links = new ShardLinks(new SingleTopology({ host: '127.0.0.1', port: proxy.port }), {
      connector,
      clock: systemClock,
      random: { id: (bytes) => systemRandom.id(bytes), fraction: () => 0 },
      log: silentLogger,
      limits: LINK_LIMITS,
      greet: (_shard, line) => loadScripts(line, SCRIPTS),
      arrived: () => waiting.splice(0).forEach((resolve) => resolve()),
      left: ignore,
      changed: ignore,
    })
    await links.start()
    return new Writer(name, proxy, links, waiting)
  }

  /** Publishes through `cuts` cuts, each after some bytes of a request or of an answer. */
  async write(cuts: number): Promise<void> {
    for (let n = 0; this.#proxy.accepted <= cuts; n += 1) {
      await this.#connected()
      const isRequest = random.fraction() < 0.5
      // A publish is some 800 bytes long, its answer 60.
      this.#proxy.resetAfter(
        1 + Math.floor(random.fraction() * TOGETHER * (isRequest ? 800 : 60)),
        isRequest ? 'up' : 'down',
      )
      await Promise.all(Array.from({ length: TOGETHER }, (_, m) => this.#publish(`${this.#name} ${n} ${m}`)))
    }
  }

  async close(): Promise<void> {
    this.#links.close()
    await this.#proxy.close()
  }

  #connected(): Promise<void> {
    if (this.#links.problem() === undefined) return Promise.resolve()
    return within('the link is up', new Promise((resolve) => this.#waiting.push(resolve)))
  }

  /** Tries until it is acknowledged, under one key. */
  async #publish(name: string): Promise<void> {
    const data = JSON.stringify(name)
    for (;;) {
      try {
        const outcome = await this.#logs.publish({
          stream: { tenant: 't', channel: `room:${this.#name % CHANNELS}` },
          event: 'e',
          data,
          from: { user: 'u' },
          at: '2026-01-01T00:00:00.000Z',
          retention: KEPT,
          idempotency: { scope: 'u', key: name },
        })
        if (outcome.kind !== 'published') throw new Error(outcome.kind)
        this.acknowledged.push({ ...outcome, data })
        return
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'engine_unavailable') throw error
        await this.#connected()
      }
    }
  }

  /** Everything in a channel. */
  read(channel: string): ReturnType<Logs['read']> {
    const range = { limit: 1_000_000, bytesMax: Infinity, keep: 'oldest' } as const
    return this.#logs.read({ tenant: 't', channel }, KEPT, range)
  }
}

describe('F-12', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.stop())

  it(`has one entry for each publish with a key that was tried until it was acknowledged, over ${CUTS} cuts`, async () => {
    const writers = await Promise.all(Array.from({ length: WRITERS }, (_, n) => Writer.start(n, server.port)))
    await Promise.all(writers.map((writer) => writer.write(CUTS / WRITERS)))
    const acknowledged = writers.flatMap((writer) => writer.acknowledged)
    const stored = new Map<string, { offset: number; id: string }>()
    for (let n = 0; n < CHANNELS; n += 1) {
      const { messages, top } = await writers[0]!.read(`room:${n}`)
      expect(messages.map(({ offset }) => offset)).toEqual(Array.from({ length: top.offset }, (_, at) => at + 1))
      for (const { data, offset = 0, id } of messages) {
        expect(stored.has(data)).toBe(false)
        stored.set(data, { offset, id })
      }
    }
    expect(stored.size).toBe(acknowledged.length)
    for (const { data, offset, id } of acknowledged) expect(stored.get(data)).toEqual({ offset, id })
    // Otherwise no answer was lost behind a write, and nothing was put to the test.
    expect(acknowledged.filter(({ duplicate }) => duplicate).length).toBeGreaterThan(CUTS / 20)
    await Promise.all(writers.map((writer) => writer.close()))
  }, 120_000)
})
