import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { printFigures } from '../kit/figures.js'
import { SeededRandom, seedOfThisRun } from '../kit/seeded-random.js'
import type { ChaosProxy } from '../cluster/kit/proxy/chaos-proxy.js'
import { Pair, TENANT, join } from './pair.js'

const CHANNEL = 'room:1'
const LOSSY_MS = 5_000

/** Of the packets, lost. */
const LOST = 0.3

/** How long a sender waits before it sends a packet again for the first time (Linux: 200 ms); twice as long each time after. */
const RETRANSMISSION_MS = 200

/** Losses in a row: beyond it a command would time out, and rightly. */
const LOSSES_MAX = 3

let pair: Pair

beforeEach(async () => {
  pair = await Pair.start()
})

afterEach(() => pair.stop())

describe('a node that loses a third of its packets to Redis', () => {
  it('F-53 is slower, keeps order and connections, and refuses nothing', async () => {
    const { first, second } = pair
    const ada = await join(first.url, 'ada')
    const bob = await join(second.url, 'bob')
    for (const client of [ada, bob]) await client.get('subscribed', { type: 'subscribe', channel: CHANNEL })
    const lines = first.proxy.tcp.accepted
    const stop = loseSome(first.proxy.tcp, new SeededRandom(seedOfThisRun()))
    const until = performance.now() + LOSSY_MS
    let [said, slowestMs] = [0, 0]
    for (; performance.now() < until; said += 2) {
      const begun = performance.now()
      await Promise.all(
        [said, said + 1].map((data) => ada.get('ok', { type: 'publish', channel: CHANNEL, data, key: `k${data}` })),
      )
      slowestMs = Math.max(slowestMs, performance.now() - begun)
    }
    await stop()
    const { messages } = await second.holdfast.tenant(TENANT).history(CHANNEL, { limit: 10_000 })
    printFigures('a third lost', { published: said, 'slowest answer, ms': slowestMs })
    expect(messages.map(({ data }) => data)).toEqual(Array.from({ length: said }, (_, index) => index))
    for (const client of [ada, bob]) {
      await eventually('all have come', () => client.of('message').length === said)
      expect(client.of('message').map(({ offset }) => offset)).toEqual(messages.map(({ offset }) => offset))
      expect(client.of('notice')).toEqual([])
    }
    expect(first.proxy.tcp.accepted).toBe(lines)
  }, 30_000)
})

/**
 * Loss as programs see it through TCP: nothing comes for as long as the sender waits before it sends again, and then everything, in order. Answers what ends it.
 */
function loseSome(proxy: ChaosProxy, random: SeededRandom): () => Promise<void> {
  let isOver = false
  const losing = (async () => {
    while (!isOver) {
      let stallMs = 0
      for (let losses = 0; losses < LOSSES_MAX && random.fraction() < LOST; losses += 1)
        stallMs += RETRANSMISSION_MS * 2 ** losses
      if (stallMs > 0) {
        proxy.blackhole()
        await pause(stallMs)
        proxy.heal()
      }
      await pause(5)
    }
  })()
  return async () => {
    isOver = true
    await losing
  }
}
