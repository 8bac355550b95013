import { setMaxListeners } from 'node:events'
import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Logger, OperationEnding, OperationSpec, TenantOperations } from '@holdfast/server'
import type { Clock } from '../clock.js'
import type { Comparison, Room, Run, RunEnd, RunStatus, Schedule, Store, StoredResult } from '../store/store.js'
import type { Changes } from './changes.js'
import { planRun } from './plan-run.js'
import { RunStopped, beginOperation, endOperation, ensureOperation, isRefusal } from './run-operation.js'
import { type RunHand, RunQueue } from './run-queue.js'
import { OPERATION_KINDS, comparisonSpec, contenderSpec, scheduleSpec } from './run-specs.js'

/** What a desk works with. */
export interface RunDeskParts {
  readonly store: Store
  readonly operations: TenantOperations
  readonly changes: Changes
  readonly clock: Clock
  readonly log: Logger
  /** Names this program among those that share the store. */
  readonly runner: string
  readonly atATime?: number
  readonly leaseMs?: number
  readonly isAlone?: boolean
}

/** A schedule or a comparison, and whose it is. */
export interface RunOwner {
  readonly kind: 'schedule' | 'comparison'
  readonly userId: string
  readonly id: string
}

/** How often operations are compared with the store, and after how long when an end could not be told. */
const COMPARE_MS = 30_000
const COMPARE_SOON_MS = 2_000
const WATCH_MS = 3_600_000
const PAGE_MAX = 100
const OPEN = ['queued', 'running', 'waiting', 'stalled'] as const

/**
 * Everything that happens to runs: they are handed in, worked on, cancelled, deleted. The store is the truth and is written first; operations and
 * channels follow it, also after a server has died between the two.
 */
export class RunDesk {
  readonly #parts: RunDeskParts
  readonly #queue: RunQueue
  readonly #watched = new Set<string>()
  readonly #closing = new AbortController()
  #undo: (() => void) | undefined
  #soon: (() => void) | undefined

