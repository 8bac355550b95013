import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { Recorder } from '../conformance/recorder.js'
import type { PublishOutcome, PublishRequest, Stream } from '../engine.js'
import { DiskEngine, type DiskEngineOptions } from './disk-engine.js'
import { SimulatedStorage } from './simulated-storage.js'

const ROOM: Stream = { tenant: 't', channel: 'room:1' }
const KEPT = { size: 100, ttlMs: 60_000 }
const ALL = { limit: 1_000, bytesMax: Infinity, keep: 'oldest' } as const

function request(data: string, more: Partial<PublishRequest> = {}): PublishRequest {
  return {
    stream: ROOM,
    event: 'e',
    data,
    from: { user: 'u' },
    at: '2026-01-01T00:00:00.000Z',
    retention: KEPT,
    ...more,
  }
}

async function publish(
  engine: DiskEngine,
  ...parts: Parameters<typeof request>
): Promise<Extract<PublishOutcome, { kind: 'published' }>> {
  const outcome = await engine.publish(request(...parts))
  if (outcome.kind !== 'published') throw new Error(outcome.kind)
  return outcome
}

/** Engines on one directory, one after the other, all at the time of one clock. */
function inTurn(options: Partial<DiskEngineOptions> = {}): {
  dir: string
  clock: SimulatedClock
  next(): Promise<DiskEngine>
} {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-disk-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const clock = new SimulatedClock()
  let last: DiskEngine | undefined
  const next = async (): Promise<DiskEngine> => {
    await last?.close()
    last = new DiskEngine({ ...options, dir }, { clock })
    await last.start()
    return last
  }
  onTestFinished(() => last?.close())
  return { dir, clock, next }
}

