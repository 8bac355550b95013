import { availableParallelism } from 'node:os'
import type { Logger } from '@holdfast/server'
import type { Clock } from '../clock.js'
import { InputError } from '../problem.js'
import { type Run, type RunEnd, type RunStore, StoreAwayError, type StoredResult } from '../store/store.js'
import { RunStopped } from './run-operation.js'

/** One run in the hands of this program. */
export interface RunHand {
  readonly run: Run
  /** Aborted with a `RunStopped` when it is to stop. */
  readonly signal: AbortSignal
  stop(stopped: RunStopped): void
}

/** What a queue works with. */
export interface RunQueueParts {
  readonly runs: RunStore
  readonly clock: Clock
  readonly log: Logger
  /** Names this program among those that share the store. */
  readonly runner: string
  /** Runs that are worked on at a time (default: one less than there are processors, at least 1). */
  readonly atATime?: number
  /** Milliseconds after which a run whose runner fell silent is taken up by another (default 15,000). */
  readonly leaseMs?: number
  /** Nobody else can be at work on these runs: what somebody has at the start was left by a program that is gone, and is taken up at once. */
  readonly isAlone?: boolean
  /** Works on a run; what it throws is how the run failed, or the reason of the signal. */
  readonly work: (hand: RunHand) => Promise<StoredResult>
  /** Told when the store has the end, or when nothing more is done with the run here (undefined). */
  readonly onEnd: (run: Run, end: RunEnd | undefined) => Promise<void>
  /** Told when the store may have an end that it did not acknowledge: it was cut off, and takes none any more. */
  readonly onUnsure: () => void
}

/** Times that a run is begun by servers that die of it: one that takes its server down with it must not do so for ever. */
export const ATTEMPTS_MAX = 3
/** How long nobody else takes a run up after its server was last heard of. */
export const LEASE_MS = 15_000
/** How often is looked for work that others brought or left. */
const LOOK_MS = 1_000
const SAVE_TRIES_MAX = 5
/** How long a store that is away is waited for by what has ended. */
const SAVE_FOR_MS = 600_000

/** Takes runs out of the store and works on them, some at a time. What a program that died had taken is taken up again. */
export class RunQueue {
  readonly #parts: RunQueueParts
  readonly #atATime: number
  readonly #leaseMs: number
  readonly #hands = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>()
  /** Of those, what was taken out of the store once more. */
  readonly #again = new Set<string>()
  #isTroubled = false
  #undo: (() => void) | undefined
  #isClosed = false
  #claiming: Promise<void> | undefined
  #isWoken = false

  constructor(parts: RunQueueParts) {
    this.#parts = parts
    this.#atATime = parts.atATime ?? Math.max(1, availableParallelism() - 1)
    this.#leaseMs = parts.leaseMs ?? LEASE_MS
  }

