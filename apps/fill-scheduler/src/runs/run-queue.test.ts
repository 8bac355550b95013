import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../clock.js'
import { openStore } from '../store/open-store.js'
import { type Run, type RunEnd, type RunStore, type Store, StoreAwayError } from '../store/store.js'
import { addSchedule, resultOf, userOf } from '../store/testing/samples.js'
import { RunStopped } from './run-operation.js'
import { RunQueue, type RunQueueParts } from './run-queue.js'

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** On a machine that may have much else to do. */
const waitFor = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 })

describe('a queue of runs', () => {
  let folder: string
  let store: Store
  let queue: RunQueue
  /** Runs that are worked on, each with what ends it. */
  const begun: { readonly id: string; end(): void; stop(stopped: RunStopped): void }[] = []
  const ended: [id: string, end: RunEnd['status'] | undefined][] = []
  let unsure = 0

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fill-queue-'))
    store = await openStore({ file: join(folder, 'store.db') })
    await store.migrate()
    for (const id of ['ada', 'bob', 'eve']) await store.users.create(userOf(id))
    begun.length = 0
    ended.length = 0
    unsure = 0
  })

  afterEach(async () => {
    await queue.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const started = (clock: Clock, atATime: number, leaseMs: number, more: Partial<RunQueueParts> = {}): RunQueue => {
    queue = new RunQueue({
      ...{ runs: store.runs, clock, log: LOG, runner: 'here', atATime, leaseMs, ...more },
      work: ({ run, signal, stop }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
          begun.push({ id: run.id, stop, end: () => resolve(resultOf(40)) })
        }),
      onEnd: async (run: Run, end) => void ended.push([run.id, end?.status]),
      onUnsure: () => void (unsure += 1),
    })
    queue.start()
    return queue
  }

  it('gives everybody a turn, however many runs somebody hands in', async () => {
    for (const [n, userId] of ['ada', 'ada', 'ada', 'bob', 'bob', 'eve'].entries())
      await addSchedule(store, { id: `${userId}-${n}`, userId, seconds: n })
    started(systemClock, 1, 60_000)
    for (let count = 1; count <= 6; count += 1) {
      await waitFor(() => expect(begun).toHaveLength(count))
      begun.at(-1)?.end()
    }
    const users = begun.map(({ id }) => id.replace('run-', '').slice(0, 3))
    expect(users).toEqual(['ada', 'bob', 'eve', 'ada', 'bob', 'ada'])
  })

  /** The store, but for what is named. */
  const storeBut = (other: Partial<RunStore>): RunStore => {
    const { runs } = store
    return {
      claim: (query) => runs.claim(query),
      inherit: (runner, at) => runs.inherit(runner, at),
      renew: (...asked) => runs.renew(...asked),
      release: (...asked) => runs.release(...asked),
      finish: (...asked) => runs.finish(...asked),
      open: (owner) => runs.open(owner),
      ...other,
    }
  }

  /** A store that counts the runs that were taken out of it. */
  const counting = (): { readonly runs: RunStore; taken: number } => {
    const counted = {
      taken: 0,
      runs: storeBut({
        claim: async (query) => {
          const runs = await store.runs.claim(query)
          counted.taken += runs.length
          return runs
        },
      }),
    }
    return counted
  }

  it('goes on with what it has after it stood still for longer than a lease, and ends it once', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    const counted = counting()
    let now = systemClock.now()
    // Nothing is renewed meanwhile.
    started({ ...systemClock, now: () => now, every: () => () => undefined }, 2, 1_000, { runs: counted.runs })
    await waitFor(() => expect(begun).toHaveLength(1))
    for (let times = 0; times < 4; times += 1) {
      now += 60_000
      queue.wake()
      await waitFor(() => expect(counted.taken).toBe(times + 2))
    }
    expect(begun).toHaveLength(1)
    // No server has died of it, however often that was.
    expect(await store.runs.open({ scheduleId: 's1' })).toMatchObject([{ attempt: 1 }])
    begun[0]?.end()
    await waitFor(() => expect(ended).not.toEqual([]))
    expect(ended).toEqual([['run-s1', 'completed']])
    expect(await store.schedules.get('ada', 's1')).toMatchObject({ status: 'completed' })
  })

  it('takes up at once what was left where nobody else can be at work, and else waits for the lease', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    const lease = { now: new Date(systemClock.now()).toISOString(), leaseUntil: '2999-01-01T00:00:00Z', limit: 1 }
    await store.runs.claim({ runner: 'gone', ...lease })
    await addSchedule(store, { id: 's2', userId: 'bob' })
    started(systemClock, 1, 60_000)
    await waitFor(() => expect(begun.map(({ id }) => id)).toEqual(['run-s2']))
    await queue.close()
    started(systemClock, 2, 60_000, { isAlone: true, runner: 'next' })
    await waitFor(() =>
      expect(
        begun
          .slice(1)
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(['run-s1', 'run-s2']),
    )
    expect(await store.runs.open({ scheduleId: 's1' })).toMatchObject([{ attempt: 2 }])
  })

  it('begins anew at once what came back while it was being put down', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    const counted = counting()
    let now = systemClock.now()
    started({ ...systemClock, now: () => now, every: () => () => undefined }, 2, 60_000, { runs: counted.runs })
    await waitFor(() => expect(begun).toHaveLength(1))
    now += 120_000
    queue.wake()
    await waitFor(() => expect(counted.taken).toBe(2))
    begun[0]?.stop(new RunStopped('lost'))
    await waitFor(() => {
      now += 10
      queue.wake()
      expect(begun).toHaveLength(2)
    })
  })

  /** A store whose word about ends is lost `times` times, after it has taken them or before. */
  const cutOff = (times: number, isAfter: boolean): RunStore => {
    let left = times
    const finish: RunStore['finish'] = async (...asked) => {
      if (left === 0) return store.runs.finish(...asked)
      left -= 1
      if (isAfter) await store.runs.finish(...asked)
      throw new StoreAwayError('cut off')
    }
    return storeBut({ finish })
  }

  /** Nobody waits for seconds. */
  const hasty: Clock = { ...systemClock, after: (ms, work) => systemClock.after(ms / 100, work) }

  it('keeps what has ended until a store that is away is back', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    started(hasty, 1, 60_000, { runs: cutOff(20, false) })
    await waitFor(() => expect(begun).toHaveLength(1))
    begun[0]?.end()
    await waitFor(() => expect(ended).toEqual([['run-s1', 'completed']]))
    expect(await store.schedules.get('ada', 's1')).toMatchObject({ status: 'completed' })
    expect([begun.length, unsure]).toEqual([1, 0])
  })

  it('keeps a plan also where another has the run by the time the store is back', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    started(hasty, 1, 60_000, { runs: cutOff(20, false) })
    await waitFor(() => expect(begun).toHaveLength(1))
    const now = new Date(systemClock.now() + 3_600_000).toISOString()
    await store.runs.claim({ runner: 'other', now, leaseUntil: '2999-01-01T00:00:00Z', limit: 1 })
    begun[0]?.end()
    await waitFor(() => expect(ended).toEqual([['run-s1', 'completed']]))
    expect(await store.schedules.get('ada', 's1')).toMatchObject({ status: 'completed' })
    expect(await store.runs.renew('run-s1', 'other', '2999-01-01T00:00:00Z')).toBe(false)
  })

  it('says so where the store may have an end that it did not acknowledge', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    started(hasty, 1, 60_000, { runs: cutOff(1, true) })
    await waitFor(() => expect(begun).toHaveLength(1))
    begun[0]?.end()
    await waitFor(() => expect(ended).toEqual([['run-s1', undefined]]))
    expect(unsure).toBe(1)
  })

  it('gives back what it has when it is closed, however often', async () => {
    await addSchedule(store, { id: 's1', userId: 'ada' })
    for (let times = 1; times <= 5; times += 1) {
      started(systemClock, 1, 60_000)
      await waitFor(() => expect(begun).toHaveLength(times))
      await queue.close()
      // A lease that ends in this millisecond has not lapsed in it.
      const later = systemClock.now() + 2
      await waitFor(() => expect(systemClock.now()).toBeGreaterThan(later))
    }
    started(systemClock, 1, 60_000)
    await waitFor(() => expect(begun).toHaveLength(6))
    begun.at(-1)?.end()
    await waitFor(() => expect(ended.at(-1)).toEqual(['run-s1', 'completed']))
  })
})
