import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast } from '@holdfast/server'
import { ChaosProxy, type Reader } from '../cluster/kit/proxy/chaos-proxy.js'
import { eventually, pause } from '../kit/deadline.js'
import { type Acknowledged, checkHistory } from '../kit/history-checker.js'
import { Recorder } from '../kit/recorder.js'
import { SeededRandom } from '../kit/seeded-random.js'
import { SECRET } from '../kit/server-process.js'

const CHANNEL = 'room:1'
const IDLE_MS_MAX = 500

/** Notes when a line last carried something. */
class Idleness implements Reader {
  busyAt = performance.now()

  read(_: unknown, bytes: Buffer, send: (bytes: Buffer) => void): void {
    this.busyAt = performance.now()
    send(bytes)
  }
}

describe('a network that hands bytes on as it pleases', () => {
  let server: Holdfast
  let proxy: ChaosProxy
  let recorder: Recorder
  let acknowledged: Acknowledged[]

  beforeAll(async () => {
    server = serverWith({ intervalMs: 5_000, timeoutMs: 10_000 })
    proxy = await ChaosProxy.start((await server.listen(0)).port)
  })

  afterEach(() => {
    recorder.client.disconnect()
    proxy.heal()
  })

  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  function serverWith(heartbeat: { intervalMs: number; timeoutMs: number }): Holdfast {
    return createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', history: { size: 5_000, ttl: '1h' } } },
      heartbeat,
    })
  }

  async function listen(through: ChaosProxy): Promise<void> {
    acknowledged = []
    const backoff = { minMs: 20, maxMs: 50 }
    recorder = new Recorder(`ws://127.0.0.1:${through.port}/ws`, 'ada', CHANNEL, { backoff })
    await eventually('it has begun', () => recorder.verdicts.length > 0)
  }

  async function publish(node: Holdfast, data: unknown): Promise<void> {
    const { epoch, offset, id } = await node.tenant('acme').publish(CHANNEL, 'told', data)
    acknowledged.push({ epoch, offset, id })
  }

  async function hasAll(): Promise<void> {
    const lastId = acknowledged.at(-1)?.id
    await eventually('the last message', () => recorder.told.some((one) => one.kind === 'message' && one.id === lastId))
    expect(checkHistory(recorder.told, acknowledged)).toEqual([])
    expect(recorder.counts).toEqual({ messages: acknowledged.length, gaps: 0 })
    expect(recorder.errors).toEqual([])
  }

  it('F-46 is understood byte by byte, in both directions', async () => {
    proxy.slice(1, 0)
    await listen(proxy)
    for (let count = 0; count < 5; count += 1) await publish(server, { text: 'häßlich ☃ 𝄞' })
    const { id, offset = 0, epoch = '' } = await recorder.client.channel(CHANNEL).publish('said', 'ü𝄞')
    acknowledged.push({ id, offset, epoch })
    await hasAll()
    expect(recorder.data.slice(-2)).toEqual([{ text: 'häßlich ☃ 𝄞' }, 'ü𝄞'])
    expect(recorder.states.map(({ state }) => state)).toEqual(['open'])
  })

  it('F-46 is understood when a hundred messages come as one piece', async () => {
    await listen(proxy)
    proxy.latency(50, 'down')
    await Promise.all(Array.from({ length: 100 }, (_, index) => publish(server, index)))
    acknowledged.sort((one, other) => one.offset - other.offset)
    await hasAll()
    expect(recorder.data).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  it('F-46 may be reset in the middle of a frame, forty times: nothing is lost, nothing comes twice', async () => {
    const random = new SeededRandom(46)
    await listen(proxy)
    let isOver = false
    const flow = (async () => {
      for (let count = 0; !isOver; count += 1) {
        await publish(server, `${count} ${'x'.repeat(random.between(0, 400))}`)
        await pause(2)
      }
    })()
    for (let cuts = 0; cuts < 40; cuts += 1) {
      await eventually('a line', () => proxy.size > 0 && recorder.client.status === 'open')
      proxy.resetAfter(random.between(1, 900), 'down')
      await eventually('it is cut', () => proxy.size === 0)
    }
    isOver = true
    await flow
    await publish(server, 'last')
    await hasAll()
    expect(recorder.client.statistics.reconnects).toBeGreaterThanOrEqual(39)
  })

  it.each([
    ['keeps a quiet connection for good when the server pings more often than it looks', 200, 0],
    ['cuts a quiet connection that nobody pings, and it comes back each time', 30_000, 2],
  ])('F-47 a proxy with an idle timeout %s', async (_, intervalMs, cutsMin) => {
    const node = serverWith({ intervalMs, timeoutMs: intervalMs + 5_000 })
    const idleness: Idleness[] = []
    const reader = (): Idleness => {
      const one = new Idleness()
      idleness.push(one)
      return one
    }
    const strict = await ChaosProxy.start((await node.listen(0)).port, { reader })
    await listen(strict)
    const startedAt = performance.now()
    let cuts = 0
    while (performance.now() - startedAt < 4 * IDLE_MS_MAX) {
      const isIdle = performance.now() - (idleness.at(-1)?.busyAt ?? 0) > IDLE_MS_MAX
      if (isIdle && strict.size > 0) cuts += strict.killAll()
      await pause(10)
    }
    await eventually('it is open', () => recorder.client.status === 'open')
    await publish(node, 'last')
    await hasAll()
    expect(cuts).toBeGreaterThanOrEqual(cutsMin)
    if (cutsMin === 0) expect(cuts).toBe(0)
    expect(recorder.client.statistics.reconnects).toBe(cuts)
    recorder.client.disconnect()
    await strict.close()
    await node.close()
  })
})