describe('after a restart', () => {
  it('a log is as it was: epoch, messages, top, and what its senders said', async () => {
    const { next } = inTurn()
    const engine = await next()
    await publish(engine, '"1"')
    await publish(engine, '{"text":"ä€😀"}', { from: { user: 'ada', connection: 'c1' }, event: 'chat' })
    await publish(engine, '"end"', { from: { system: true }, final: true, id: 'given' })
    const page = await engine.read(ROOM, KEPT, ALL)
    const again = await next()
    expect(await again.read(ROOM, KEPT, ALL)).toEqual(page)
    expect(await publish(again, '"4"')).toMatchObject({ epoch: page.epoch, offset: 4 })
  })

  it('a position of a log without messages still counts', async () => {
    const { next } = inTurn()
    const engine = await next()
    const [top] = await engine.tops([{ stream: ROOM, retention: KEPT }])
    expect(await (await next()).tops([{ stream: ROOM, retention: KEPT }])).toEqual([top])
  })

  it('a key is known, and other content under it is refused', async () => {
    const { next } = inTurn()
    const keyed = { idempotency: { scope: 'u', key: 'k' } }
    const first = await publish(await next(), '"1"', keyed)
    const again = await next()
    expect(await publish(again, '"1"', keyed)).toEqual({ ...first, duplicate: true })
    expect(await again.publish(request('"2"', keyed))).toEqual({ kind: 'idempotency_conflict' })
  })

  it('a state is there with its version', async () => {
    const { next } = inTurn()
    const state = (value: string, ifVersion: number): Partial<PublishRequest> => ({
      state: { value, ifVersion, ttlMs: 600_000 },
    })
    const engine = await next()
    await publish(engine, '"1"', state('one', 0))
    await publish(engine, '"2"', { ...state('two', 1), retention: undefined })
    const again = await next()
    expect(await again.state(ROOM)).toEqual({ value: 'two', version: 2 })
    expect(await again.publish(request('"3"', state('three', 1)))).toEqual({ kind: 'state_conflict' })
  })

  it('registers are there with their sums, what was removed is not, and their time has gone on', async () => {
    const { clock, next } = inTurn()
    const { registers } = await next()
    await registers.put('r', { key: 'kept', value: 'one', amount: 1, ttlMs: 60_000 })
    await registers.put('r', { key: 'kept', value: 'two', amount: 2, ttlMs: 60_000 })
    await registers.put('r', { key: 'brief', amount: 40, ttlMs: 10_000 })
    await registers.put('r', { key: 'removed', amount: 800, ttlMs: 60_000 })
    await registers.remove('r', 'removed')
    await clock.pass(11_000)
    const again = await next()
    expect(again.sizes()).toMatchObject({ registers: 1 })
    expect(await again.registers.list('r', 10)).toEqual([{ key: 'kept', value: 'two', amount: 2 }])
    expect(await again.registers.totals('r')).toEqual({ entries: 1, amount: 2 })
    await clock.pass(50_000)
    expect(await (await next()).registers.totals('r')).toEqual({ entries: 0, amount: 0 })
  })

  it('indexes are there in their order, what was removed is not, and their time has gone on', async () => {
    const { clock, next } = inTurn()
    const { indexes } = await next()
    const put = (key: string, score: number, ttlMs = 60_000): Promise<void> => indexes.put('i', { key, score, ttlMs })
    await put('last', 0.25)
    await put('moved', 1_690_000_000_000.5)
    await put('moved', -2)
    await put('brief', 0, 10_000)
    await put('removed', 0)
    expect(await indexes.remove('i', 'removed')).toBe(true)
    await clock.pass(11_000)
    const again = await next()
    expect(again.sizes()).toMatchObject({ indexes: 2 })
    expect(await again.indexes.range('i', { limit: 10 })).toEqual([
      { key: 'moved', score: -2 },
      { key: 'last', score: 0.25 },
    ])
    await clock.pass(50_000)
    expect(await (await next()).indexes.range('i', { limit: 10 })).toEqual([])
  })

  it('records are there, those that were taken are not, and their time has gone on', async () => {
    const { next, clock } = inTurn()
    const engine = await next()
    await engine.records.put('kept', 'one', { ttlMs: 60_000 })
    await engine.records.put('kept', 'two', { ttlMs: 60_000, ifVersion: 1 })
    await engine.records.put('taken', 'x', { ttlMs: 60_000 })
    await engine.records.put('brief', 'x', { ttlMs: 10_000 })
    await engine.records.take('taken')
    await engine.close()
    await clock.pass(20_000)
    const again = await next()
    const { records } = again
    expect(again.sizes()).toMatchObject({ records: 1 })
    expect(await records.get('kept')).toEqual({ value: 'two', version: 2 })
    expect([await records.get('taken'), await records.get('brief')]).toEqual([undefined, undefined])
    expect(await records.put('taken', 'y', { ttlMs: 1_000, ifVersion: 0 })).toBe(1)
  })

  it('an epoch that was ended stays so', async () => {
    const { next } = inTurn()
    const engine = await next()
    const { epoch } = await publish(engine, '"1"')
    const rotated = await engine.rotate(ROOM, epoch)
    expect(await (await next()).read(ROOM, KEPT, ALL)).toMatchObject({
      epoch: rotated,
      messages: [],
      top: { offset: 0 },
    })
  })

  it('what grew old meanwhile has expired, and whoever listened before finds its epoch', async () => {
    const { next, clock } = inTurn()
    const engine = await next()
    await engine.listen(ROOM, new Recorder())
    const { epoch } = await publish(engine, '"1"')
    await clock.pass(KEPT.ttlMs * 10, 5_000)
    await engine.close()
    await clock.pass(KEPT.ttlMs)
    const again = await next()
    expect(await again.read(ROOM, KEPT, ALL)).toMatchObject({ epoch, expired: true, first: 2, messages: [] })
    await again.close()
    await clock.pass(KEPT.ttlMs)
    const later = await next()
    await clock.pass(400_000, 5_000)
    expect((await later.read(ROOM, KEPT, ALL)).epoch).not.toBe(epoch)
  })

  it('what had expired before the last message stays away', async () => {
    const { next, clock } = inTurn()
    const engine = await next()
    await engine.listen(ROOM, new Recorder())
    const { epoch } = await publish(engine, '"1"')
    await clock.pass(KEPT.ttlMs * 3, 5_000)
    await publish(engine, '"2"')
    const page = await (await next()).read(ROOM, KEPT, ALL)
    expect(page).toMatchObject({ epoch, first: 2, expired: true })
    expect(page.messages.map(({ data }) => data)).toEqual(['"2"'])
  })

  it('everything is there that a snapshot and the journal behind it hold', async () => {
    const { next, dir } = inTurn({ segmentBytesMax: 4_000, compactBytesMin: 10_000 })
    let engine = await next()
    const { epoch } = await engine.read(ROOM, KEPT, ALL)
    for (let n = 1; n <= 1_000; n += 1) {
      await publish(engine, String(n), { idempotency: { scope: 'u', key: String(n) } })
      if (n % 300 === 0) engine = await next()
    }
    engine = await next()
    const page = await engine.read(ROOM, KEPT, ALL)
    expect(page).toMatchObject({ epoch, first: 901, top: { offset: 1_000 } })
    expect(page.messages.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, n) => String(901 + n)))
    expect(await publish(engine, '1', { idempotency: { scope: 'u', key: '1' } })).toMatchObject({
      offset: 1,
      duplicate: true,
    })
    expect(readdirSync(dir).filter((name) => name.startsWith('snapshot-'))).toHaveLength(1)
    expect(readdirSync(dir).filter((name) => name.startsWith('journal-')).length).toBeLessThan(60)
  })
})

