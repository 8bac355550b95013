import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../engine/engine.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock } from '../simulated-clock.js'
import { type InterruptedEngine, interruptedEngine } from '../testing/interrupted-engine.js'
import { Courier } from './courier.js'
import { DeliveryCounts } from './delivery-counts.js'
import type { Delivery, Destination } from './destination.js'
import { EventLog } from './event-log.js'
import type { LifecycleEvent } from './event.js'
import { LogTrimmer } from './log-trimmer.js'
import { LOG_RETENTION, cursorOf, eventLogOf } from './places.js'

let clock: SimulatedClock
let memory: MemoryEngine
let lines: object[]
let audited: object[]
const couriers: Courier[] = []

beforeEach(() => {
  clock = new SimulatedClock()
  memory = new MemoryEngine({ clock })
  lines = []
  audited = []
})

afterEach(async () => {
  const stopped = Promise.all(couriers.splice(0).map((courier) => courier.stop()))
  await clock.pass(5_000, 50)
  await stopped
})

/** A receiver that writes down what it is given, and answers as it is told to. */
class Receiver implements Destination {
  readonly id: string
  readonly name: string
  readonly batchMax: number
  readonly atOncePerTenant = 4
  readonly atOnce = 8
  readonly taken: LifecycleEvent[] = []
  readonly deliveries: { readonly tenant: string; readonly ids: readonly string[] }[] = []
  mostAtOnce = 0
  answer: (tenant: string, events: readonly LifecycleEvent[]) => Delivery | Promise<Delivery> = () => 'taken'
  wants: Destination['wants'] = () => true
  tenant: string | undefined
  #underWay = 0

  constructor(id: string = 'receiver', batchMax: number = 10) {
    this.id = id
    this.name = id
    this.batchMax = batchMax
  }

  async deliver(tenant: string, events: readonly LifecycleEvent[]): Promise<Delivery> {
    this.deliveries.push({ tenant, ids: events.map(({ id }) => id) })
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.#underWay += 1))
    const answer = await this.answer(tenant, events)
    this.#underWay -= 1
    if (answer === 'taken') this.taken.push(...events)
    return answer
  }

  /** The events that it took of a key. */
  ids(key?: string): string[] {
    return this.taken.filter((event) => key === undefined || event.key === key).map(({ id }) => id)
  }
}

interface Setup {
  readonly courier: Courier
  readonly counts: DeliveryCounts
}

async function employ(destination: Destination, engine: Engine = memory, holder: string = 'n1'): Promise<Setup> {
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields: object) => void lines.push(fields),
    error: (fields: object) => void lines.push(fields),
  }
  const counts = new DeliveryCounts({ record: (event, fields) => void audited.push({ event, ...fields }) }, log)
  const courier = new Courier({
    engine,
    clock,
    random: systemRandom,
    log: logOf(engine, (tenant) => couriers.forEach((one) => one.logged([tenant]))),
    destination,
    counts,
    holder,
    onReady: () => undefined,
    onError: () => undefined,
  })
  couriers.push(courier)
  await courier.start()
  return { courier, counts }
}

function logOf(engine: Engine, logged: (tenant: string) => void): EventLog {
  return new EventLog({ engine, clock, wake: { say: (_, tenant) => logged(tenant) }, onRefused: () => undefined })
}

let told = 0

/** Writes events down, in order; answers their ids. */
async function tell(tenant: string, ...keys: readonly string[]): Promise<string[]> {
  const log = logOf(memory, (one) => couriers.forEach((courier) => courier.logged([one])))
  const ids: string[] = []
  for (const key of keys) {
    const id = `e${(told += 1)}`
    ids.push(id)
    const at = new Date(clock.now()).toISOString()
    await log.tell({ id, type: 'occupied', tenant, key, channel: key, at })
  }
  await clock.pass(100, 10)
  return ids
}

