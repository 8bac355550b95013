import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import type { WireClient } from '../kit/wire-client.js'
import { Pair, TENANT, isReady, join } from './pair.js'

const CHANNEL = 'room:1'

/** From the end of a cut until everything is as it was. */
const HEALED_MS_MAX = 3_000

/** Milliseconds within which a publish is refused, whatever became of Redis: the bound of a command (4 s), and what a busy machine adds. */
const REFUSED_MS_MAX = 6_000

/** For what waits for nobody. */
const AT_ONCE_MS_MAX = 1_000

let pair: Pair
let inside: WireClient
let outside: WireClient

beforeEach(async () => {
  pair = await Pair.start()
  inside = await join(pair.first.url, 'ada')
  outside = await join(pair.second.url, 'bob')
  for (const client of [inside, outside]) await client.get('subscribed', { type: 'subscribe', channel: CHANNEL })
})

afterEach(() => pair.stop())

describe('a node that cannot reach Redis while another can', () => {
  it.each<[string, () => void, cutMs: number]>([
    [
      'refuses at once when its lines are reset',
      () => {
        pair.first.proxy.tcp.stopAccept()
        pair.first.proxy.tcp.killAll()
      },
      1_500,
    ],
    // Longer than a command may take.
    ['refuses in bounded time when nothing is answered', () => pair.first.proxy.tcp.blackhole(), 5_000],
  ])(
    'F-51 %s, tells its clients, and has them up to date when it can again',
    async (_, cut, cutMs) => {
      const { first, second } = pair
      const cutAt = machineTime()
      cut()
      const load = publishUntil(outside, performance.now() + cutMs)
      const attempt = (): ReturnType<WireClient['ask']> => publish(inside, 'kept', { key: 'k' })
      expect(await attempt()).toMatchObject({ type: 'error', code: 'engine_unavailable', retryable: true })
      expect(machineTime() - cutAt).toBeLessThan(REFUSED_MS_MAX)
      expect(await inside.next('notice')).toMatchObject({ code: 'degraded' })
      await isReady(first, false)
      const again = machineTime()
      expect(await attempt()).toMatchObject({ code: 'engine_unavailable' })
      expect(machineTime() - again).toBeLessThan(AT_ONCE_MS_MAX)

      expect(await load).toBeLessThan(AT_ONCE_MS_MAX)
      expect((await second.holdfast.fetch(new Request('http://127.0.0.1/health/ready'))).status).toBe(200)
      expect(outside.of('notice')).toEqual([])

      const healedAt = machineTime()
      first.proxy.tcp.heal()
      const missed = outside.of('message').length
      await eventually('all is well', () => inside.of('notice').at(-1)?.code === 'recovered')
      // Whoever hears that has missed nothing.
      expect(inside.of('message').length).toBeGreaterThanOrEqual(missed)
      expect(machineTime() - healedAt).toBeLessThan(HEALED_MS_MAX)
      expect(await attempt()).toMatchObject({ type: 'ok' })
      const { messages } = await first.holdfast.tenant(TENANT).history(CHANNEL, { limit: 10_000 })
      for (const client of [inside, outside]) {
        await eventually('everything has arrived', () => client.of('message').length >= messages.length)
        expect(client.of('message').map(({ offset, id }) => [offset, id])).toEqual(
          messages.map(({ offset, id }) => [offset, id]),
        )
        expect(client.of('gap')).toEqual([])
      }
      // Refused, perhaps stored all the same, and asked for again under its key.
      expect(messages.filter(({ data }) => data === 'kept')).toHaveLength(1)
    },
    30_000,
  )
})

const publish = (client: WireClient, data: string, more: { key?: string } = {}): ReturnType<WireClient['ask']> =>
  client.ask({ type: 'publish', channel: CHANNEL, data, ...more })

/** Publishes until then; how long the slowest answer took. */
async function publishUntil(client: WireClient, until: number): Promise<number> {
  let slowest = 0
  while (performance.now() < until) {
    const begun = machineTime()
    await client.get('ok', { type: 'publish', channel: CHANNEL, data: 'on' })
    slowest = Math.max(slowest, machineTime() - begun)
    await pause(20)
  }
  return slowest
}
