import type { OperationSnapshot } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PublishRequest } from '../engine/engine.js'
import type { MemoryEngine } from '../engine/memory/memory-engine.js'
import type { SimulatedClock } from '../simulated-clock.js'
import { OperationsCluster } from '../testing/operations-cluster.js'
import type { LinkedOperations } from '../testing/operations-node.js'
import type { OperationSpec } from './desk.js'
import type { Operations } from './operations.js'
import { type OperationRecord, parseRecord } from './record.js'

let cluster: OperationsCluster
let clock: SimulatedClock
let engine: MemoryEngine
let desk: Operations

beforeEach(() => {
  cluster = new OperationsCluster()
  ;({ clock, engine, desk } = cluster)
})

afterEach(() => cluster.close())

const node = (): LinkedOperations => cluster.node()
const forgetfulNode = (isLost: (request: PublishRequest) => boolean): Operations => cluster.forgetfulNode(isLost)
const create = (id: string, spec?: Partial<OperationSpec>): Promise<OperationSnapshot> => cluster.create(id, spec)
const find = (id: string): Promise<OperationSnapshot | undefined> => cluster.find(id)

describe('a report with a name', () => {
  it('counts once where nobody could say whether it had been taken, and whoever is asked again', async () => {
    let isLost = true
    const forgetful = forgetfulNode(() => isLost)
    await create('a', { total: 100 })
    const named = { advance: 5, key: 'page 1' }
    const said = forgetful.report('acme', 'a', named, { stored: true })
    await expect(said).rejects.toMatchObject({ code: 'engine_unavailable' })
    isLost = false
    for (const one of [forgetful, desk, node().desk, forgetful]) await one.report('acme', 'a', named, { stored: true })
    await clock.pass(3_000, 500)
    expect((await find('a'))?.progress.done).toBe(5)
  })

  it('counts once where another node counts it before it is written here, with all that was said around it', async () => {
    await create('a', { total: 100 })
    const other = node().desk
    for (const one of [desk, other]) await one.report('acme', 'a', {}, { stored: true })
    await desk.report('acme', 'a', { advance: 1 })
    await desk.report('acme', 'a', { advance: 10, key: 'page 1' })
    await desk.report('acme', 'a', { advance: 1 })
    await other.report('acme', 'a', { advance: 10, key: 'page 1' }, { stored: true })
    await clock.pass(1_000, 100)
    expect((await find('a'))?.progress.done).toBe(12)
  })

  it('counts once after another attempt has begun, and again after a day', async () => {
    await create('a', { total: 100, lease: '1d' })
    const say = (): Promise<OperationSnapshot> => desk.report('acme', 'a', { advance: 5, key: 'page 1' })
    await say()
    await desk.attempt('acme', 'a', { force: true })
    expect((await say()).progress.done).toBe(0)
    await clock.pass(86_000_000, 3_600_000)
    await desk.heartbeat('acme', 'a')
    await clock.pass(1_000_000, 500_000)
    expect((await say()).progress.done).toBe(5)
  })

  it('counts once, whichever of its numbers comes first', async () => {
    await create('a', { total: 100 })
    const say = (sequence: number, key?: string): Promise<OperationSnapshot> =>
      desk.report('acme', 'a', { advance: 5, sequence, ...(key !== undefined && { key }) })
    await say(2, 'page 1')
    expect((await say(1, 'page 1')).progress.done).toBe(5)
    await say(4)
    expect((await say(3, 'page 2')).progress.done).toBe(15)
    expect((await say(5, 'page 2')).progress.done).toBe(15)
  })

  it('counts once after an outage, among more than are kept apart', async () => {
    await create('a', { total: 1_000 })
    const away = node()
    await away.desk.report('acme', 'a', {}, { stored: true })
    const say = (page: number): Promise<OperationSnapshot> =>
      away.desk.report('acme', 'a', { advance: 1, key: `page ${page}` })
    away.cut()
    for (let page = 1; page <= 150; page += 1) await say(page)
    await clock.pass(5_000, 500)
    away.heal()
    await clock.pass(5_000, 500)
    expect((await find('a'))?.progress.done).toBe(150)
    for (let page = 87; page <= 150; page += 1) await say(page)
    await clock.pass(1_000, 500)
    expect((await find('a'))?.progress.done).toBe(150)
  })

  it('counts once each, however many wait for a write while another node counts some of them', async () => {
    await create('a', { total: 1_000 })
    const other = node().desk
    for (const one of [desk, other]) await one.report('acme', 'a', {}, { stored: true })
    const say = (at: Operations, page: number): Promise<OperationSnapshot> =>
      at.report('acme', 'a', { advance: 1, key: `page ${page}` })
    for (let page = 1; page <= 150; page += 1) await say(desk, page)
    for (let page = 80; page <= 140; page += 1) await say(other, page)
    await other.report('acme', 'a', {}, { stored: true })
    await clock.pass(1_000, 100)
    expect((await find('a'))?.progress.done).toBe(150)
  })

  it('is refused where too many wait, and counts once when it is said again', async () => {
    await create('a', { total: 2_000 })
    const away = node()
    await away.desk.report('acme', 'a', {}, { stored: true })
    const say = (page: number): Promise<OperationSnapshot> =>
      away.desk.report('acme', 'a', { advance: 1, key: `page ${page}` })
    away.cut()
    const refused: number[] = []
    for (let page = 1; page <= 1_200; page += 1)
      await say(page).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'engine_unavailable' })
        refused.push(page)
      })
    expect(refused).toHaveLength(200)
    away.heal()
    await clock.pass(5_000, 500)
    for (const page of refused) await say(page)
    await clock.pass(1_000, 500)
    expect((await find('a'))?.progress.done).toBe(1_200)
  })

  it('takes nothing else with it where another node has counted it, among more than are kept apart', async () => {
    await create('a', { total: 1_000 })
    const other = node().desk
    for (const one of [desk, other]) await one.report('acme', 'a', {}, { stored: true })
    for (let sequence = 1; sequence <= 100; sequence += 1) await desk.report('acme', 'a', { advance: 1, sequence })
    await desk.report('acme', 'a', { advance: 10 })
    await desk.report('acme', 'a', { advance: 1, key: 'page 1' })
    await desk.report('acme', 'a', { advance: 10 })
    await other.report('acme', 'a', { advance: 1, key: 'page 1' }, { stored: true })
    await clock.pass(1_000, 100)
    expect((await find('a'))?.progress.done).toBeGreaterThanOrEqual(121)
  })

  it('that was counted is taken after the end, too', async () => {
    await create('a', { total: 10 })
    await desk.report('acme', 'a', { advance: 5, key: 'page 1' })
    await desk.end('acme', 'a', { state: 'completed' })
    expect(await desk.report('acme', 'a', { advance: 5, key: 'page 1' })).toMatchObject({ state: 'completed' })
    const another = desk.report('acme', 'a', { advance: 5, key: 'page 2' })
    await expect(another).rejects.toMatchObject({ code: 'already_ended' })
  })

  it.each(['', 'x'.repeat(65)])('has one that can be kept: not %j', async (key) => {
    await create('a')
    await expect(desk.report('acme', 'a', { key })).rejects.toThrow('key must be 1 to 64 characters')
  })
})