  constructor(parts: RunDeskParts) {
    const { store, clock, log, runner, atATime, leaseMs, isAlone } = parts
    this.#parts = parts
    // One for each operation that is watched.
    setMaxListeners(0, this.#closing.signal)
    this.#queue = new RunQueue({
      runs: store.runs,
      clock,
      log,
      runner,
      ...(atATime !== undefined && { atATime }),
      ...(leaseMs !== undefined && { leaseMs }),
      ...(isAlone !== undefined && { isAlone }),
      work: (hand) => this.#work(hand),
      onEnd: async (run, end) => void (end && (await this.#ended(run, end))),
      onUnsure: () => this.#compareSoon(),
    })
  }

  /** Work begins, with what was left by servers that died. */
  start(): void {
    this.#undo ??= this.#parts.clock.every(COMPARE_MS, () => void this.#compare())
    this.#queue.start()
    void this.#compare()
  }

  /** Runs that are worked on here are left to others, or to the next start. */
  async close(): Promise<void> {
    this.#undo?.()
    this.#soon?.()
    this.#closing.abort()
    await this.#queue.close()
  }

  /** Stores a schedule with its run, which begins as soon as a place is free. Throws a `NoRoomError` where the user has as much as `room` says. */
  async submitSchedule(schedule: Schedule, room?: Room): Promise<void> {
    const { id, userId, strategy, mode, input } = schedule
    await this.#parts.store.schedules.create(schedule, { id, userId, scheduleId: id, strategy, mode, input }, room)
    await this.#announce(scheduleSpec(schedule))
    this.#begun({ kind: 'schedule', userId, id })
  }

  /** Stores a comparison with a run for the given order and one for each strategy; `room` as for schedules. */
  async submitComparison(comparison: Omit<Comparison, 'results'>, room?: Room): Promise<void> {
    const { id, userId, strategies, mode, input } = comparison
    const runs = (['given', ...strategies] as const).map((strategy) => ({
      ...{ id: `${id}.${strategy}`, userId, comparisonId: id, strategy, mode, input },
    }))
    await this.#parts.store.comparisons.create(comparison, runs, room)
    await this.#announce(comparisonSpec(comparison))
    for (const run of runs) await this.#announce(contenderSpec(run))
    this.#begun({ kind: 'comparison', userId, id })
  }

  /** Whether an operation of this id has ended: also of one that was deleted, for as long as Holdfast remembers it. */
  async hasEnded(id: string): Promise<boolean> {
    const asked = this.#parts.operations.get(id)
    const snapshot = await asked.catch((error: unknown) => this.#trouble('an operation could not be looked for', error))
    return snapshot !== undefined && isTerminal(snapshot.state)
  }

  /** Cancels what has not ended. False when there was nothing. */
  async cancel(owner: RunOwner): Promise<boolean> {
    const { store, clock } = this.#parts
    const end: RunEnd = { status: 'cancelled', at: new Date(clock.now()).toISOString() }
    const open = await store.runs.open(
      owner.kind === 'schedule' ? { scheduleId: owner.id } : { comparisonId: owner.id },
    )
    const cancelled = open.filter(({ userId }) => userId === owner.userId).map((run) => this.#cancelRun(run, end))
    return (await Promise.all(cancelled)).includes(true)
  }

  /** Deletes with everything that belongs to it; what runs is cancelled. False when there is no such thing. */
  async delete({ kind, userId, id }: RunOwner): Promise<boolean> {
    const { store, changes } = this.#parts
    await this.cancel({ kind, userId, id })
    await this.#endLate(userId, id)
    const isDeleted = await (kind === 'schedule' ? store.schedules : store.comparisons).delete(userId, id)
    if (isDeleted) await changes.tell(userId, { kind, id, status: 'deleted' })
    return isDeleted
  }

  /** Ends all operations of a user whose account is gone, and by that the work on them: of what was handed in while it was closed nobody has ended a run. */
  async endAllOf(owner: string): Promise<void> {
    await this.#compare({ owner })
    // Who handed something in at the last moment may tell of it only now.
    this.#compareSoon()
  }

  /** Who has just ended it may not have told its operation: nothing is deleted whose operation goes on, and would be that of the next under the same key. */
  async #endLate(userId: string, id: string): Promise<void> {
    const asked = this.#parts.operations.get(id)
    const snapshot = await asked.catch((error: unknown) => this.#trouble('an operation could not be looked for', error))
    if (snapshot?.owner === userId && !isTerminal(snapshot.state)) await this.#compareOne(snapshot)
  }

  async #cancelRun(run: Run, end: RunEnd): Promise<boolean> {
    if (!(await this.#parts.store.runs.finish(run.id, undefined, end))) return false
    this.#queue.stopRun(run.id, new RunStopped('cancelled'))
    await this.#ended(run, end)
    return true
  }

  // What follows from what the store has

  /** An operation that cannot be begun now is begun with the run. */
  async #announce(spec: OperationSpec): Promise<void> {
    try {
      this.#watch((await ensureOperation(this.#parts.operations, spec)).id)
    } catch (error) {
      // Its comparison was cancelled in the same moment.
      if (!isRefusal(error, 'already_ended')) this.#trouble('an operation could not be begun', error)
    }
  }

  #begun({ kind, userId, id }: RunOwner): void {
    void this.#parts.changes.tell(userId, { kind, id, status: 'pending' })
    this.#queue.wake()
  }

  async #work({ run, signal, stop }: RunHand): Promise<StoredResult> {
    const { operations, clock } = this.#parts
    const onTrouble = (error: unknown): void => this.#trouble(`progress of run ${run.id} could not be told`, error)
    const operation = await beginOperation(run.id, () => this.#specOf(run), {
      operations,
      clock,
      onStop: stop,
      onTrouble,
    })
    try {
      if (run.comparisonId !== undefined) await operations.attempt(run.comparisonId).catch(ignore)
      await this.#parts.changes.tell(run.userId, { ...subjectOf(run), status: 'running' })
      const phase: typeof operation.phase = (name) => operation.phase(name)
      return await planRun(run, { signal, phase, progress: (progress) => operation.progress(progress) })
    } finally {
      await operation.leave()
    }
  }

