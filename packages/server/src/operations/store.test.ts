import type { OperationSnapshot } from '@holdfast/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import type { OperationRecord } from './record.js'
import { recordOf } from './spec.js'
import { OperationStore, isOperationId, operationChannel } from './store.js'

const AT = '2026-01-01T00:00:00.000Z'
const RETENTION = { runningMs: 60_000, completedMs: 60_000, failedMs: 60_000 }

let store: OperationStore

beforeEach(() => {
  store = new OperationStore(new MemoryEngine(), RETENTION, 1_024)
})

const snapshot = (version: number, changes: Partial<OperationSnapshot> = {}): OperationSnapshot => ({
  id: 'import-1',
  kind: 'import',
  owner: 'ada',
  tenant: 'acme',
  state: 'running',
  attempt: 1,
  version,
  progress: { done: 0 },
  elapsed: 0,
  updatedAt: AT,
  ...changes,
})

const record = (version: number, changes: Partial<OperationSnapshot> = {}): OperationRecord => ({
  ...recordOf(
    'acme',
    'import-1',
    { kind: 'import', owner: 'ada', sharedWith: ['bob'] },
    { now: 0, leaseMs: 30_000, stamp: 's' },
  ),
  snapshot: snapshot(version, changes),
})

const write = (version: number, changes: Partial<OperationSnapshot> = {}): Promise<boolean> =>
  store.write(record(version, changes), 'progress', Date.parse(AT))

describe('the store of operations', () => {
  it('reads what was written, whom it is shared with included', async () => {
    expect(await store.read('acme', 'import-1')).toBeUndefined()
    expect(await write(1)).toBe(true)
    expect(await store.read('acme', 'import-1')).toEqual(record(1))
    expect(await store.read('other', 'import-1')).toBeUndefined()
  })

  it('takes each version once: of two writers one is told to look again', async () => {
    expect(await Promise.all([write(1), write(1)])).toEqual([true, false])
    expect(await write(3)).toBe(false)
    expect(await write(2)).toBe(true)
  })

  it('T-124 refuses a snapshot of one byte more than a message holds', async () => {
    expect(await write(1)).toBe(true)
    const bytes = Buffer.byteLength(JSON.stringify(snapshot(2, { label: '' })))
    await expect(write(2, { label: 'x'.repeat(1_025 - bytes) })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: 'the snapshot with its result must be at most 1024 bytes',
    })
    expect(await write(2, { label: 'x'.repeat(1_024 - bytes) })).toBe(true)
  })

  it('keeps a quarter of a message for what happens after the beginning', async () => {
    const bytes = Buffer.byteLength(JSON.stringify(snapshot(1, { label: '' })))
    await expect(write(1, { label: 'x'.repeat(769 - bytes) })).rejects.toMatchObject({ code: 'limit_exceeded' })
    expect(await write(1, { label: 'x'.repeat(768 - bytes) })).toBe(true)
  })
})

describe('the id of an operation', () => {
  it.each(['a', 'import-1', 'a.b_c@e~f+g=h', 'x'.repeat(128)])('may be %j', (id) => {
    expect(isOperationId(id)).toBe(true)
    expect(operationChannel(id)).toBe(`operation:${id}`)
  })

  it.each(['', '.', '..', 'a:b', 'a b', 'a/b', 'é', 'a\n', 'x'.repeat(129)])('is not %j', (id) =>
    expect(isOperationId(id)).toBe(false),
  )
})
