import { type OperationSnapshot, isTerminal, operationSnapshot } from '@holdfast/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemRandom } from '../random.js'
import { SimulatedClock, settle } from '../simulated-clock.js'
import { type Operation, OperationCancelled } from './operation.js'
import { Operations, type WorkerSpec } from './operations.js'
import { OperationStore } from './store.js'

const BYTES_MAX = 16_384
const CONFLATE_MS = 200
const RETENTION = { runningMs: 60_000, completedMs: 60_000, failedMs: 600_000 }
const SPEC: WorkerSpec = { id: 'import-1', kind: 'import', owner: 'ada', total: 10 }

interface Told {
  readonly event: string
  readonly snapshot: OperationSnapshot
  readonly final: boolean
}

let clock: SimulatedClock
let engine: MemoryEngine
let operations: Operations
let errors: unknown[]
/** What the other nodes were to be told. */
let asked: string[]

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  errors = []
  asked = []
  operations = node()
})

/** A node that shares the engine with the others. */
function node(): Operations {
  return new Operations({
    engine,
    clock,
    random: systemRandom,
    node: systemRandom.id(6),
    retention: RETENTION,
    bytesMax: BYTES_MAX,
    conflateMs: CONFLATE_MS,
    leaseMs: 30_000,
    childrenMax: 10,
    feedRetention: undefined,
    onCancelAsked: (tenant, id) => void asked.push(`${tenant} ${id}`),
    onError: (error) => errors.push(error),
  })
}

/** Everything that watchers of an operation are told from now on. */
async function watch(id = 'import-1', tenant = 'acme'): Promise<Told[]> {
  const told: Told[] = []
  const ignore = (): void => undefined
  await engine.listen(
    { tenant, channel: `operation:${id}` },
    {
      message: (_, { event, data, final = false }) => told.push({ event, snapshot: JSON.parse(data) as never, final }),
      signal: ignore,
      members: ignore,
      rotated: ignore,
      uncertain: ignore,
    },
  )
  return told
}

const eventsOf = (told: readonly Told[]): string[] => told.map(({ event }) => event)
const start = (spec: Partial<WorkerSpec> = {}): Promise<Operation> => operations.start('acme', { ...SPEC, ...spec })
const stored = (id = 'import-1'): Promise<OperationSnapshot | undefined> => operations.get('acme', id)

/** Whatever is told fits the schema that clients check. */
function expectValid(told: readonly Told[]): void {
  for (const { snapshot } of told) expect(operationSnapshot.check(snapshot, '')).toBeUndefined()
}

