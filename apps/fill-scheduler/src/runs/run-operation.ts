import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import {
  HoldfastError,
  type OperationEnding,
  type OperationReport,
  type OperationSpec,
  type TenantOperations,
} from '@holdfast/server'
import type { Clock } from '../clock.js'
import type { PlanningProgress } from '../planning/strategy.js'
import type { PhaseName } from './run-specs.js'

/** Why a run stops before it has come to anything. */
export class RunStopped extends Error {
  /** `cancelled`: somebody asked for it. `lost`: another runner has it, or it was ended elsewhere. `leaving`: this program ends, and another takes it up. */
  readonly why: 'cancelled' | 'lost' | 'leaving'

  constructor(why: RunStopped['why']) {
    super(`the run was stopped: ${why}`)
    this.name = 'RunStopped'
    this.why = why
  }
}

/** What an operation of a run works with. */
export interface RunOperationParts {
  readonly operations: TenantOperations
  readonly clock: Clock
  /** Told once when the run is to stop. */
  readonly onStop: (stopped: RunStopped) => void
  /** Told what could not be reported: watchers see an older state for a while. */
  readonly onTrouble: (error: unknown) => void
}

/** How soon a cancel is noticed that came by another server. */
const LOOK_MS = 300
/** How often is said that the work goes on: a solver may have nothing to report for long. */
const HEARTBEAT_MS = 2_000

/**
 * One attempt at the operation of a run. The worker is named by its attempt and not held by the node, so that a server that ends leaves the
 * operation as it is, and the next one goes on with it.
 */
export class RunOperation {
  readonly #id: string
  readonly #begin: () => Promise<number>
  /** Undefined: the operation could not be begun. The run goes on, and it is tried again. */
  #attempt: number | undefined
  readonly #parts: RunOperationParts
  readonly #undo: (() => void)[]
  #phase: PhaseName | undefined
  #next: OperationReport | undefined
  #saying: Promise<void> | undefined
  #beating: Promise<void> | undefined
  #isLooking = false
  #isTroubled = false
  #isStopped = false

  /** Use `beginOperation`. */
  constructor(id: string, begin: () => Promise<number>, attempt: number | undefined, parts: RunOperationParts) {
    this.#id = id
    this.#begin = begin
    this.#attempt = attempt
    this.#parts = parts
    this.#undo = [
      parts.clock.every(LOOK_MS, () => void this.#look()),
      parts.clock.every(HEARTBEAT_MS, () => this.#heartbeat()),
    ]
  }

  /** The next step begins. What was to be said of the one before no longer matters. */
  phase(name: PhaseName): void {
    this.#phase = name
    this.#next = { phase: name }
    this.#saying ??= this.#say()
  }

  /** How far planning is; of what comes faster than it can be told, the newest. */
  progress(progress: PlanningProgress): void {
    const phase = this.#next?.phase
    // A report is whole: what one of before counted, perhaps in another unit, is not mixed into it.
    this.#next = { ...(phase !== undefined && { phase }), ...reportOf(progress) }
    this.#saying ??= this.#say()
  }

  /** No more is reported from here. */
  async leave(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo()
    this.#next = undefined
    // An attempt that is begun late would fence whoever has the run then.
    await Promise.all([this.#saying, this.#beating])
  }

  async #say(): Promise<void> {
    for (let report = this.#next; report !== undefined; report = this.#next) {
      this.#next = undefined
      await this.#told((attempt) => this.#parts.operations.report(this.#id, { ...report, attempt }))
    }
    this.#saying = undefined
  }

  /** One at a time: what does not answer is not asked by more and more. */
  #heartbeat(): void {
    const beat = (attempt: number): Promise<unknown> => this.#parts.operations.heartbeat(this.#id, { attempt })
    this.#beating ??= (this.#attempt === undefined ? this.#beginAgain() : this.#told(beat)).finally(() => {
      this.#beating = undefined
    })
  }

  async #beginAgain(): Promise<void> {
    try {
      this.#attempt = await this.#begin()
      this.#isTroubled = false
      if (this.#phase !== undefined && this.#undo.length > 0) this.phase(this.#phase)
    } catch (error) {
      if (error instanceof RunStopped && error.why !== 'leaving') this.#stop(error.why)
      else this.#trouble(error)
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const snapshot = await this.#parts.operations.get(this.#id)
      this.#isTroubled = false
      if (snapshot !== undefined) this.#seen(snapshot)
    } catch (error) {
      this.#trouble(error)
    } finally {
      this.#isLooking = false
    }
  }

  #seen({ cancelRequested, state, attempt }: OperationSnapshot): void {
    if (cancelRequested || state === 'cancelled') this.#stop('cancelled')
    else if (attempt > (this.#attempt ?? Infinity) || isTerminal(state)) this.#stop('lost')
  }

  async #told(say: (attempt: number) => Promise<unknown>): Promise<void> {
    try {
      if (this.#attempt !== undefined) await say(this.#attempt)
    } catch (error) {
      if (isRefusal(error, 'stale_report', 'already_ended')) await this.#look()
      else this.#trouble(error)
    }
  }

  /** Told once until something succeeds again: it is tried several times a second. */
  #trouble(error: unknown): void {
    if (!this.#isTroubled && this.#undo.length > 0) this.#parts.onTrouble(error)
    this.#isTroubled = true
  }

  #stop(why: 'cancelled' | 'lost'): void {
    if (this.#isStopped || this.#undo.length === 0) return
    this.#isStopped = true
    this.#parts.onStop(new RunStopped(why))
  }
}

