import { describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { SimulatedClock } from '../simulated-clock.js'
import { ChannelQuota } from './channel-quota.js'
import type { QuotaLimits } from './quota.js'
import { QuotaRefusals } from './quota.js'
import { SharedRate } from './shared-rate.js'
import { TenantUse } from './tenant-use.js'

const RETENTION = { size: 10, ttlMs: 86_400_000 }
const ROOM = { channel: 'room:1', characters: 1, retention: RETENTION }

/** The use of a tenant that may publish two messages of ten characters in a second, and have two channels. */
class Desk {
  readonly clock = new SimulatedClock()
  readonly engine = new MemoryEngine({ clock: this.clock })
  readonly use: TenantUse

  constructor() {
    const { clock, engine } = this
    const limits = { messagesPerSecond: 2, bytesPerSecond: 10, channels: 2 } as QuotaLimits
    const rate = (perSecond: number): SharedRate =>
      new SharedRate({ engine, clock, nodes: () => 1 }, { perSecond, burst: perSecond })
    this.use = new TenantUse('acme', {
      limits,
      messages: rate(2),
      bytes: rate(10),
      channels: new ChannelQuota(2, { engine, clock, register: 'channels', isListened: () => true }),
      history: undefined,
      refusals: new QuotaRefusals(() => undefined),
      now: () => clock.now(),
      refused: () => undefined,
    })
  }

  /** What becomes of a charge: `fine`, or the quota that it was refused by. */
  async charge(charge: Partial<typeof ROOM>): Promise<unknown> {
    try {
      await this.use.charge({ ...ROOM, ...charge })
      return 'fine'
    } catch (error) {
      return (error as { details?: { quota?: unknown } }).details?.quota
    }
  }

  channels(): Promise<number> {
    return this.engine.registers.totals('channels').then(({ entries }) => entries)
  }
}

describe('a charge that one quota refuses', () => {
  it('enters no channel, so that nobody fills them with messages that are refused', async () => {
    const desk = new Desk()
    const ends: unknown[] = []
    for (let n = 0; n < 10; n += 1) ends.push(await desk.charge({ channel: `room:${n % 2}` }))
    expect(ends.filter((end) => end === 'fine')).toHaveLength(2)
    expect(await desk.channels()).toBe(2)
    const other = new Desk()
    expect(await Promise.all([1, 2].map((n) => other.charge({ channel: `room:${n}`, characters: 11 })))).toEqual([
      'bytesPerSecond',
      'bytesPerSecond',
    ])
    expect(await other.channels()).toBe(0)
  })

  it('takes nothing of the next', async () => {
    const desk = new Desk()
    expect(await desk.charge({})).toBe('fine')
    expect(await desk.charge({})).toBe('fine')
    for (let n = 0; n < 20; n += 1) expect(await desk.charge({})).toBe('messagesPerSecond')
    await desk.clock.pass(500)
    // Of ten characters two were spent; the flood has spent none.
    expect(await desk.charge({ characters: 10 })).toBe('fine')
  })
})

describe('the use of a tenant', () => {
  it('is not forgotten while a channel is being entered', async () => {
    const { use, clock } = new Desk()
    await clock.pass(600_000, 600_000)
    expect(use.isIdle).toBe(true)
    const listening = use.listen('room:1', RETENTION)
    expect(use.isIdle).toBe(false)
    await listening
    await clock.pass(600_000, 600_000)
    expect(use.isIdle).toBe(false)
  })
})