describe('an operation', () => {
  it('tells its start, its progress and its end, with rising versions', async () => {
    const told = await watch()
    const operation = await start({ label: 'Nightly', unit: 'rows', metadata: { file: 'a.csv', at: new Date(0) } })
    await clock.pass(1_000)
    operation.advance(4, { item: 'row 4' })
    await clock.pass(1_000)
    operation.advance()
    await clock.pass(1_000)
    await operation.complete({ imported: 5 })
    expect(eventsOf(told)).toEqual(['started', 'progress', 'progress', 'completed'])
    expect(told.map(({ snapshot }) => snapshot.version)).toEqual([1, 2, 3, 4])
    expect(told.map(({ snapshot }) => snapshot.progress.percent)).toEqual([0, 40, 50, 100])
    expect(told.map(({ final }) => final)).toEqual([false, false, false, true])
    expect(told.at(-1)?.snapshot).toMatchObject({
      id: 'import-1',
      kind: 'import',
      label: 'Nightly',
      owner: 'ada',
      tenant: 'acme',
      state: 'completed',
      attempt: 1,
      elapsed: 3,
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:03.000Z',
      result: { imported: 5 },
      metadata: { file: 'a.csv', at: '1970-01-01T00:00:00.000Z' },
      progress: { done: 10, total: 10, unit: 'rows', item: 'row 4' },
    })
    expectValid(told)
    expect(await stored()).toEqual(told.at(-1)?.snapshot)
  })

  it('estimates its rate and its end while it runs, and not when it has ended', async () => {
    const told = await watch()
    const operation = await start({ total: 100 })
    for (let done = 0; done < 20; done += 1) {
      await clock.pass(500)
      operation.advance()
    }
    await clock.pass(CONFLATE_MS)
    const { rate, eta } = told.at(-1)?.snapshot ?? {}
    expect(rate).toBeCloseTo(2, 1)
    expect(eta?.seconds).toBeCloseTo(40, 0)
    await operation.complete()
    expect(told.at(-1)?.snapshot).not.toHaveProperty('eta')
    expect(told.at(-1)?.snapshot).not.toHaveProperty('rate')
  })

  it('T-120 is found by its tenant alone', async () => {
    await start()
    expect(await stored()).toMatchObject({ state: 'running' })
    expect(await operations.get('other', 'import-1')).toBeUndefined()
    expect(await stored('import-2')).toBeUndefined()
    expect(await stored('no such id!')).toBeUndefined()
  })

  it('gets an id when it is given none', async () => {
    const { id } = await operations.start('acme', { kind: 'nightly import!', owner: 'ada' })
    expect(id).toMatch(/^nightly-import--[\w-]{8}$/)
  })

  it.each<[string, Partial<WorkerSpec>, string]>([
    ['an id with a slash', { id: 'a/b' }, 'id must be 1 to 128 of A-Z'],
    ['an empty id', { id: '' }, 'id must be 1 to 128'],
    ['a long id', { id: 'x'.repeat(129) }, 'id must be 1 to 128'],
    ['no kind', { kind: '' }, 'kind must be 1 to 64 characters'],
    ['a long kind', { kind: 'x'.repeat(65) }, 'kind must be 1 to 64 characters'],
    ['an owner who cannot be a user', { owner: 'a\n' }, 'owner must be the name of a user'],
    ['a long label', { label: 'x'.repeat(257) }, 'label must be'],
    [
      'metadata of 65 members',
      { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [at, 1])) },
      'metadata must be',
    ],
    ['a negative total', { total: -1 }, 'total must be a number from 0'],
    ['a negative weight', { phases: [{ name: 'a', weight: -1 }] }, 'phases.weight must be'],
  ])('does not start with %s', async (_, spec, message) => {
    await expect(start(spec)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(message) as string,
    })
    expect(operations.size).toBe(0)
  })

  it('does not start with metadata larger than a message', async () => {
    await expect(start({ metadata: { text: 'x'.repeat(BYTES_MAX) } })).rejects.toMatchObject({ code: 'limit_exceeded' })
    expect(await stored()).toBeUndefined()
  })

  it('does not start under an id that is in use, and leaves the other alone', async () => {
    const first = await start()
    await expect(start()).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('"import-1" exists') as string,
    })
    await first.complete()
    await expect(start()).rejects.toMatchObject({ code: 'bad_request' })
    await expect(operations.start('other', SPEC)).resolves.toBeDefined()
  })

  it('shows a late comer where it is', async () => {
    const operation = await start()
    operation.advance(3)
    await clock.pass(CONFLATE_MS)
    const state = await engine.state({ tenant: 'acme', channel: 'operation:import-1' })
    const opening = operations.opening('operation:import-1', state?.value)
    expect(opening).toMatchObject({ event: 'progress', final: false })
    expect(JSON.parse(opening?.data ?? '')).toMatchObject({ state: 'running', progress: { percent: 30 } })
    await operation.fail(new Error('no'))
    const ended = await engine.state({ tenant: 'acme', channel: 'operation:import-1' })
    expect(operations.opening('operation:import-1', ended?.value)).toMatchObject({ event: 'failed', final: true })
  })

  it('opens no channel but its own', () => {
    expect(operations.opening('room:1', '{}')).toBeUndefined()
    expect(operations.opening('operation:1', undefined)).toBeUndefined()
  })
})