describe('a worker that names itself', () => {
  it('gets its attempt again when it did not hear that it has it, from any node', async () => {
    let isLost = true
    const forgetful = forgetfulNode(({ event }) => isLost && event === 'started')
    await create('a', { queued: true })
    const asked = { worker: 'w1' }
    await expect(forgetful.attempt('acme', 'a', asked)).rejects.toMatchObject({ code: 'engine_unavailable' })
    isLost = false
    for (const one of [desk, forgetful, node().desk])
      expect(await one.attempt('acme', 'a', asked)).toMatchObject({ attempt: 1, state: 'running' })
    await expect(desk.attempt('acme', 'a', { worker: 'w2' })).rejects.toMatchObject({ code: 'already_held' })
    await expect(desk.attempt('acme', 'a')).rejects.toMatchObject({ code: 'already_held' })
  })

  it('takes an operation by force once, however often it says so', async () => {
    await create('a')
    const asked = { worker: 'w1', force: true }
    for (const one of [desk, node().desk]) expect(await one.attempt('acme', 'a', asked)).toMatchObject({ attempt: 2 })
    expect(await desk.attempt('acme', 'a', { worker: 'w2', force: true })).toMatchObject({ attempt: 3 })
  })

  it('does not get back what another has taken, where that is not known yet either', async () => {
    await create('a', { queued: true })
    const other = node().desk
    await other.attempt('acme', 'a', { worker: 'w1' })
    await desk.attempt('acme', 'a', { worker: 'w2', force: true })
    await expect(other.attempt('acme', 'a', { worker: 'w1' })).rejects.toMatchObject({ code: 'already_held' })
  })

  it('does not get what another took on a node of a version that knows no names', async () => {
    await create('a', { queued: true })
    const stream = { tenant: 'acme', channel: 'operation:a' }
    const read = async (): Promise<OperationRecord> => parseRecord((await engine.state(stream))?.value ?? '')
    await desk.attempt('acme', 'a', { worker: 'w1' })
    const { worker } = (await read()).work
    await desk.attempt('acme', 'a', { force: true })
    // It leaves as it was what it does not know.
    const { snapshot, work, ...rest } = await read()
    const { version: ifVersion } = snapshot
    const value = JSON.stringify({
      ...rest,
      snapshot: { ...snapshot, version: ifVersion + 1 },
      work: { ...work, worker },
    })
    await engine.publish({
      stream,
      event: 'progress',
      data: '{}',
      from: { system: true },
      at: new Date(clock.now()).toISOString(),
      retention: undefined,
      state: { value, ifVersion, ttlMs: 3_600_000 },
    })
    await expect(node().desk.attempt('acme', 'a', { worker: 'w1' })).rejects.toMatchObject({ code: 'already_held' })
  })

  it('that asks again in reports which are read twice begins nothing by that', async () => {
    await create('a', { queued: true })
    for (const entry of ['1-0', '2-0']) await desk.attempt('acme', 'a', { worker: 'w1', entry })
    await clock.pass(40_000, 1_000)
    const again = await desk.attempt('acme', 'a', { worker: 'w1', entry: '2-0' })
    expect(again).toMatchObject({ state: 'stalled', attempt: 1 })
  })

  it('shows by that that it lives, and begins anew what it has let stall', async () => {
    await create('a', { queued: true })
    await desk.attempt('acme', 'a', { worker: 'w1' })
    await clock.pass(20_000, 1_000)
    await desk.attempt('acme', 'a', { worker: 'w1' })
    await clock.pass(20_000, 1_000)
    expect(await find('a')).toMatchObject({ state: 'running', attempt: 1 })
    await clock.pass(20_000, 1_000)
    expect(await find('a')).toMatchObject({ state: 'stalled', attempt: 1 })
    expect(await desk.attempt('acme', 'a', { worker: 'w1' })).toMatchObject({ state: 'running', attempt: 2 })
  })

  it.each(['', 'x'.repeat(129)])('has a name that can be kept: not %j', async (worker) => {
    await create('a', { queued: true })
    await expect(desk.attempt('acme', 'a', { worker })).rejects.toThrow('worker must be 1 to 128 characters')
  })
})

describe('a worker that does not say which attempt it has', () => {
  it('is answered by a node that does not know better, and changes nothing of what another has begun there', async () => {
    const other = node().desk
    await create('a')
    await other.report('acme', 'a', {}, { stored: true })
    await desk.attempt('acme', 'a', { force: true })
    expect(await other.report('acme', 'a', { done: 7 })).toMatchObject({ attempt: 1 })
    await clock.pass(1_000, 100)
    expect(await find('a')).toMatchObject({ attempt: 2, progress: { done: 0 } })
  })
})