  /** Its operation was never begun, or the engine has lost it. */
  async #specOf(run: Run): Promise<OperationSpec> {
    const { store, operations } = this.#parts
    const { id, userId, comparisonId } = run
    if (comparisonId === undefined) {
      const schedule = await store.schedules.get(userId, id)
      if (schedule === undefined) throw new RunStopped('lost')
      return scheduleSpec(schedule)
    }
    const comparison = await store.comparisons.get(userId, comparisonId)
    if (comparison === undefined) throw new RunStopped('lost')
    await ensureOperation(operations, comparisonSpec(comparison))
    return contenderSpec(run)
  }

  /** The store has the end of a run: its operation has it, too, and whoever watches is told. */
  async #ended(run: Run, end: RunEnd): Promise<void> {
    await this.#endOperation(run.id, endingOf(end))
    const { kind, id } = subjectOf(run)
    if (kind === 'comparison') await this.#settle(run.userId, id)
    else await this.#parts.changes.tell(run.userId, { kind, id, status: end.status })
  }

  async #settle(userId: string, id: string): Promise<void> {
    const { store, changes } = this.#parts
    const status = await store.comparisons.status(userId, id)
    if (status === undefined) return
    if (isOver(status)) await this.#endOperation(id, { ...endingOf({ status }), ...REGARDLESS })
    await changes.tell(userId, { kind: 'comparison', id, status })
  }

  /** What cannot be told now is told by the next comparison with the store. */
  async #endOperation(id: string, ending: OperationEnding): Promise<boolean> {
    return endOperation(this.#parts.operations, id, ending).catch((error: unknown) => {
      this.#trouble(`the end of operation ${id} could not be told`, error)
      this.#compareSoon()
      return false
    })
  }

  // What came by the operation alone

  /** Whoever cancels an operation that waits has ended it; the store has to follow. */
  #watch(id: string): void {
    if (this.#watched.has(id) || this.#closing.signal.aborted) return
    this.#watched.add(id)
    const wait = { version: 'end', timeoutMs: WATCH_MS, signal: this.#closing.signal } as const
    void this.#parts.operations
      .changed(id, wait)
      .then((snapshot) => (snapshot?.state === 'cancelled' ? this.#operationCancelled(snapshot) : undefined))
      .catch((error: unknown) => this.#trouble(`operation ${id} cannot be watched`, error))
      .finally(() => this.#watched.delete(id))
  }

  async #operationCancelled({ id, kind, owner, parent }: OperationSnapshot): Promise<void> {
    if (kind === 'schedule') await this.cancel({ kind, userId: owner, id })
    else if (kind === 'comparison') await this.cancel({ kind, userId: owner, id })
    else if (parent !== undefined) await this.#cancelContender(owner, parent, id)
  }

  async #cancelContender(userId: string, comparisonId: string, id: string): Promise<void> {
    const { store, clock } = this.#parts
    const run = (await store.runs.open({ comparisonId })).find((open) => open.id === id && open.userId === userId)
    if (run) await this.#cancelRun(run, { status: 'cancelled', at: new Date(clock.now()).toISOString() })
  }

  #compareSoon(): void {
    if (this.#closing.signal.aborted) return
    this.#soon ??= this.#parts.clock.after(COMPARE_SOON_MS, () => {
      this.#soon = undefined
      void this.#compare()
    })
  }

  /** Operations that go on although their runs have ended, or are gone, are ended like them. */
  async #compare(which: Compared = {}): Promise<void> {
    try {
      for (const kind of OPERATION_KINDS) await this.#compareAll(kind, which)
    } catch (error) {
      this.#trouble('operations could not be compared with the store', error)
      this.#compareSoon()
    }
  }

  async #compareAll(kind: (typeof OPERATION_KINDS)[number], which: Compared): Promise<void> {
    const { operations } = this.#parts
    let cursor: string | undefined
    do {
      const page = await operations.list({
        ...which,
        kind,
        states: OPEN,
        limit: PAGE_MAX,
        ...(cursor !== undefined && { cursor }),
      })
      for (const snapshot of page.operations) await this.#compareOne(snapshot)
      cursor = page.next
    } while (cursor !== undefined && !this.#closing.signal.aborted)
  }

  async #compareOne(snapshot: OperationSnapshot): Promise<void> {
    const status = await this.#statusOf(snapshot)
    if (status !== undefined && !isOver(status)) return this.#watch(snapshot.id)
    const found = status && (await this.#found(snapshot))
    const ending = found ? { ...endingOf(found), ...REGARDLESS } : ({ state: 'cancelled' } as const)
    // Nobody has told its end, then: whoever ended it died, or never learned that the store has it.
    if ((await this.#endOperation(snapshot.id, ending)) && found !== undefined) await this.#tellEnd(snapshot, found)
  }

  async #tellEnd({ id, kind, owner, parent }: OperationSnapshot, { status }: Ended): Promise<void> {
    if (kind === 'schedule') await this.#parts.changes.tell(owner, { kind, id, status })
    else await this.#settle(owner, parent ?? id)
  }

  /** What the store says of it, without its plans: there may be hundreds of them, and they are large. */
  async #statusOf({ id, kind, owner, parent }: OperationSnapshot): Promise<RunStatus | undefined> {
    const { schedules, comparisons } = this.#parts.store
    if (kind === 'schedule') return schedules.status(owner, id)
    if (kind === 'comparison' || parent === undefined) return comparisons.status(owner, id)
    return comparisons.status(owner, parent, id.slice(parent.length + 1) as Run['strategy'])
  }

  /** What the store has of it. */
  async #found({ id, kind, owner, parent }: OperationSnapshot): Promise<Ended | undefined> {
    const { schedules, comparisons } = this.#parts.store
    if (kind === 'schedule') return schedules.get(owner, id)
    const comparison = await comparisons.get(owner, parent ?? id)
    if (kind === 'comparison') return comparison
    return comparison?.results.find(({ strategy }) => id === `${comparison.id}.${strategy}`)
  }

  #trouble(what: string, error: unknown): undefined {
    const reason = error instanceof Error ? error.message : String(error)
    if (!this.#closing.signal.aborted) this.#parts.log.warn({ event: 'run.trouble', reason }, what)
  }
}