describe('updates', () => {
  it('T-121 are told five times a second at most, and the last is always told', async () => {
    const told = await watch()
    const operation = await start({ total: 1_000 })
    for (let done = 0; done < 1_000; done += 1) {
      operation.advance()
      await clock.pass(2)
    }
    await clock.pass(CONFLATE_MS)
    const progress = told.filter(({ event }) => event === 'progress')
    expect(progress.length).toBeLessThanOrEqual(11)
    expect(progress.length).toBeGreaterThanOrEqual(9)
    expect(progress.at(-1)?.snapshot.progress.done).toBe(1_000)
  })

  it('are told at once after a pause', async () => {
    const told = await watch()
    const operation = await start()
    await clock.pass(CONFLATE_MS)
    operation.advance()
    await settle()
    expect(eventsOf(told)).toEqual(['started', 'progress'])
  })

  it('never hold back a phase, and each tells of its own', async () => {
    const told = await watch()
    const operation = await start({ phases: [{ name: 'scan' }, { name: 'read' }, { name: 'write' }] })
    for (const name of ['scan', 'read', 'write']) operation.phase(name, { total: 2 })
    await settle()
    expect(told.map(({ event, snapshot }) => [event, snapshot.progress.phase?.name])).toEqual([
      ['started', undefined],
      ['phase', 'scan'],
      ['phase', 'read'],
      ['phase', 'write'],
    ])
  })

  it('never hold back the end, and come no more after it', async () => {
    const told = await watch()
    const operation = await start()
    operation.advance()
    await operation.complete()
    operation.advance()
    operation.phase('late')
    await clock.pass(CONFLATE_MS * 2)
    expect(eventsOf(told)).toEqual(['started', 'completed'])
  })
})

describe('run', () => {
  const run = <T>(work: (operation: Operation) => T | Promise<T>): Promise<T> => operations.run('acme', SPEC, work)

  it('completes with the result of the work, and answers it', async () => {
    const told = await watch()
    expect(await run(() => Promise.resolve({ imported: 3 }))).toEqual({ imported: 3 })
    expect(eventsOf(told)).toEqual(['started', 'completed'])
    expect(told.at(-1)?.snapshot.result).toEqual({ imported: 3 })
    expect(operations.size).toBe(0)
  })

  it('completes without a result', async () => {
    await run(() => undefined)
    expect(await stored()).not.toHaveProperty('result')
  })

  it('fails with the error of the work, and throws it', async () => {
    const error = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
    await expect(run(() => Promise.reject(error))).rejects.toBe(error)
    expect(await stored()).toMatchObject({
      state: 'failed',
      error: { code: 'ENOSPC', message: 'disk full', retryable: false },
    })
  })

  it.each<[string, unknown]>([
    ['text', 'oops'],
    ['nothing', undefined],
    ['null', null],
    ['an object without a prototype', Object.create(null)],
    ['a symbol', Symbol('s')],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 })],
    ['an error with a long message', new Error('x'.repeat(100_000))],
    [
      'an object that throws when it is read',
      {
        get code(): never {
          throw new Error('no')
        },
      },
    ],
  ])('fails when the work throws %s', async (_, thrown) => {
    const told = await watch()
    await expect(run(() => Promise.reject(thrown as Error))).rejects.toBe(thrown)
    expect(eventsOf(told)).toEqual(['started', 'failed'])
    expectValid(told)
  })

  it('is cancelled when the work stops because it was asked to', async () => {
    const told = await watch()
    const running = run(async ({ signal }) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    await settle()
    expect(await operations.requestCancel('acme', 'import-1')).toBe(true)
    await expect(running).rejects.toBeInstanceOf(OperationCancelled)
    expect(eventsOf(told)).toEqual(['started', 'progress', 'cancelled'])
    expect(await stored()).toMatchObject({ state: 'cancelled', cancelRequested: true })
  })

  it('completes when the work goes on to its end although it was asked to stop', async () => {
    await run(async () => {
      await operations.requestCancel('acme', 'import-1')
      return 'done anyway'
    })
    expect(await stored()).toMatchObject({ state: 'completed', cancelRequested: true, result: 'done anyway' })
  })

  it('fails when the work breaks for another reason after it was asked to stop', async () => {
    const error = new Error('broke')
    const running = run(async () => {
      await operations.requestCancel('acme', 'import-1')
      throw error
    })
    await expect(running).rejects.toBe(error)
    expect(await stored()).toMatchObject({ state: 'failed' })
  })

  it('leaves an end that the work chose itself', async () => {
    await run((operation) => operation.fail(new Error('chosen'), { retryable: true }))
    expect(await stored()).toMatchObject({ state: 'failed', error: { message: 'chosen', retryable: true } })
  })

  it.each<[string, unknown, string]>([
    [
      'cannot be encoded',
      {
        big: {
          get a(): never {
            throw new Error('no')
          },
        },
      },
      'unserialisable',
    ],
    ['is too large', 'x'.repeat(BYTES_MAX), 'limit_exceeded'],
  ])('fails, once, when the result %s', async (_, result, code) => {
    const told = await watch()
    await expect(run(() => result)).rejects.toMatchObject({ code })
    expect(eventsOf(told)).toEqual(['started', 'failed'])
    expect(told.at(-1)?.snapshot).toMatchObject({ error: { code }, progress: { percent: 0 } })
    expect(operations.size).toBe(0)
  })

  it('ends although its metadata and its progress leave no room in a message', async () => {
    const told = await watch()
    const metadata = { text: 'x'.repeat(BYTES_MAX - 2_400) }
    const work = operations.run('acme', { ...SPEC, metadata }, (operation) => {
      operation.report({ item: 'y'.repeat(1_024), message: 'z'.repeat(1_024) })
      throw new Error('€'.repeat(1_024))
    })
    await expect(work).rejects.toThrow('€€€')
    expect(eventsOf(told)).toEqual(['started', 'failed'])
    expect(told.at(-1)?.snapshot).not.toHaveProperty('metadata')
    expectValid(told)
  })
})