  /** Looks for work, now and from now on. */
  start(): void {
    this.#undo ??= this.#parts.clock.every(LOOK_MS, () => this.wake())
    if (this.#parts.isAlone === true) this.#claiming ??= this.#inherit().finally(() => this.#claimed())
    this.wake()
  }

  /** There may be work: it is looked for at once. */
  wake(): void {
    if (this.#isClosed) return
    this.#isWoken = true
    this.#claiming ??= this.#claim().finally(() => this.#claimed())
  }

  #claimed(): void {
    this.#claiming = undefined
    // Somebody may have called while the last look ended.
    if (this.#isWoken && this.#hands.size < this.#atATime) this.wake()
  }

  /** Stops a run, if it is worked on here. */
  stopRun(id: string, stopped: RunStopped): void {
    this.#hands.get(id)?.abort.abort(stopped)
  }

  /** Takes nothing more, stops what is worked on, and leaves it to others, who may have it at once. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#undo?.()
    this.#isWoken = false
    await this.#claiming
    for (const { abort } of this.#hands.values()) abort.abort(new RunStopped('leaving'))
    await Promise.all(Array.from(this.#hands.values(), ({ done }) => done))
  }

  async #inherit(): Promise<void> {
    await this.#parts.runs
      .inherit(this.#parts.runner, this.#at(-1))
      .catch((error: unknown) => this.#trouble('what an earlier program left waits until its lease has lapsed', error))
  }

  async #claim(): Promise<void> {
    while (this.#isWoken && this.#hands.size < this.#atATime) {
      this.#isWoken = false
      const lease = { runner: this.#parts.runner, now: this.#at(0), leaseUntil: this.#at(this.#leaseMs) }
      const [run] = await this.#next(lease)
      if (run === undefined) continue
      this.#isWoken = true
      // Who stood still for longer than a lease finds runs that lie in its own hands; they go on.
      if (this.#hands.has(run.id)) this.#again.add(run.id)
      else this.#take(run)
    }
  }

  /** What is free; trouble is told once until the store answers again. */
  async #next(lease: Omit<Parameters<RunStore['claim']>[0], 'limit'>): Promise<readonly Run[]> {
    try {
      const runs = await this.#parts.runs.claim({ ...lease, limit: 1 })
      this.#isTroubled = false
      return runs
    } catch (error) {
      if (!this.#isTroubled) this.#trouble('cannot look for runs', error)
      this.#isTroubled = true
      return []
    }
  }

  #take(run: Run): void {
    const abort = new AbortController()
    const stop = (stopped: RunStopped): void => abort.abort(stopped)
    const done = this.#run({ run, signal: abort.signal, stop })
      .catch((error: unknown) => this.#trouble(`run ${run.id} could not be ended`, error))
      .finally(() => {
        this.#hands.delete(run.id)
        this.wake()
      })
      .then(() => undefined)
    this.#hands.set(run.id, { abort, done })
  }

  async #run(hand: RunHand): Promise<void> {
    const { run } = hand
    const began = this.#parts.clock.monotonic()
    const end = await this.#endOf(hand)
    const isKept = end !== undefined && (await this.#save(run, end))
    if (isKept) this.#note(run, end, this.#parts.clock.monotonic() - began)
    // It was lost, and came back while it was being put down: others need not wait for its lease.
    if (this.#again.delete(run.id) && end === undefined)
      await this.#parts.runs.release(run.id, this.#parts.runner, this.#at(0))
    await this.#parts.onEnd(run, isKept ? end : undefined)
  }

  #note({ id, strategy, attempt }: Run, { status }: RunEnd, tookMs: number): void {
    this.#parts.log.info(
      { event: 'run.ended', run: id, strategy, attempt, status, tookMs: Math.round(tookMs) },
      'a run has ended',
    )
  }

  /** How the run ends; undefined: not here. */
  async #endOf(hand: RunHand): Promise<RunEnd | undefined> {
    const { run, signal } = hand
    if (run.attempt > ATTEMPTS_MAX)
      return this.#failed('run_abandoned', 'every server that worked on this run has died')
    const undo = this.#parts.clock.every(this.#leaseMs / 3, () => void this.#renew(hand))
    try {
      return { status: 'completed', result: await this.#parts.work(hand), at: this.#at(0) }
    } catch (error) {
      const stopped = error instanceof RunStopped ? error : (signal.reason as unknown)
      return stopped instanceof RunStopped ? await this.#stopped(run, stopped) : this.#failure(run, error)
    } finally {
      undo()
    }
  }

  async #stopped(run: Run, { why }: RunStopped): Promise<RunEnd | undefined> {
    if (why === 'cancelled') return { status: 'cancelled', at: this.#at(0) }
    if (why === 'leaving') await this.#parts.runs.release(run.id, this.#parts.runner, this.#at(0))
    return undefined
  }

  /** What nobody foresaw is told to the log alone. */
  #failure(run: Run, error: unknown): RunEnd {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
    if (error instanceof InputError) return this.#failed(error.code, error.message)
    this.#parts.log.error({ event: 'run.failed', run: run.id, code, reason: message }, 'a run failed')
    if (code === 'planning_out_of_memory') return this.#failed(code, 'planning needed more memory than it may use')
    if (code === 'invalid_plan') return this.#failed(code, 'the plan did not pass its check and was not kept')
    return this.#failed(
      typeof code === 'string' ? code : 'planning_failed',
      'planning failed; the log of the server says why',
    )
  }

  #failed(code: string, message: string): RunEnd {
    return { status: 'failed', error: { code, message }, at: this.#at(0) }
  }

  async #renew({ run, stop }: RunHand): Promise<void> {
    const isOurs = await this.#parts.runs
      .renew(run.id, this.#parts.runner, this.#at(this.#leaseMs))
      .catch((error: unknown) => this.#trouble(`the lease of run ${run.id} was not renewed`, error) ?? true)
    if (!isOurs) stop(new RunStopped('lost'))
  }

  /** Whether the store has taken this end, as far as is known. One that is away is waited for: it may have taken hours to come so far. After that the run is begun anew. */
  async #save(run: Run, end: RunEnd): Promise<boolean> {
    const until = this.#parts.clock.monotonic() + SAVE_FOR_MS
    for (let tries = 1; ; tries += 1) {
      try {
        // A plan is one whoever has the run by now: while the store was away its lease ran out.
        const runner = end.status === 'completed' ? undefined : this.#parts.runner
        const isTaken = await this.#parts.runs.finish(run.id, runner, end)
        if (!isTaken && tries > 1) this.#parts.onUnsure()
        return isTaken
      } catch (error) {
        const isAway = error instanceof StoreAwayError && this.#parts.clock.monotonic() < until
        if (this.#isClosed || (tries >= SAVE_TRIES_MAX && !isAway)) throw error
        if (tries === 1) this.#trouble(`the end of run ${run.id} was not saved yet`, error)
        await new Promise<void>((resolve) => void this.#parts.clock.after(LOOK_MS, resolve))
      }
    }
  }

  #at(inMs: number): string {
    return new Date(this.#parts.clock.now() + inMs).toISOString()
  }

  #trouble(what: string, error: unknown): undefined {
    this.#parts.log.warn({ event: 'run.trouble', reason: error instanceof Error ? error.message : String(error) }, what)
  }
}
