import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { describeEngine } from '../conformance/suite.js'
import type { PublishRequest } from '../engine.js'
import { MemoryEngine } from './memory-engine.js'

describeEngine('memory', async () => {
  const clock = new SimulatedClock()
  return { engine: new MemoryEngine({ clock }), pass: (ms) => clock.pass(ms) }
})

const KEPT = { size: 10, ttlMs: 60_000 }
const READ = { limit: 10, bytesMax: Infinity, keep: 'newest' } as const

function request(channel: string): PublishRequest {
  return { stream: { tenant: 't', channel }, event: 'e', data: '1', from: { user: 'u' }, at: '', retention: KEPT }
}

describe('the memory engine, beyond the contract', () => {
  it('forgets the oldest stream without a listener when there are too many, and that ends its epoch', async () => {
    const engine = new MemoryEngine({ clock: new SimulatedClock(), streamsMax: 3 })
    const receiver = { message() {}, signal() {}, members() {}, rotated() {}, uncertain() {} }
    await engine.listen({ tenant: 't', channel: 'room:1' }, receiver)
    const epochs = new Map<string, string>()
    for (const channel of ['room:1', 'room:2', 'room:3', 'room:4']) {
      const outcome = await engine.publish(request(channel))
      if (outcome.kind === 'published') epochs.set(channel, outcome.epoch)
    }
    const epochOf = async (channel: string): Promise<string> =>
      (await engine.read({ tenant: 't', channel }, KEPT, READ)).epoch
    expect(await epochOf('room:1')).toBe(epochs.get('room:1'))
    expect(await epochOf('room:4')).toBe(epochs.get('room:4'))
    expect(await epochOf('room:2')).not.toBe(epochs.get('room:2'))
  })

  it('keeps the epoch of an expired log while somebody listens, so that nobody is told of a gap that is none', async () => {
    const clock = new SimulatedClock()
    const engine = new MemoryEngine({ clock })
    await engine.start()
    const stream = { tenant: 't', channel: 'room:1' }
    const unlisten = await engine.listen(stream, {
      message() {},
      signal() {},
      members() {},
      rotated() {},
      uncertain() {},
    })
    const { epoch } = await engine.read(stream, KEPT, READ)
    await clock.pass(KEPT.ttlMs * 10, 5_000)
    expect((await engine.read(stream, KEPT, READ)).epoch).toBe(epoch)
    await unlisten()
    await clock.pass(KEPT.ttlMs * 10, 5_000)
    expect((await engine.read(stream, KEPT, READ)).epoch).not.toBe(epoch)
    await engine.close()
  })
})