describe('the end of an operation', () => {
  it('may be said again', async () => {
    const told = await watch()
    const operation = await start()
    await Promise.all([operation.complete({ n: 1 }), operation.complete({ n: 1 })])
    await operation.complete({ n: 1 })
    expect(eventsOf(told)).toEqual(['started', 'completed'])
  })

  it('T-122 is final: another is refused and changes nothing', async () => {
    const operation = await start()
    await operation.complete({ n: 1 })
    const before = await stored()
    await expect(operation.complete({ n: 2 })).rejects.toMatchObject({ code: 'already_ended' })
    await expect(operation.fail(new Error('no'))).rejects.toMatchObject({ code: 'already_ended' })
    await expect(operation.cancelled()).rejects.toMatchObject({ code: 'already_ended' })
    expect(operation.requestCancel()).toBe(false)
    expect(await stored()).toEqual(before)
  })

  it('T-124 is a rejection, not an exception, when the result cannot be encoded', async () => {
    const operation = await start()
    await expect(operation.complete({ a: Number.NaN })).rejects.toMatchObject({ code: 'unserialisable' })
    await operation.complete()
    expect(await stored()).toMatchObject({ state: 'completed' })
  })

  it('may be tried again with a smaller result', async () => {
    const operation = await start()
    await expect(operation.complete('x'.repeat(BYTES_MAX))).rejects.toMatchObject({ code: 'limit_exceeded' })
    expect(operations.size).toBe(1)
    await operation.complete('small')
    expect(await stored()).toMatchObject({ state: 'completed', result: 'small' })
  })

  it('F-66 may come from elsewhere, and then the worker cannot write over it', async () => {
    const told = await watch()
    const operation = await start()
    const store = new OperationStore(engine, RETENTION, BYTES_MAX)
    const record = await store.read('acme', 'import-1')
    const snapshot: OperationSnapshot = { ...operation.snapshot, version: 2, state: 'expired' }
    if (record) await store.write({ ...record, snapshot }, 'expired', clock.now())
    operation.phase('unaware')
    await settle()
    expect(errors).toMatchObject([{ code: 'already_ended' }])
    await expect(operation.complete()).rejects.toMatchObject({ code: 'already_ended' })
    expect(operations.size).toBe(0)
    expect(eventsOf(told)).toEqual(['started', 'expired'])
    expect(await stored()).toEqual(snapshot)
  })

  it('F-66 comes exactly once for its watchers, whoever races whom', async () => {
    const act = fc.constantFrom(
      'complete',
      'complete other',
      'fail',
      'cancelled',
      'cancel here',
      'cancel there',
      'report',
      'phase',
      'wait',
    )
    let at = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), fc.scheduler(), async (acts, scheduler) => {
        const id = `race-${(at += 1)}`
        const elsewhere = node()
        const told = await watch(id)
        const operation = await start({ id })
        const tasks = acts.map((one) =>
          scheduler.schedule(Promise.resolve(one)).then(() => perform(one, operation, elsewhere)),
        )
        await scheduler.waitFor(Promise.all(tasks))
        await operation.complete().catch(() => undefined)
        await clock.pass(CONFLATE_MS)
        expect(told.filter(({ snapshot }) => isTerminal(snapshot.state))).toHaveLength(1)
        expect(told.filter(({ final }) => final)).toHaveLength(1)
        expect(isTerminal(told.at(-1)?.snapshot.state ?? 'running')).toBe(true)
        const versions = told.map(({ snapshot }) => snapshot.version)
        expect(versions).toEqual(versions.map((_, index) => index + 1))
        expect(await stored(id)).toEqual(told.at(-1)?.snapshot)
      }),
      { numRuns: 1_000 },
    )
    expect(errors.filter((error) => (error as { code?: string }).code !== 'already_ended')).toEqual([])
  })
})

