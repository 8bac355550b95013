import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { SimulatedClock } from '../simulated-clock.js'
import { writeCursor } from './cursors.js'
import { EventLog } from './event-log.js'
import { LogTrimmer } from './log-trimmer.js'
import { ENTRY_MS, LOG_RETENTION, eventLogOf } from './places.js'
import { showReceiver } from './receivers.js'

let clock: SimulatedClock
let engine: MemoryEngine
let log: EventLog
let trimmer: LogTrimmer
let errors: unknown[]
let told = 0

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  log = new EventLog({ engine, clock, wake: { say: () => undefined }, onRefused: () => undefined })
  errors = []
  trimmer = new LogTrimmer({ engine, log, onError: (error) => errors.push(error) })
})

async function tell(tenant: string, count: number): Promise<void> {
  const at = new Date(clock.now()).toISOString()
  for (let event = 0; event < count; event += 1)
    await log.tell({ id: `e${(told += 1)}`, type: 'occupied', tenant, key: 'room:1', channel: 'room:1', at })
}

/** A receiver is there, and has everything of the tenant up to an offset; undefined: nothing is known of that. */
async function receive(id: string, offset: number | undefined, { tenant = 'acme', only = '' } = {}): Promise<void> {
  await showReceiver(engine, { id, tenant: only === '' ? undefined : only })
  const [{ epoch } = { epoch: '' }] = await log.tops([tenant])
  const { version = 0 } = (await engine.records.get(`lifecycle:cursor:${id}:${tenant}`)) ?? {}
  if (offset !== undefined) await writeCursor(engine, { destination: id, tenant }, { epoch, offset, done: [] }, version)
}

/** The offset of the first event that is kept, and how many there are. */
async function kept(tenant: string = 'acme'): Promise<[first: number, count: number]> {
  const range = { limit: 200_000, bytesMax: 1e9, keep: 'oldest' } as const
  const { first, messages } = await engine.read(eventLogOf(tenant), LOG_RETENTION, range)
  return [first, messages.length]
}

describe('a log of events', () => {
  it('keeps what somebody has not got, and of the rest what was written since', async () => {
    await tell('acme', 3_000)
    await receive('fast', 3_000)
    await receive('slow', 2_001)
    await trimmer.run()
    expect(await kept()).toEqual([2_002, 1_000])
    // What was written for it is no event.
    expect((await log.read('acme', 3_001, 10)).messages).toMatchObject([{ offset: 3_001, data: '{}' }])
    await receive('slow', 3_001)
    await trimmer.run()
    expect(await kept()).toEqual([2_002, 1_000])
    await receive('fast', 3_001)
    await trimmer.run()
    expect(await kept()).toEqual([3_002, 1])
    expect(errors).toEqual([])
  })

  it('is left alone until a thousand events can go', async () => {
    await tell('acme', 1_998)
    await receive('one', 999)
    await trimmer.run()
    expect(await kept()).toEqual([1, 1_998])
    await receive('one', 1_000)
    await trimmer.run()
    expect(await kept()).toEqual([1_001, 999])
    for (let again = 0; again < 3; again += 1) await trimmer.run()
    expect(await kept()).toEqual([1_001, 999])
  })

  it('keeps everything while nothing is known of somebody who is there, or nobody is', async () => {
    await tell('acme', 2_000)
    await trimmer.run()
    await receive('begun', 2_000)
    await receive('beginning', undefined)
    await trimmer.run()
    expect(await kept()).toEqual([1, 2_000])
  })

  it('is kept for nobody who may not have it, and for nobody who was away for a day', async () => {
    await tell('acme', 2_000)
    await receive('of-another-tenant', undefined, { only: 'other' })
    await receive('away', 0)
    await clock.pass(ENTRY_MS - 3_600_000, 3_600_000)
    await tell('acme', 1)
    await receive('here', 2_001)
    await trimmer.run()
    expect(await kept()).toEqual([1, 2_001])
    await clock.pass(3_600_000, 3_600_000)
    await trimmer.run()
    expect(await kept()).toEqual([2_002, 1])
  })

  it('keeps everything for somebody whose place is in a log that is gone', async () => {
    await tell('acme', 2_000)
    await receive('one', 2_000)
    const [{ epoch } = { epoch: '' }] = await log.tops(['acme'])
    await engine.rotate(eventLogOf('acme'), epoch)
    await tell('acme', 2_000)
    await trimmer.run()
    expect(await kept()).toEqual([1, 2_000])
  })

  it('of one tenant goes while that of another stays', async () => {
    await tell('acme', 1_500)
    await tell('other', 1_500)
    await receive('one', 1_500)
    await receive('one', 0, { tenant: 'other' })
    await trimmer.run()
    expect([await kept('acme'), await kept('other')]).toEqual([
      [1_501, 1],
      [1, 1_500],
    ])
  })

  it('waits until the engine is back', async () => {
    await tell('acme', 1_500)
    await receive('one', 1_500)
    const list = engine.registers.list.bind(engine.registers)
    engine.registers.list = () => Promise.reject(new Error('away'))
    await trimmer.run()
    expect(errors).toHaveLength(1)
    engine.registers.list = list
    await trimmer.run()
    expect(await kept()).toEqual([1_501, 1])
  })
})
