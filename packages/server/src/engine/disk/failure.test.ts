import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { silentLogger } from '../../telemetry/log.js'
import { Recorder } from '../conformance/recorder.js'
import type { PublishRequest, Stream } from '../engine.js'
import { DiskEngine } from './disk-engine.js'
import { type BeforeOperation, SimulatedStorage, type StorageFault } from './simulated-storage.js'

const ROOM: Stream = { tenant: 't', channel: 'room:1' }
const KEPT = { size: 1_000, ttlMs: 3_600_000 }
const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const

function request(data: string, more: Partial<PublishRequest> = {}): PublishRequest {
  return { stream: ROOM, event: 'e', data, from: { user: 'u' }, at: '', retention: KEPT, ...more }
}

function fault(code: string): StorageFault {
  return { error: Object.assign(new Error(`${code}: it does not work`), { code }) }
}

interface Setting {
  readonly engine: DiskEngine
  readonly storage: SimulatedStorage
  readonly clock: SimulatedClock
  /** Everything that `problem` was, in order. */
  readonly problems: (string | undefined)[]
  readonly logged: string[]
  readonly heard: Recorder
  read(): Promise<string[]>
}

async function begin(
  storage: SimulatedStorage = new SimulatedStorage(),
  clock: SimulatedClock = new SimulatedClock(),
): Promise<Setting> {
  const logged: string[] = []
  const log = { ...silentLogger, error: (fields: Record<string, unknown>) => void logged.push(String(fields['event'])) }
  const engine = new DiskEngine({ dir: '' }, { clock, storage, log })
  const problems: (string | undefined)[] = []
  engine.watch((problem) => problems.push(problem))
  await engine.start()
  const heard = new Recorder()
  await engine.listen(ROOM, heard)
  const read = async (): Promise<string[]> => (await engine.read(ROOM, KEPT, ALL)).messages.map(({ data }) => data)
  return { engine, storage, clock, problems, logged, heard, read }
}

/** What is there after the process was killed, or the power failed. */
async function found(storage: SimulatedStorage): Promise<{ data: string[]; epoch: string; logged: string[] }> {
  const { engine, logged } = await begin(storage)
  const { epoch, messages } = await engine.read(ROOM, KEPT, ALL)
  await engine.close()
  return { epoch, data: messages.map(({ data }) => data), logged }
}

const whenWriting =
  (isFaulty: () => boolean, answer: StorageFault): BeforeOperation =>
  ({ kind }) =>
    isFaulty() && (kind === 'write' || kind === 'create') ? answer : undefined

describe('F-56 a full disk', () => {
  it('refuses what it cannot store, shows none of it, goes on reading, and goes on by itself', async () => {
    const { engine, storage, clock, problems, heard, read } = await begin()
    const { epoch } = (await engine.publish(request('1'))) as { epoch: string }
    let isFull = true
    storage.before = whenWriting(() => isFull, { ...fault('ENOSPC'), taken: 20 })
    const refused = await Promise.allSettled(['2', '3'].map((data) => engine.publish(request(data))))
    expect(
      refused.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code),
    ).toEqual(['engine_unavailable', 'engine_unavailable'])
    await expect(engine.records.put('k', 'v', { ttlMs: 1_000 })).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(60_000, 100)
    expect(engine.problem()).toContain('ENOSPC')
    expect(await read()).toEqual(['1'])
    isFull = false
    await clock.pass(6_000, 100)
    expect(engine.problem()).toBeUndefined()
    expect(problems.map((problem) => problem === undefined)).toEqual([false, true])
    expect(await engine.publish(request('4'))).toMatchObject({ epoch, offset: 2 })
    expect(heard.messages.map(({ message }) => message.data)).toEqual(['1', '4'])
    expect(await found(storage.afterKill())).toEqual({ epoch, data: ['1', '4'], logged: [] })
    await engine.close()
  })

  it('is tried again less and less often', async () => {
    const { engine, storage, clock } = await begin()
    let tries = 0
    storage.before = ({ kind }) => {
      if (kind !== 'create') return kind === 'write' ? fault('ENOSPC') : undefined
      tries += 1
      return fault('ENOSPC')
    }
    await expect(engine.publish(request('1'))).rejects.toThrow('ENOSPC')
    await clock.pass(10_000, 50)
    expect(tries).toBeGreaterThan(5)
    expect(tries).toBeLessThan(11)
    await engine.close()
  })

  it('is tried again at once when it had worked in between', async () => {
    const { engine, storage, clock } = await begin()
    for (let round = 0; round < 10; round += 1) {
      let fails = true
      storage.before = ({ kind }) => {
        const isFaulty = fails && kind === 'write'
        if (isFaulty) fails = false
        return isFaulty ? fault('ENOSPC') : undefined
      }
      await expect(engine.publish(request('refused'))).rejects.toThrow('ENOSPC')
      await clock.pass(20, 1)
      await engine.publish(request(String(round)))
    }
    await engine.close()
  })

  it('at the start lets everything be read that is there', async () => {
    const { engine, storage } = await begin()
    await engine.publish(request('1'))
    await engine.close()
    let isFull = true
    storage.before = whenWriting(() => isFull, fault('ENOSPC'))
    const again = await begin(storage)
    expect(again.engine.problem()).toContain('ENOSPC')
    expect(await again.read()).toEqual(['1'])
    isFull = false
    await again.clock.pass(6_000, 100)
    expect(await again.engine.publish(request('2'))).toMatchObject({ offset: 2 })
    await again.engine.close()
  })

  it('still carries what is stored nowhere', async () => {
    const { engine, storage, heard } = await begin()
    storage.before = whenWriting(() => true, fault('ENOSPC'))
    await engine.publish(request('"seen"', { retention: undefined, idempotency: { scope: 'u', key: 'k' } }))
    expect(heard.messages.map(({ message }) => message.data)).toEqual(['"seen"'])
    await engine.close()
  })
})

