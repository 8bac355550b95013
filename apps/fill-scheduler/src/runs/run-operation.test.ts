import { type Holdfast, type TenantOperations, createHoldfast } from '@holdfast/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../clock.js'
import { type RunOperation, type RunStopped, beginOperation } from './run-operation.js'

const SPEC = { id: 'run', kind: 'schedule', owner: 'ada' }
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

  const begun = (through: TenantOperations): Promise<RunOperation> =>
    beginOperation('run', () => Promise.resolve(SPEC), {
      operations: through,
      clock: systemClock,
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
})