async function perform(act: string, operation: Operation, elsewhere: Operations): Promise<void> {
  const refused = (error: unknown): void => expect(error).toMatchObject({ code: 'already_ended' })
  switch (act) {
    case 'complete':
      return operation.complete().catch(refused)
    case 'complete other':
      return operation.complete({ other: true }).catch(refused)
    case 'fail':
      return operation.fail(new Error('no')).catch(refused)
    case 'cancelled':
      return operation.cancelled().catch(refused)
    case 'cancel here':
      return void (await operations.requestCancel('acme', operation.id))
    case 'cancel there':
      return void (await elsewhere.requestCancel('acme', operation.id))
    case 'report':
      return operation.advance()
    case 'phase':
      return operation.phase('next')
    default:
      return clock.pass(CONFLATE_MS)
  }
}

describe('a request to cancel', () => {
  it('reaches the worker at once and is told', async () => {
    const told = await watch()
    const operation = await start()
    expect(await operations.requestCancel('acme', 'import-1')).toBe(true)
    expect(operation.signal.aborted).toBe(true)
    expect(operation.signal.reason).toMatchObject({
      code: 'operation_cancelled',
      message: 'operation import-1 was cancelled',
    })
    await settle()
    expect(told.at(-1)?.snapshot).toMatchObject({ state: 'running', cancelRequested: true })
  })

  it('is told once, however often it is made', async () => {
    const told = await watch()
    await start()
    for (let times = 0; times < 20; times += 1) expect(await operations.requestCancel('acme', 'import-1')).toBe(true)
    await settle()
    expect(eventsOf(told)).toEqual(['started', 'progress'])
  })

  it('made on another node reaches the worker with its next report', async () => {
    const operation = await start()
    expect(await node().requestCancel('acme', 'import-1')).toBe(true)
    expect(await node().requestCancel('acme', 'import-1')).toBe(true)
    expect(asked).toEqual(['acme import-1'])
    expect(operation.signal.aborted).toBe(false)
    await clock.pass(CONFLATE_MS)
    operation.advance()
    await settle()
    expect(operation.signal.aborted).toBe(true)
    expect(await stored()).toMatchObject({ cancelRequested: true, progress: { done: 1 } })
  })

  it('made on another node reaches the worker as soon as its node hears of it, and is told once', async () => {
    const told = await watch()
    const operation = await start()
    await node().requestCancel('acme', 'import-1')
    operations.cancelAsked('acme', 'import-1')
    operations.cancelAsked('acme', 'import-1')
    expect(operation.signal.reason).toMatchObject({ code: 'operation_cancelled' })
    await clock.pass(CONFLATE_MS * 2)
    expect(eventsOf(told)).toEqual(['started', 'progress'])
    await operation.cancelled()
    expect(await stored()).toMatchObject({ state: 'cancelled', cancelRequested: true })
    operations.cancelAsked('acme', 'import-1')
    operations.cancelAsked('other', 'import-1')
  })

  it('that comes before the answer to its start does reaches the worker', async () => {
    const publish = engine.publish.bind(engine)
    let answer = (): void => undefined
    engine.publish = async (request) => {
      engine.publish = publish
      const outcome = await publish(request)
      await new Promise<void>((resolve) => (answer = resolve))
      return outcome
    }
    const starting = operations.start('acme', SPEC)
    await settle()
    expect(await operations.requestCancel('other', 'import-1')).toBe(false)
    expect(await operations.requestCancel('acme', 'import-1')).toBe(true)
    answer()
    const operation = await starting
    expect(operation.signal.reason).toMatchObject({ code: 'operation_cancelled' })
    expect(operation.snapshot.cancelRequested).toBe(true)
    await operation.cancelled()
    expect(await stored()).toMatchObject({ state: 'cancelled', cancelRequested: true })
  })

  it('T-120 finds nothing that is unknown, ended, or of another tenant', async () => {
    const operation = await start()
    expect(await operations.requestCancel('acme', 'import-2')).toBe(false)
    expect(await operations.requestCancel('other', 'import-1')).toBe(false)
    await operation.complete()
    expect(await operations.requestCancel('acme', 'import-1')).toBe(false)
    expect(await node().requestCancel('acme', 'import-1')).toBe(false)
  })
})

