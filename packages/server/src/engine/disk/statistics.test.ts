import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import type { PublishRequest } from '../engine.js'
import { DiskEngine } from './disk-engine.js'
import { SimulatedStorage } from './simulated-storage.js'

const MESSAGE: PublishRequest = {
  stream: { tenant: 't', channel: 'room:1' },
  event: 'e',
  data: JSON.stringify('x'.repeat(500)),
  from: { user: 'u' },
  at: '2026-01-01T00:00:00.000Z',
  retention: { size: 1_000, ttlMs: 3_600_000 },
}

function engineOn(storage: SimulatedStorage, clock: SimulatedClock, compactBytesMin: number = Infinity): DiskEngine {
  return new DiskEngine({ dir: '', segmentBytesMax: 2_000, compactBytesMin }, { clock, storage })
}

describe('statistics of the disk', () => {
  it('tell how much the journal holds, in how many files, and when something was stored', async () => {
    const [storage, clock] = [new SimulatedStorage(), new SimulatedClock()]
    const engine = engineOn(storage, clock)
    expect(engine.diskStats()).toMatchObject({ journalBytes: 0, segments: 0, storedAt: undefined })
    await engine.start()
    const empty = engine.diskStats()
    expect(empty).toMatchObject({ segments: 1, snapshotBytes: 0, storedAt: undefined, failures: 0, loss: undefined })
    storage.before = async ({ kind }) => {
      if (kind === 'sync') await clock.pass(7)
      return undefined
    }
    for (let n = 0; n < 10; n += 1) await engine.publish(MESSAGE)
    const { journalBytes, segments, storedAt, storedMs } = engine.diskStats()
    expect(journalBytes).toBeGreaterThan(5_000)
    expect(segments).toBeGreaterThan(2)
    expect([storedAt, storedMs]).toEqual([new Date(clock.now()).toISOString(), 7])
    await engine.close()
  })

  it('tell of a snapshot, and of less journal behind it', async () => {
    const engine = engineOn(new SimulatedStorage(), new SimulatedClock(), 4_000)
    await engine.start()
    for (let n = 0; n < 40; n += 1) await engine.publish(MESSAGE)
    await engine.close()
    const { journalBytes, snapshotBytes } = engine.diskStats()
    expect(snapshotBytes).toBeGreaterThan(4_000)
    expect(journalBytes).toBeLessThan(40 * 500)
  })

  it('count what could not be written, and name what was lost', async () => {
    const [storage, clock] = [new SimulatedStorage(), new SimulatedClock()]
    const engine = engineOn(storage, clock)
    await engine.start()
    await engine.publish(MESSAGE)
    let isFull = true
    storage.before = ({ kind }) => (isFull && kind === 'write' ? { error: new Error('full') } : undefined)
    await expect(engine.publish(MESSAGE)).rejects.toThrow('full')
    isFull = false
    await clock.pass(5_000, 100)
    expect(engine.diskStats()).toMatchObject({ failures: 1, loss: undefined })
    await engine.close()
    await storage.remove('watermark')
    const next = engineOn(storage, clock)
    await next.start()
    expect(next.diskStats()).toMatchObject({ failures: 0, loss: 'the watermark is missing or damaged' })
    await next.close()
  })
})