describe('a log that is written while its epoch would end', () => {
  it('goes on', async () => {
    const storage = new SimulatedStorage()
    const clock = new SimulatedClock()
    const engine = new DiskEngine({ dir: '' }, { clock, storage })
    await engine.start()
    const { epoch } = await publish(engine, '"1"')
    let letGo = (): void => undefined
    storage.before = ({ kind }) =>
      kind === 'sync' ? new Promise((resolve) => (letGo = () => resolve(undefined))) : undefined
    const writing = publish(engine, '"2"')
    await clock.pass(KEPT.ttlMs * 3, 5_000)
    storage.before = () => undefined
    letGo()
    expect(await writing).toMatchObject({ epoch, offset: 2 })
    await engine.close()
  })
})

describe('what may be lost', () => {
  it('is not seen before it is on the disk: not by readers, listeners, or those who repeat it', async () => {
    const storage = new SimulatedStorage()
    const clock = new SimulatedClock()
    const engine = new DiskEngine({ dir: '' }, { clock, storage })
    await engine.start()
    const heard = new Recorder()
    await engine.listen(ROOM, heard)
    await publish(engine, '"1"')
    let letGo = (): void => undefined
    storage.before = ({ kind }) =>
      kind === 'sync' ? new Promise((resolve) => (letGo = () => resolve(undefined))) : undefined
    const keyed = { idempotency: { scope: 'u', key: 'k' } }
    const answered: string[] = []
    const note = (what: string) => (): number => answered.push(what)
    const all = [
      publish(engine, '"2"', keyed).then(note('first')),
      publish(engine, '"2"', keyed).then(note('repetition')),
      engine.records.put('k', 'v', { ttlMs: 1_000 }).then(note('record')),
      engine.records.put('k', 'w', { ttlMs: 1_000, ifVersion: 0 }).then(note('refusal')),
    ]
    await clock.pass(100, 10)
    expect(answered).toEqual([])
    expect((await engine.read(ROOM, KEPT, ALL)).messages).toHaveLength(1)
    expect(await engine.records.get('k')).toBeUndefined()
    expect(heard.messages).toHaveLength(1)
    storage.before = () => undefined
    letGo()
    await Promise.all(all)
    expect(answered.toSorted()).toEqual(['first', 'record', 'refusal', 'repetition'])
    expect((await engine.read(ROOM, KEPT, ALL)).messages).toHaveLength(2)
    await engine.close()
  })

  it('when the process is killed before it is on the disk is there for good once it was seen', async () => {
    const storage = new SimulatedStorage()
    const clock = new SimulatedClock()
    const first = new DiskEngine({ dir: '' }, { clock, storage })
    await first.start()
    await publish(first, '"1"')
    storage.before = ({ kind }) => (kind === 'sync' ? new Promise(() => undefined) : undefined)
    void publish(first, '"2"')
    await clock.pass(10, 1)
    storage.before = () => undefined
    const second = new DiskEngine({ dir: '' }, { clock, storage })
    await second.start()
    const seen = await second.read(ROOM, KEPT, ALL)
    expect(seen.messages).toHaveLength(2)
    const third = new DiskEngine({ dir: '' }, { clock, storage: storage.afterPowerFailure(() => 0.9) })
    await third.start()
    expect(await third.read(ROOM, KEPT, ALL)).toEqual(seen)
    await Promise.all([second.close(), third.close()])
  })
})