describe('what is delivered', () => {
  it('is every event, in order of its key, many in one delivery', async () => {
    const receiver = new Receiver()
    const { counts } = await employ(receiver)
    const keys = Array.from({ length: 100 }, (_, at) => `room:${at % 7}`)
    const ids = await tell('acme', ...keys)
    for (const key of new Set(keys)) expect(receiver.ids(key)).toEqual(ids.filter((_, at) => keys[at] === key))
    expect(counts.totals).toEqual({ delivered: 100, failed: 0, dropped: 0 })
  })

  it('is gathered into deliveries that are no larger than they may be', async () => {
    const receiver = new Receiver('receiver', 10)
    await tell('acme', ...Array.from({ length: 95 }, (_, at) => `room:${at}`))
    const first = await employ(new Receiver('other'))
    expect(first.courier.isHolder).toBe(true)
    let release: () => void = () => undefined
    receiver.answer = () => new Promise((resolve) => (release = () => resolve('taken')))
    await employ(receiver)
    await tell('acme', 'room:1')
    receiver.answer = () => 'taken'
    await tell('acme', ...Array.from({ length: 25 }, (_, at) => `room:${at % 5}`))
    release()
    await clock.pass(500, 10)
    expect(receiver.taken).toHaveLength(26)
    expect(Math.max(...receiver.deliveries.map(({ ids }) => ids.length))).toBeLessThanOrEqual(10)
  })

  it('begins with what is told after the receiver was known, not with what others were told before', async () => {
    await employ(new Receiver('first'))
    await tell('acme', 'room:1', 'room:2')
    const late = new Receiver('late')
    await employ(late)
    const ids = await tell('acme', 'room:3')
    const others = await tell('other', 'room:4')
    expect(late.ids()).toEqual([...ids, ...others])
  })

  it('is found also when the call that there is something was lost', async () => {
    const receiver = new Receiver()
    await employ(receiver)
    await tell('acme', 'room:1')
    const silent = logOf(memory, () => undefined)
    const at = new Date(clock.now()).toISOString()
    for (const tenant of ['acme', 'other'])
      await silent.tell({ id: tenant, type: 'occupied', tenant, key: 'k', channel: 'k', at })
    await clock.pass(20_000, 100)
    expect(receiver.ids('k')).toEqual(['acme', 'other'])
  })

  it('goes on where it was when another node takes over, and after a restart', async () => {
    const receiver = new Receiver()
    const link: InterruptedEngine = interruptedEngine(memory)
    const { courier } = await employ(receiver, link.engine, 'n1')
    await employ(receiver, memory, 'n2')
    const before = await tell('acme', 'room:1', 'room:2')
    link.cut()
    const between = await tell('acme', 'room:3')
    await clock.pass(10_000, 100)
    expect(courier.isHolder).toBe(false)
    expect(receiver.ids().toSorted()).toEqual([...before, ...between].toSorted())
  })

  it('is delivered by one of two at a time', async () => {
    const receiver = new Receiver()
    const [one, other] = [await employ(receiver, memory, 'n1'), await employ(receiver, memory, 'n2')]
    await tell('acme', 'room:1', 'room:2', 'room:3')
    expect([one.courier.isHolder, other.courier.isHolder]).toEqual([true, false])
    expect(receiver.taken).toHaveLength(3)
    expect(other.counts.totals.delivered).toBe(0)
  })
})

