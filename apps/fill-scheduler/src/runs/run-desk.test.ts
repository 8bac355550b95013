import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, createHoldfast } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../clock.js'
import { openStore } from '../store/open-store.js'
import type { Schedule, Store } from '../store/store.js'
import { cancelled, completed, scheduleOf, userOf } from '../store/testing/samples.js'
import { Changes } from './changes.js'
import { RunDesk } from './run-desk.js'
import { scheduleSpec } from './run-specs.js'

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const NOBODY = () => ({ failure: 'invalid', detail: 'nobody comes' }) as const
/** Nobody waits for seconds. */
const HASTY: Clock = {
  ...systemClock,
  after: (ms, work) => systemClock.after(ms / 100, work),
  every: (ms, work) => systemClock.every(ms / 100, work),
}

describe('the desk of all runs', () => {
  let folder: string
  let store: Store
  let holdfast: Holdfast
  let desk: RunDesk
  const told: unknown[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fill-desk-'))
    store = await openStore({ file: join(folder, 'store.db') })
    await store.migrate()
    await store.users.create(userOf('ada'))
    holdfast = createHoldfast({ auth: { authenticate: NOBODY }, environment: 'test', log: LOG })
    const { operations } = holdfast.tenant('fill')
    told.length = 0
    const publish = async (...message: unknown[]): Promise<void> => void told.push(message)
    const changes = new Changes({ publish: publish as never }, LOG)
    desk = new RunDesk({ store, operations, changes, clock: HASTY, log: LOG, runner: 'here', atATime: 1 })
  })

  afterEach(async () => {
    await desk.close()
    await holdfast.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('deletes nothing whose operation goes on: its end may not have been told yet', async () => {
    const { operations } = holdfast.tenant('fill')
    const schedule = scheduleOf({ id: 's1', userId: 'ada' })
    await store.schedules.create(schedule, { ...schedule, scheduleId: 's1' })
    await operations.create(scheduleSpec(schedule))
    await operations.attempt('s1')
    await store.runs.finish('s1', undefined, completed(40))
    expect(await desk.delete({ kind: 'schedule', userId: 'eve', id: 's1' })).toBe(false)
    expect(await desk.hasEnded('s1')).toBe(false)
    expect(await desk.delete({ kind: 'schedule', userId: 'ada', id: 's1' })).toBe(true)
    expect(await operations.get('s1')).toMatchObject({ state: 'completed', result: { makespan: 40 } })
    expect(await desk.hasEnded('s1')).toBe(true)
  })

  it('ends an operation, and tells pages, where a server died between the end of a run and telling it', async () => {
    const { operations } = holdfast.tenant('fill')
    const schedule = scheduleOf({ id: 's1', userId: 'ada' })
    await store.schedules.create(schedule, { ...schedule, scheduleId: 's1' })
    await operations.create(scheduleSpec(schedule))
    await store.runs.finish('s1', undefined, cancelled())
    desk.start()
    const change = ['user:ada', 'changed', { kind: 'schedule', id: 's1', status: 'cancelled' }]
    await vi.waitFor(() => expect(told).toContainEqual(change), 10_000)
    expect(await operations.get('s1')).toMatchObject({ state: 'cancelled' })
  })

  it('ends what somebody handed in whose account was closed in the same moment, also what is told of late', async () => {
    const { operations } = holdfast.tenant('fill')
    const stateOf = async (id: string): Promise<unknown> => (await operations.get(id))?.state
    await store.users.create(userOf('bob'))
    const [running, late] = ['running', 'late'].map((id) => scheduleOf({ id, userId: 'ada' })) as [Schedule, Schedule]
    const other = scheduleOf({ id: 'other', userId: 'bob' })
    for (const schedule of [running, late, other])
      await store.schedules.create(schedule, { ...schedule, scheduleId: schedule.id })
    for (const schedule of [running, other]) await operations.create(scheduleSpec(schedule))
    await operations.attempt(running.id)
    await store.users.delete('ada')
    await desk.endAllOf('ada')
    expect(await Promise.all(['running', 'other'].map(stateOf))).toEqual(['cancelled', 'queued'])
    await operations.create(scheduleSpec(late))
    await vi.waitFor(async () => expect(await stateOf('late')).toBe('cancelled'), 10_000)
    expect(await stateOf('other')).toBe('queued')
  })
})
