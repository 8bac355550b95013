import { describe, expect, it } from 'vitest'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock } from '../../simulated-clock.js'
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

describe('a channel', () => {
  it('counts for as long as its history only once it has any, whoever listened before and since', async () => {
    const desk = new Desk()
    await desk.use.listen('room:1')
    await desk.use.listen('room:2')
    await desk.charge({ channel: 'room:2' })
    await desk.clock.pass(30_000, 30_000)
    await desk.use.listen('room:2')
    await desk.clock.pass(120_000, 120_000)
    expect(await desk.channels()).toBe(1)
    await desk.clock.pass(RETENTION.ttlMs, RETENTION.ttlMs)
    expect(await desk.channels()).toBe(0)
  })

  it('is kept by a message on one node, though another node only listens', async () => {
    const one = new Desk()
    const there = new ChannelQuota(2, {
      engine: one.engine,
      clock: one.clock,
      register: 'channels',
      isListened: () => true,
    })
    expect(await one.charge({})).toBe('fine')
    expect(await there.enter('room:1', 0)).toBe(true)
    await one.clock.pass(120_000, 120_000)
    expect(await one.channels()).toBe(1)
  })
})

describe('the use of a tenant', () => {
  it('is not forgotten while a channel is being entered', async () => {
    const { use, clock } = new Desk()
    await clock.pass(600_000, 600_000)
    expect(use.isIdle).toBe(true)
    const listening = use.listen('room:1')
    expect(use.isIdle).toBe(false)
    await listening
    await clock.pass(600_000, 600_000)
    expect(use.isIdle).toBe(false)
  })
})