describe('a receiver that fails', () => {
  it('gets an event again, later and later, before anything of its key that is behind it', async () => {
    const receiver = new Receiver('receiver', 1)
    const [bad, good] = ['room:bad', 'room:good']
    await employ(receiver)
    receiver.answer = (_, [event]) => (event?.key === bad && clock.now() < until ? 'unreachable' : 'taken')
    const until = clock.now() + 20_000
    const first = await tell('acme', bad, good, bad, good)
    await clock.pass(3_000, 20)
    expect(receiver.ids(good)).toEqual([first[1], first[3]])
    expect(receiver.ids(bad)).toEqual([])
    const more = await tell('acme', good, bad)
    await clock.pass(60_000, 50)
    expect(receiver.ids(good)).toEqual([first[1], first[3], more[0]])
    expect(receiver.ids(bad)).toEqual([first[0], first[2], more[1]])
    const tries = receiver.deliveries.filter(({ ids }) => ids[0] === first[0])
    expect(tries.length).toBeLessThan(12)
  })

  it('holds up no other receiver and no other tenant', async () => {
    const [failing, healthy] = [new Receiver('failing'), new Receiver('healthy')]
    failing.answer = (tenant) => (tenant === 'acme' ? 'unreachable' : 'taken')
    await employ(failing)
    await employ(healthy)
    const ids = [...(await tell('acme', 'a', 'b')), ...(await tell('other', 'c', 'd'))]
    expect(healthy.ids()).toEqual(ids)
    expect(failing.ids()).toEqual(ids.slice(2))
    // Also one that does not answer at all leaves places to others.
    failing.answer = (tenant) => (tenant === 'acme' ? new Promise(() => undefined) : 'taken')
    await clock.pass(60_000, 100)
    const later = await tell('other', 'c')
    expect(failing.ids('c')).toContain(later[0])
  })

  it('is left alone while nothing gets through, and gets everything when it is back', async () => {
    const receiver = new Receiver()
    let isUp = false
    receiver.answer = () => (isUp ? 'taken' : 'unreachable')
    const { counts } = await employ(receiver)
    const ids = await tell('acme', ...Array.from({ length: 300 }, (_, at) => `room:${at % 50}`))
    await clock.pass(30 * 60_000, 500)
    const asked = receiver.deliveries.length
    expect(asked).toBeLessThan(150)
    isUp = true
    await clock.pass(120_000, 100)
    expect(receiver.ids().toSorted()).toEqual(ids.toSorted())
    for (const key of new Set(receiver.taken.map((event) => event.key)))
      expect(receiver.ids(key)).toEqual(ids.filter((id) => receiver.ids(key).includes(id)))
    expect(counts.totals.dropped).toBe(0)
  })

  it('is not given again what it refuses five times: that is counted and written down', async () => {
    const receiver = new Receiver()
    receiver.answer = (_, events) => (events.some(({ key }) => key === 'bad') ? 'refused' : 'taken')
    const { counts } = await employ(receiver)
    const [, second, third] = await tell('acme', 'bad', 'good', 'good')
    await clock.pass(5 * 60_000, 100)
    expect(receiver.ids()).toEqual([second, third])
    expect(counts.totals).toMatchObject({ delivered: 2, dropped: 1 })
    expect(audited).toEqual([
      { event: 'webhook.failed', tenant: 'acme', rule: 'receiver', action: 'event', reason: 'refused', count: 1 },
    ])
  })

  it('that refuses everything, as behind a proxy that does not know it for a while, loses nothing', async () => {
    const receiver = new Receiver()
    let isKnown = false
    receiver.answer = () => (isKnown ? 'taken' : 'refused')
    const { counts } = await employ(receiver)
    const ids = await tell('acme', 'room:1', 'room:2', 'room:1', 'room:3')
    await clock.pass(30 * 60_000, 500)
    isKnown = true
    await clock.pass(6 * 60_000, 500)
    expect(receiver.ids().toSorted()).toEqual(ids.toSorted())
    expect(counts.totals.dropped).toBe(0)
  })

  it('that is gone is not asked again about the same events', async () => {
    const receiver = new Receiver()
    receiver.answer = () => 'gone'
    const { counts } = await employ(receiver)
    await tell('acme', 'room:1')
    await clock.pass(60_000, 100)
    expect(receiver.deliveries).toHaveLength(1)
    expect(counts.totals.dropped).toBe(1)
  })

  it('for a day loses what is older', async () => {
    const receiver = new Receiver()
    receiver.answer = () => 'unreachable'
    const { counts } = await employ(receiver)
    const at = new Date(clock.now() - 24 * 3_600_000 + 60_000).toISOString()
    await logOf(memory, () => undefined).tell({
      id: 'old',
      type: 'occupied',
      tenant: 'acme',
      key: 'k',
      channel: 'k',
      at,
    })
    await clock.pass(50_000, 100)
    expect(counts.totals).toMatchObject({ dropped: 0 })
    await clock.pass(200_000, 100)
    expect(counts.totals).toMatchObject({ dropped: 1 })
    expect(audited).toMatchObject([{ event: 'webhook.failed', reason: 'unreachable' }])
  })
})

describe('what is bounded', () => {
  it('are deliveries under way, of one tenant and in all', async () => {
    const receiver = new Receiver('receiver', 1)
    let release: () => void = () => undefined
    const held = new Promise<Delivery>((resolve) => (release = () => resolve('taken')))
    receiver.answer = () => held
    await employ(receiver)
    await tell('acme', ...Array.from({ length: 20 }, (_, at) => `room:${at}`))
    expect(receiver.deliveries).toHaveLength(4)
    for (const tenant of ['one', 'two', 'three']) await tell(tenant, 'a', 'b', 'c', 'd', 'e')
    expect(receiver.deliveries).toHaveLength(8)
    release()
    await clock.pass(1_000, 10)
    expect(receiver.taken).toHaveLength(35)
    expect(receiver.mostAtOnce).toBe(8)
  })

  it('is what is read ahead of an event that does not get through', async () => {
    const receiver = new Receiver('receiver', 100)
    receiver.answer = () => 'unreachable'
    const { courier } = await employ(receiver)
    const log = logOf(memory, () => undefined)
    for (let at = 0; at < 3_000; at += 1)
      await log.tell({
        id: `x${at}`,
        type: 'occupied',
        tenant: 'acme',
        key: `k${at}`,
        channel: 'k',
        at: new Date(clock.now()).toISOString(),
      })
    await clock.pass(60_000, 100)
    expect(courier.size).toBeLessThanOrEqual(1_200)
    receiver.answer = () => 'taken'
    await clock.pass(120_000, 100)
    expect(receiver.taken).toHaveLength(3_000)
    expect(courier.size).toBe(0)
  })
})