/** A comparison is as far as its runs, whatever their operations have been told so far. */
const REGARDLESS = { regardless: true } as const

const ignore = (): void => undefined

/** Whose operations are compared with the store (default: everybody's). */
interface Compared {
  readonly owner?: string
}

interface Ended {
  readonly status: RunStatus
  readonly error?: { readonly code: string; readonly message: string }
  readonly result?: StoredResult
}

function subjectOf({ scheduleId, comparisonId, id }: Run): { kind: 'schedule' | 'comparison'; id: string } {
  return comparisonId === undefined
    ? { kind: 'schedule', id: scheduleId ?? id }
    : { kind: 'comparison', id: comparisonId }
}

function isOver(status: RunStatus): boolean {
  return status !== 'pending' && status !== 'running'
}

/** As operations say it. Watchers get the figures; the plan itself is asked for. */
function endingOf({ status, error, result }: Ended): OperationEnding {
  if (status === 'cancelled') return { state: 'cancelled' }
  if (status === 'failed') return { state: 'failed', error: error ?? { message: 'the run failed' } }
  if (result === undefined) return { state: 'completed' }
  const { makespanHours, utilisationPercent, changeovers, lots } = result.statistics
  return {
    state: 'completed',
    result: { makespan: makespanHours, utilization: utilisationPercent, changeovers, lots_scheduled: lots },
  }
}
