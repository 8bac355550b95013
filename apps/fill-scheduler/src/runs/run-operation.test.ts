import { type Holdfast, type TenantOperations, createHoldfast } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../clock.js'
import { type RunOperation, type RunStopped, beginOperation } from './run-operation.js'

const SPEC = { id: 'run', kind: 'schedule', owner: 'ada' }
const PHASES = [{ name: 'loading' }, { name: 'planning' }]
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('the operation of a run', () => {
  let holdfast: Holdfast
  let operations: TenantOperations
  const troubles: unknown[] = []

  beforeEach(async () => {
    holdfast = createHoldfast({
      auth: { secret: 'nobody comes here, it is only asked'.repeat(2) },
      environment: 'development',
      log: LOG,
    })
    operations = holdfast.tenant('fill').operations
    await operations.create(SPEC)
    troubles.length = 0
  })

  afterEach(() => holdfast.close())

  const begun = (through: TenantOperations, clock: Clock = systemClock, id: string = 'run'): Promise<RunOperation> =>
    beginOperation(id, () => Promise.resolve({ ...SPEC, id, phases: PHASES }), {
      operations: through,
      clock,
      onStop: () => undefined,
      onTrouble: (error) => void troubles.push(error),
    })

  /** What the operation becomes between a look at it and the attempt. */
  let becomes: () => Promise<unknown>
  const endedBeforeAttempt = {
    get: (id: string) => operations.get(id),
    async attempt(...asked: Parameters<TenantOperations['attempt']>) {
      await becomes()
      return operations.attempt(...asked)
    },
  } as TenantOperations

  it.each([
    ['cancelled', () => operations.end('run', { state: 'cancelled' })],
    ['lost', () => operations.end('run', { state: 'failed', error: { code: 'x', message: 'x' } })],
  ] as const)('is not begun where it ends in the same moment, which is no trouble: %s', async (why, end) => {
    becomes = end
    const stopped = (await begun(endedBeforeAttempt).catch((error: unknown) => error)) as RunStopped
    expect(stopped).toMatchObject({ name: 'RunStopped', why })
    expect(troubles).toEqual([])
  })

  it('tells the newest of what comes faster than it can be told, whatever it is counted in', async () => {
    const operation = await begun(operations)
    operation.progress({ unit: 'lots', done: 1, total: 4 })
    operation.progress({ unit: 'lots', done: 2, total: 4, message: 'placed' })
    operation.progress({ unit: 'percent', done: 75, total: 100 })
    await vi.waitFor(async () => expect((await operations.get('run'))?.progress.percent).toBe(75))
    await operation.leave()
    expect(troubles).toEqual([])
  })

  /** Looks and heartbeats without waiting for seconds. */
  const hasty: Clock = { ...systemClock, every: (ms, work) => systemClock.every(ms / 50, work) }

  it('is begun as soon as it can be where it could not be at first, and goes on with the step that was reached', async () => {
    let isAway = true
    const away = {
      create: (spec) => operations.create(spec),
      get: (id: string) => operations.get(id),
      heartbeat: (...asked) => operations.heartbeat(...asked),
      report: (...asked) => operations.report(...asked),
      attempt: (...asked) => (isAway ? Promise.reject(new Error('away')) : operations.attempt(...asked)),
    } as TenantOperations
    const operation = await begun(away, hasty, 'other')
    operation.phase('planning')
    isAway = false
    const step = async (): Promise<unknown> => (await operations.get('other'))?.progress.phase?.name
    await vi.waitFor(async () => expect(await step()).toBe('planning'), 10_000)
    await operation.leave()
    expect(troubles.map(String)).toEqual(['Error: away'])
  })

  it('is not asked by more and more where it does not answer, which is told once', async () => {
    let asked = 0
    let hasWord = false
    const silent = {
      attempt: (...of) => operations.attempt(...of),
      heartbeat: () => Promise.reject(new Error('away')),
      get: (id: string) => {
        asked += 1
        return hasWord ? new Promise<undefined>(() => undefined) : operations.get(id)
      },
    } as Partial<TenantOperations> as TenantOperations
    const operation = await begun(silent, hasty)
    hasWord = true
    const before = asked
    let beats = 0
    const undo = hasty.every(300, () => void (beats += 1))
    await vi.waitFor(() => expect(beats).toBeGreaterThan(20), 10_000)
    undo()
    await operation.leave()
    expect(asked - before).toBeLessThanOrEqual(1)
    expect(troubles).toHaveLength(1)
  })
})