describe('F-57 a failed synchronisation', () => {
  it('is the end of that file: what it held is void, and what follows goes into another', async () => {
    const { engine, storage, clock, heard } = await begin()
    const { epoch } = (await engine.publish(request('1'))) as { epoch: string }
    let fails = 1
    storage.before = ({ kind }) => (kind === 'sync' && (fails -= 1) === 0 ? fault('EIO') : undefined)
    await expect(engine.publish(request('2'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(1_000, 10)
    expect(await engine.publish(request('3'))).toMatchObject({ epoch, offset: 2 })
    expect(heard.messages.map(({ message }) => message.data)).toEqual(['1', '3'])
    // The kernel keeps the pages of the failed write: they can be read, and are not on the disk.
    for (const rest of [storage.afterKill(), storage.afterPowerFailure(() => 0.9), storage.afterPowerFailure(() => 0)])
      expect(await found(rest)).toEqual({ epoch, data: ['1', '3'], logged: [] })
    await engine.close()
  })

  it('leaves nothing unwritten when what was acknowledged cannot be read back', async () => {
    const { engine, storage, clock } = await begin()
    for (let n = 1; n <= 20; n += 1) await engine.publish(request(String(n)))
    await engine.records.put('k', 'v', { ttlMs: 60_000 })
    const { epoch } = await engine.read(ROOM, KEPT, ALL)
    let fails = 1
    storage.before = ({ kind }) => (kind === 'sync' && (fails -= 1) === 0 ? fault('EIO') : undefined)
    storage.damage('journal-000001.log', storage.bytes('journal-000001.log').subarray(0, 400))
    await expect(engine.publish(request('lost'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(1_000, 10)
    expect(await engine.publish(request('21'))).toMatchObject({ epoch, offset: 21 })
    const data = Array.from({ length: 21 }, (_, n) => String(n + 1))
    for (const rest of [storage.afterKill(), storage.afterPowerFailure(() => 0)])
      expect(await found(rest)).toEqual({ epoch, data, logged: [] })
    expect(await storage.list()).toContain('journal-000001.log.damaged')
    await engine.close()
  })
})

describe('F-59 a directory that cannot be written', () => {
  it.each(['EROFS', 'EACCES', 'ENOENT'])('(%s) refuses, goes on reading, and goes on by itself', async (code) => {
    const { engine, storage, clock, read } = await begin()
    await engine.publish(request('1'))
    let isFaulty = true
    storage.before = ({ kind }) => (isFaulty && kind !== 'read' ? fault(code) : undefined)
    await expect(engine.publish(request('2'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(20_000, 100)
    expect(engine.problem()).toContain(code)
    expect(await read()).toEqual(['1'])
    isFaulty = false
    await clock.pass(6_000, 100)
    expect(await engine.publish(request('3'))).toMatchObject({ offset: 2 })
    expect(await found(storage.afterKill())).toMatchObject({ data: ['1', '3'], logged: [] })
    await engine.close()
  })

  it('and was emptied gets everything again', async () => {
    const { engine, storage, clock } = await begin()
    const { epoch } = (await engine.publish(request('1'))) as { epoch: string }
    await engine.publish(request('2'))
    for (const name of await storage.list()) await storage.remove(name)
    await expect(engine.publish(request('3'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    await clock.pass(1_000, 10)
    expect(await engine.publish(request('4'))).toMatchObject({ offset: 3 })
    expect(await found(storage.afterKill())).toEqual({ epoch, data: ['1', '2', '4'], logged: [] })
    await engine.close()
  })
})

describe('F-60 a slow disk', () => {
  it('is written in groups', async () => {
    let synchronised = 0
    const storage = new SimulatedStorage(async ({ kind }) => {
      if (kind === 'sync') synchronised += 1
      await pause(kind === 'sync' ? 200 : 0)
      return undefined
    })
    const engine = new DiskEngine({ dir: '' }, { clock: systemClock, storage })
    await engine.start()
    await engine.publish(request('0'))
    synchronised = 0
    const outcomes: Promise<unknown>[] = []
    for (let wave = 0; wave < 50; wave += 1) {
      for (let n = 0; n < 40; n += 1) outcomes.push(engine.publish(request(`"${wave} ${n}"`)))
      await pause(10)
    }
    await Promise.all(outcomes)
    expect(outcomes.length / synchronised).toBeGreaterThan(200)
    await engine.close()
  })
})

describe('a request that makes no sense', () => {
  it('is refused by itself: what stands beside it is stored as if it had never been there', async () => {
    const { engine, storage, heard } = await begin()
    const data = undefined as unknown as string
    const outcomes = await Promise.allSettled([
      engine.publish(request('1')),
      engine.records.put('k', data, { ttlMs: 1_000 }),
      engine.publish(request('2')),
      engine.publish(request('3', { event: data })),
      engine.publish(request('4')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(engine.problem()).toBeUndefined()
    expect(heard.messages.map(({ message }) => [message.offset, message.data])).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '4'],
    ])
    expect(await found(storage.afterKill())).toMatchObject({ data: ['1', '2', '4'], logged: [] })
    await engine.close()
  })
})