describe('a receiver for one tenant', () => {
  it('has the logs of others neither read nor a position kept in them', async () => {
    const receiver = new Receiver()
    receiver.tenant = 'acme'
    receiver.wants = (_, tenant) => tenant === 'acme'
    await tell('before', 'room:1')
    const { courier } = await employ(receiver)
    const [id] = [...(await tell('acme', 'room:1')), ...(await tell('other', 'room:1'))]
    await clock.pass(40_000, 100)
    expect(receiver.ids()).toEqual([id])
    await courier.stop()
    for (const tenant of ['before', 'other'])
      expect(await memory.records.get(cursorOf('receiver', tenant))).toBeUndefined()
    expect(await memory.records.get(cursorOf('receiver', 'acme'))).toBeDefined()
  })
})

describe('a log that is trimmed', () => {
  it('loses nothing that a receiver is to get, be it behind, on its way or about to begin', async () => {
    const errors: unknown[] = []
    const log = logOf(memory, () => undefined)
    const trimmer = new LogTrimmer({ engine: memory, log, onError: (error) => errors.push(error) })
    const [fast, slow, late] = [new Receiver('fast', 100), new Receiver('slow', 100), new Receiver('late', 100)]
    const [first] = [await employ(fast), await employ(slow)]
    slow.answer = () => 'unreachable'
    await tell('acme', ...Array.from({ length: 1_500 }, () => 'room:1'))
    await clock.pass(1_000, 10)
    await trimmer.run()
    expect((await log.read('acme', 1, 1)).first).toBe(1)
    slow.answer = () => 'taken'
    await clock.pass(60_000, 100)
    // One that cannot write down where it begins is known all the same.
    const { put } = memory.records
    memory.records.put = (key, ...rest) =>
      key.includes('cursor:late') ? Promise.reject(new Error('no')) : put.call(memory.records, key, ...rest)
    await employ(late)
    await trimmer.run()
    expect((await log.read('acme', 1, 1)).first).toBe(1)
    memory.records.put = put
    await clock.pass(5_000, 100)
    await trimmer.run()
    expect((await log.read('acme', 1, 1)).first).toBe(1_501)
    const [last] = await tell('acme', 'room:1')
    await clock.pass(1_000, 10)
    for (const receiver of [fast, slow]) expect(receiver.taken).toHaveLength(1_501)
    expect([late.ids(), first.counts.totals.dropped, lines, errors]).toEqual([[last], 0, [], []])
  })
})

describe('a log that lost what was not delivered', () => {
  it('is counted and written down when it was trimmed', async () => {
    const receiver = new Receiver()
    receiver.answer = () => 'unreachable'
    const { courier } = await employ(receiver)
    await tell('acme', 'room:1')
    await courier.stop()
    const stream = eventLogOf('acme')
    for (let at = 0; at < 5; at += 1)
      await memory.publish({
        stream,
        event: 'occupied',
        data: '{}',
        from: { system: true },
        at: '',
        retention: { ...LOG_RETENTION, size: 3 },
      })
    receiver.answer = () => 'taken'
    const { counts } = await employ(receiver)
    await clock.pass(1_000, 10)
    const [last] = await tell('acme', 'room:2')
    expect(receiver.ids()).toEqual([last])
    expect(counts.totals.dropped).toBe(3)
    expect(lines).toMatchObject([{ event: 'lifecycle.lost', tenant: 'acme', count: 3, reason: 'trimmed' }])
  })

  it('is counted and written down when it is another', async () => {
    const receiver = new Receiver()
    const { counts } = await employ(receiver)
    await tell('acme', 'room:1')
    const stream = eventLogOf('acme')
    const { epoch } = await memory.read(stream, LOG_RETENTION, { limit: 1, bytesMax: 1, keep: 'oldest' })
    await memory.rotate(stream, epoch)
    const [id] = await tell('acme', 'room:2')
    expect(receiver.ids()).toContain(id)
    expect(counts.totals.dropped).toBe(1)
    expect(lines).toMatchObject([{ event: 'lifecycle.lost', tenant: 'acme', reason: 'epoch_changed' }])
  })
})