/**
 * Begins the next attempt at the operation of a run, which is made by `spec` where there is none. Throws a `RunStopped` where it is not to be
 * worked on any more.
 */
export async function beginOperation(
  id: string,
  spec: () => Promise<OperationSpec>,
  parts: RunOperationParts,
): Promise<RunOperation> {
  const begin = (): Promise<number> => nextAttempt(id, spec, parts.operations)
  try {
    return new RunOperation(id, begin, await begin(), parts)
  } catch (error) {
    if (error instanceof RunStopped) throw error
    parts.onTrouble(error)
    return new RunOperation(id, begin, undefined, parts)
  }
}

async function nextAttempt(
  id: string,
  spec: () => Promise<OperationSpec>,
  operations: TenantOperations,
): Promise<number> {
  try {
    stopWhereOver((await operations.get(id)) ?? (await ensureOperation(operations, await spec())))
    return (await operations.attempt(id, { force: true })).attempt
  } catch (error) {
    // It may have ended since it was looked at.
    if (isRefusal(error, 'already_ended')) stopWhereOver(await operations.get(id))
    throw error
  }
}

function stopWhereOver(snapshot: OperationSnapshot | undefined): void {
  if (snapshot === undefined) return
  if (snapshot.cancelRequested || snapshot.state === 'cancelled') throw new RunStopped('cancelled')
  if (isTerminal(snapshot.state)) throw new RunStopped('lost')
}

/** Whether an operation refused with one of these codes. */
export function isRefusal(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof HoldfastError && codes.includes(error.code)
}

/** The operation of a specification: a new one, or the one that has its id, which another may have begun in the same moment. */
export async function ensureOperation(operations: TenantOperations, spec: OperationSpec): Promise<OperationSnapshot> {
  try {
    return await operations.create(spec)
  } catch (error) {
    const known = spec.id === undefined ? undefined : await operations.get(spec.id)
    if (known === undefined) throw error
    return known
  }
}

/** Solvers know no lots that are done, only how sure they are. */
function reportOf({ unit, done, total, bestHours, boundHours, message }: PlanningProgress): OperationReport {
  const best = bestHours === undefined ? [] : [`best ${bestHours.toFixed(2)} h`]
  const bound = boundHours === undefined ? [] : [`bound ${boundHours.toFixed(2)} h`]
  const text = [...(message === undefined ? [] : [message]), ...best, ...bound].join(', ')
  const amount = unit === 'lots' ? { done, total } : { percent: total === 0 ? 0 : Math.min(100, (100 * done) / total) }
  return { ...amount, ...(text !== '' && { message: text }) }
}

/** Ends an operation as its run has ended. False for one that has ended, or is not known: it is left as it is. */
export async function endOperation(
  operations: TenantOperations,
  id: string,
  ending: OperationEnding,
): Promise<boolean> {
  try {
    // What waits for a worker cannot be completed.
    if (ending.state === 'completed' && (await operations.get(id))?.state === 'queued') await operations.attempt(id)
    await operations.end(id, ending)
    return true
  } catch (error) {
    if (isRefusal(error, 'not_found', 'already_ended', 'stale_report')) return false
    throw error
  }
}
