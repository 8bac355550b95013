import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { signTokenAt } from '../access/token.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { createHoldfast } from '../holdfast.js'
import { SimulatedClock } from '../simulated-clock.js'
import { FakeSocket, upgrade } from '../testing/fake-socket.js'
import { instantTokens } from '../testing/instant-tokens.js'
import { TEST_CHANNELS, TEST_SECRET } from '../testing/test-node.js'

const CYCLES = 20_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What memory may differ by between two measurements of the same, in bytes a cycle. */
const BYTES_PER_CYCLE_MAX = 400

it(
  `holds nothing of ${CYCLES} connections that came, subscribed, published, were present and left`,
  { timeout: 300_000 },
  async () => {
    const clock = new SimulatedClock()
    const engine = new MemoryEngine({ clock })
    const holdfast = createHoldfast({
      ...instantTokens(clock),
      channels: {
        'brief:*': { publish: 'member', presence: true, history: { size: 5, ttl: 5_000 } },
        ...TEST_CHANNELS,
      },
      clock,
      engine,
    })
    await holdfast.start()
    const cycle = async (at: number): Promise<void> => {
      const user = `u${at % 1_000}`
      const socket = new FakeSocket()
      const handler = holdfast.accept(socket, upgrade())
      const token = signTokenAt({ secret: TEST_SECRET, tenant: `t${at % 50}`, user }, clock.now())
      const commands = [
        { type: 'hello', token },
        { type: 'subscribe', id: 1, channel: `brief:${at}`, presence: true },
        { type: 'publish', id: 2, channel: `brief:${at}`, data: at, key: `k${at}` },
        { type: 'subscribe', id: 3, channel: `live:${at}`, presence: true },
        { type: 'state', id: 4, data: { at } },
      ]
      handler.text(commands.map((command) => JSON.stringify(command)).join('\n'), 500)
      await clock.pass(5, 1)
      if (at === 0) expect(socket.messages.map(({ id }) => id)).toEqual(expect.arrayContaining([1, 2, 3, 4]))
      handler.closed(at % 2 ? 1000 : 1006, at % 2 === 1)
    }
    const rest = async (): Promise<number> => {
      await clock.pass(8_000_000, 60_000)
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    for (let at = 0; at < 1_000; at += 1) await cycle(at)
    const before = await rest()
    for (let at = 0; at < CYCLES; at += 1) await cycle(at)
    const after = await rest()
    expect(holdfast.stats()).toMatchObject({
      connections: 0,
      channels: 0,
      heartbeat: { healthy: 0, late: 0, stale: 0 },
    })
    expect(engine.sizes()).toEqual({
      streams: 0,
      records: 0,
      members: 0,
      counters: 0,
      leases: 0,
      nodes: 1,
      idempotencyKeys: 0,
      rates: 0,
      registers: 0,
      indexes: 0,
    })
    expect((after - before) / CYCLES).toBeLessThan(BYTES_PER_CYCLE_MAX)
    await holdfast.close()
  },
)