describe('what a killed process wrote and never synchronised', () => {
  it('is not seen while it cannot be written again', async () => {
    const storage = new SimulatedStorage()
    const clock = new SimulatedClock()
    const first = new DiskEngine({ dir: '' }, { clock, storage })
    await first.start()
    storage.before = ({ kind }) => (kind === 'sync' ? new Promise(() => undefined) : undefined)
    void publish(first, '"1"')
    await clock.pass(10, 1)
    let isFull = true
    storage.before = ({ kind }) => (isFull && kind === 'write' ? { error: new Error('ENOSPC') } : undefined)
    const second = new DiskEngine({ dir: '' }, { clock, storage })
    await second.start()
    await expect(second.read(ROOM, KEPT, ALL)).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: expect.stringContaining('ENOSPC') as string,
    })
    isFull = false
    await clock.pass(1_000, 10)
    expect((await second.read(ROOM, KEPT, ALL)).messages).toHaveLength(1)
    await second.close()
  })
})

describe('the engine', () => {
  it('writes for its owner only', async () => {
    const { next, dir } = inTurn()
    await publish(await next(), '"1"')
    const modes = readdirSync(dir).map((name) => [name, (statSync(join(dir, name)).mode & 0o777).toString(8)])
    expect(modes.sort(([one = ''], [other = '']) => one.localeCompare(other))).toEqual([
      ['journal-000001.log', '600'],
      ['lock', '600'],
      ['watermark', '600'],
    ])
  })

  it('leaves no file behind for a start after which nothing is written', async () => {
    const { next, dir } = inTurn()
    await publish(await next(), '"1"')
    for (let start = 0; start < 5; start += 1) await next()
    expect(readdirSync(dir).filter((name) => name.startsWith('journal-'))).toHaveLength(2)
    expect((await (await next()).read(ROOM, KEPT, ALL)).messages).toHaveLength(1)
  })

  it('keeps few files, however often it is started', async () => {
    const { next, dir } = inTurn()
    for (let start = 1; start <= 40; start += 1)
      expect(await publish(await next(), '"x"')).toMatchObject({ offset: start })
    expect(readdirSync(dir).filter((name) => name.startsWith('journal-')).length).toBeLessThan(20)
  })

  it('may be started again when its directory was in use', async () => {
    const { next, dir } = inTurn()
    const engine = await next()
    const other = new DiskEngine({ dir })
    await expect(other.start()).rejects.toThrow('in use')
    await engine.close()
    await other.start()
    expect(await publish(other, '"1"')).toMatchObject({ offset: 1 })
    await other.close()
  })

  it('refuses what it has no room to keep waiting', async () => {
    const storage = new SimulatedStorage()
    const engine = new DiskEngine({ dir: '' }, { storage })
    await engine.start()
    let letGo = (): void => undefined
    const full = { error: new Error('full') }
    storage.before = () => new Promise((resolve) => (letGo = () => resolve(full)))
    const data = JSON.stringify('x'.repeat(1_000_000))
    const outcomes = Array.from({ length: 80 }, () =>
      engine.publish(request(data)).catch(({ message }: Error) => message),
    )
    expect(await outcomes[79]).toBe('the disk is too slow: too much waits for it')
    storage.before = () => full
    letGo()
    const taken = (await Promise.all(outcomes)).filter((message) => message === 'the disk cannot store: full')
    expect(taken.length).toBeGreaterThan(60)
    expect(taken.length).toBeLessThan(70)
    await engine.close()
  })

  it('refuses before its start and after its end', async () => {
    const { next, dir } = inTurn()
    const unstarted = new DiskEngine({ dir })
    await expect(unstarted.publish(request('1'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    await expect(unstarted.read(ROOM, KEPT, ALL)).rejects.toMatchObject({ code: 'engine_unavailable' })
    const engine = await next()
    const last = publish(engine, '"1"')
    await engine.close()
    expect(await last).toMatchObject({ offset: 1 })
    await expect(engine.publish(request('2'))).rejects.toMatchObject({ code: 'engine_unavailable' })
    expect((await (await next()).read(ROOM, KEPT, ALL)).messages).toHaveLength(1)
  })

  it('forgets the oldest stream without a listener when there are too many, and that ends its epoch', async () => {
    const { next } = inTurn({ streamsMax: 3 })
    const engine = await next()
    const streams = ['1', '2', '3', '4'].map((name) => ({ tenant: 't', channel: `room:${name}` }))
    await engine.listen({ tenant: 't', channel: 'room:1' }, new Recorder())
    const epochs: string[] = []
    for (const stream of streams) epochs.push((await publish(engine, '1', { stream })).epoch)
    const found = await Promise.all(streams.map(async (stream) => (await engine.read(stream, KEPT, ALL)).epoch))
    expect(found.map((epoch, at) => epoch === epochs[at])).toEqual([true, false, true, true])
  })
})