describe('an owner', () => {
  it('is who began the operation, or whom it is shared with, in its tenant', async () => {
    await start({ sharedWith: ['bob'] })
    const isOwner = (user: string, tenant = 'acme', channel = 'operation:import-1'): Promise<boolean> =>
      operations.isOwner(tenant, channel, user)
    expect(await Promise.all([isOwner('ada'), isOwner('bob'), isOwner('eve')])).toEqual([true, true, false])
    expect(await isOwner('ada', 'other')).toBe(false)
    expect(await isOwner('ada', 'acme', 'room:import-1')).toBe(false)
    expect(await isOwner('ada', 'acme', 'operation:none')).toBe(false)
  })

  it('is not told to the watchers', async () => {
    const told = await watch()
    await start({ sharedWith: ['bob'] })
    expect(JSON.stringify(told)).not.toContain('bob')
  })
})

describe('a node that ends', () => {
  it('stops its operations and fails those that run on, so that they may be tried again', async () => {
    const told = await watch()
    const operation = await start()
    await operations.close()
    expect(operation.signal.aborted).toBe(true)
    expect(eventsOf(told)).toEqual(['started', 'failed'])
    expect(told.at(-1)?.snapshot.error).toEqual({
      code: 'server_shutdown',
      message: 'the node that ran this operation was shut down',
      retryable: true,
    })
    expect(operations.size).toBe(0)
  })
})

describe('what is kept', () => {
  it('of a completed operation goes after its time, of a failed one later', async () => {
    await (await start({ id: 'ok' })).complete()
    await (await start({ id: 'bad' })).fail(new Error('no'))
    clock.advance(59_999)
    expect(await stored('ok')).toBeDefined()
    clock.advance(1)
    expect(await stored('ok')).toBeUndefined()
    expect(await stored('bad')).toBeDefined()
    clock.advance(540_000)
    expect(await stored('bad')).toBeUndefined()
  })

  it('comes back with the next report when it went while the operation ran', async () => {
    const operation = await start()
    clock.advance(90_000)
    expect(await stored()).toBeUndefined()
    operation.advance(5)
    await settle()
    expect(await stored()).toMatchObject({ state: 'running', progress: { done: 5 } })
  })
})
