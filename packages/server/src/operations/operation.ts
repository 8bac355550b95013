import {
  type OperationEvent,
  type OperationProgress,
  type OperationSnapshot,
  type OperationState,
  type TerminalState,
  describeIssue,
  encodeData,
  isTerminal,
  operationSnapshot,
} from '@holdfast/protocol'
import { type Cancel, type Clock, timestamp } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { OperationSpec } from './desk.js'
import { type Eta, Meter, etaOf } from './meter.js'
import { Progress, type ProgressReport } from './progress.js'
import type { OperationStore } from './store.js'
import { mayBecome } from './transitions.js'

/** The reason of an operation's `AbortSignal`: somebody asked for it to stop. */
export class OperationCancelled extends Error {
  readonly code = 'operation_cancelled'

  constructor(id: string) {
    super(`operation ${id} was cancelled`)
    this.name = 'OperationCancelled'
  }
}

/** What an operation needs of its surroundings. */
export interface OperationEnvironment {
  readonly clock: Clock
  readonly store: OperationStore
  /** Milliseconds between updates that may be held back. */
  readonly conflateMs: number
  /** The operation has ended and takes no more reports. */
  readonly onEnd: (operation: Operation) => void
  readonly onError: (error: unknown) => void
}

interface Ending {
  readonly state: TerminalState
  readonly result?: unknown
  readonly error?: NonNullable<OperationSnapshot['error']>
}

/** What the next snapshot says that the one before did not. */
type Change = Omit<Ending, 'state'> & { readonly state: OperationState; readonly progress: OperationProgress }

/** How often a write that met another writer is tried again. */
const WRITES_MAX = 10

/** A running operation in the hands of its worker. Reports are gathered and told five times a second; phases and the end at once. */
export class Operation {
  readonly id: string
  readonly #environment: OperationEnvironment
  readonly #abort = new AbortController()
  readonly #progress: Progress
  readonly #sharedWith: readonly string[]
  readonly #overall: Meter
  #units: Meter
  #snapshot: OperationSnapshot
  #ending: Ending | undefined
  #ended: Promise<void> | undefined
  #held: Cancel | undefined
  #toldAt = 0
  #writing: Promise<void> = Promise.resolve()
  /** The last update, while it waits for its turn and may still be replaced. */
  #waiting: { change: Change } | undefined

  /** Use `Operations.start`. */
  constructor(environment: OperationEnvironment, tenant: string, id: string, spec: OperationSpec) {
    const now = environment.clock.now()
    this.id = id
    this.#environment = environment
    this.#sharedWith = spec.sharedWith ?? []
    this.#progress = new Progress(spec.phases ?? [], {
      ...(spec.total !== undefined && { total: spec.total }),
      ...(spec.unit && { unit: spec.unit }),
    })
    this.#overall = new Meter(now)
    this.#units = new Meter(now)
    this.#snapshot = {
      id,
      kind: spec.kind,
      ...(spec.label !== undefined && { label: spec.label }),
      owner: spec.owner,
      tenant,
      state: 'running',
      attempt: 1,
      version: 0,
      progress: this.#progress.snapshot(),
      elapsed: 0,
      startedAt: timestamp(now),
      updatedAt: timestamp(now),
      ...(spec.metadata && { metadata: plainCopy(spec.metadata) as Record<string, unknown> }),
    }
  }

  /** What watchers see, as of the last update told. */
  get snapshot(): OperationSnapshot {
    return this.#snapshot
  }

  /** Aborted with an `OperationCancelled` when somebody asks for the operation to stop. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** `units` more are done (default 1). */
  advance(units: number = 1, detail: Pick<ProgressReport, 'item' | 'message'> = {}): void {
    this.report({ ...detail, done: this.#progress.done + units })
  }

  /**
   * Says how far the work is. Ignored once the operation has ended.
   *
   * @throws HoldfastError `bad_request` for numbers that are negative or not finite.
   */
  report(report: ProgressReport): void {
    this.#progress.report(report)
    const now = this.#environment.clock.now()
    this.#units.observe(now, this.#progress.done)
    this.#overall.observe(now, this.#progress.fraction)
    if (this.#ending === undefined) this.#tellSoon()
  }

  /** The next phase begins; it is told at once. */
  phase(name: string, start: ProgressReport = {}): void {
    this.#progress.enter(name, start)
    this.#units = new Meter(this.#environment.clock.now(), this.#progress.done)
    if (this.#ending === undefined) this.#tell('phase')
  }

  /** Ends well. Resolves when it is stored and told; saying the same again is accepted, saying another end is refused. */
  async complete(result?: unknown): Promise<void> {
    return this.#end({ state: 'completed', ...(result !== undefined && { result: plainCopy(result) }) })
  }

  /** Ends badly, with the code and message of `error`. */
  fail(error: unknown, options: { retryable?: boolean } = {}): Promise<void> {
    return this.#end({ state: 'failed', error: describeError(error, options.retryable ?? false) })
  }

  /** The worker has stopped because it was asked to. */
  cancelled(): Promise<void> {
    return this.#end({ state: 'cancelled' })
  }

  /** Asks the worker to stop, and tells the watchers; false when the operation has ended. */
  requestCancel(): boolean {
    if (this.#ending !== undefined) return false
    if (this.#snapshot.cancelRequested) return true
    this.#noteCancel()
    this.#tell('progress')
    return true
  }

  /** Somebody asked for it on another node, and has told the watchers: the worker is told. */
  heardCancel(): void {
    if (this.#ending === undefined && !this.#snapshot.cancelRequested) this.#noteCancel()
  }

  /** Tells of the start. @throws HoldfastError `already_ended` or `bad_request` when the id is in use. */
  async announce(): Promise<void> {
    const first = this.#next({ state: 'running', progress: this.#progress.snapshot() })
    const issue = operationSnapshot.check(first, '')
    if (issue) throw new HoldfastError('bad_request', describeIssue(issue))
    if (!(await this.#environment.store.write({ snapshot: first, sharedWith: this.#sharedWith }, 'started'))) {
      throw new HoldfastError('bad_request', `id must be new, an operation ${JSON.stringify(this.id)} exists`)
    }
    // Somebody may have asked for it to stop before this answer came.
    const { cancelRequested } = this.#snapshot
    this.#snapshot = cancelRequested ? { ...first, cancelRequested } : first
    this.#toldAt = this.#environment.clock.now()
  }

  #end(ending: Ending): Promise<void> {
    if (this.#ending !== undefined) return this.#repeat(ending)
    if (!mayBecome(this.#snapshot.state, ending.state)) return Promise.reject(new HoldfastError('already_ended'))
    this.#ending = ending
    this.#held?.()
    this.#ended = this.#enqueue(() => this.#writeEnd(ending))
    return this.#ended
  }

  /** Asks the worker to stop, and does not wait for it: the node is going away. */
  abandon(error: Error): Promise<void> {
    if (!this.#abort.signal.aborted) this.#abort.abort(new OperationCancelled(this.id))
    return this.fail(error, { retryable: true })
  }

  async #writeEnd(ending: Ending): Promise<void> {
    try {
      if (ending.state === 'completed')
        await this.#write('completed', { ...ending, progress: this.#progress.finished() })
      else await this.#writeBadEnd(ending)
    } catch (error) {
      // Until it is stored it has not ended: the worker may try again, with a smaller result, say. Unless another has ended it.
      if (error instanceof HoldfastError && error.code === 'already_ended') this.#environment.onEnd(this)
      else this.#ending = undefined
      throw error
    }
    this.#environment.onEnd(this)
  }

  /** An end that brings no result must find room in a message: where it does not, what only adorns the snapshot goes. */
  async #writeBadEnd(ending: Ending): Promise<void> {
    const progress = this.#progress.snapshot()
    try {
      await this.#write(ending.state, { ...ending, progress })
    } catch (error) {
      if (!(error instanceof HoldfastError && error.code === 'limit_exceeded')) throw error
      const { metadata: _metadata, ...kept } = this.#snapshot
      const { item: _item, message: _message, ...bare } = progress
      this.#snapshot = kept
      await this.#write(ending.state, { ...ending, progress: bare })
    }
  }

  #repeat(ending: Ending): Promise<void> {
    const same = this.#ending?.state === ending.state && JSON.stringify(this.#ending) === JSON.stringify(ending)
    return same && this.#ended ? this.#ended : Promise.reject(new HoldfastError('already_ended'))
  }

  #tellSoon(): void {
    if (this.#held !== undefined) return
    const wait = this.#toldAt + this.#environment.conflateMs - this.#environment.clock.now()
    if (wait <= 0) return this.#tell('progress')
    this.#held = this.#environment.clock.after(wait, () => this.#tell('progress'))
  }

  #tell(event: OperationEvent): void {
    this.#held?.()
    this.#held = undefined
    this.#toldAt = this.#environment.clock.now()
    // As of now: by the time of its turn to be written the work may be in another phase.
    const change: Change = { state: 'running', progress: this.#progress.snapshot() }
    if (event === 'progress' && this.#waiting !== undefined) {
      // The engine takes longer than updates come: only the newest is worth its turn.
      this.#waiting.change = change
      return
    }
    const update = { change }
    this.#waiting = event === 'progress' ? update : undefined
    this.#enqueue(() => this.#writeUpdate(event, update)).catch(this.#environment.onError)
  }

  #writeUpdate(event: OperationEvent, update: { change: Change }): Promise<void> {
    if (this.#waiting === update) this.#waiting = undefined
    return this.#ending === undefined ? this.#write(event, update.change) : Promise.resolve()
  }

  /** One write at a time, in the order they were asked for. */
  #enqueue(write: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(write)
    this.#writing = done.catch(() => undefined)
    return done
  }

  async #write(event: OperationEvent, change: Change): Promise<void> {
    for (let tries = 0; tries < WRITES_MAX; tries += 1) {
      const snapshot = this.#next(change)
      if (await this.#environment.store.write({ snapshot, sharedWith: this.#sharedWith }, event)) {
        this.#snapshot = snapshot
        return
      }
      await this.#catchUp()
    }
    throw new HoldfastError('engine_unavailable', 'the operation could not be written')
  }

  /** Somebody else wrote: takes over what they said. */
  async #catchUp(): Promise<void> {
    const stored = await this.#environment.store.read(this.#snapshot.tenant, this.id)
    if (stored === undefined) {
      this.#snapshot = { ...this.#snapshot, version: 0 }
      return
    }
    const { snapshot } = stored
    if (isTerminal(snapshot.state)) throw new HoldfastError('already_ended')
    this.#snapshot = { ...this.#snapshot, version: snapshot.version }
    if (snapshot.cancelRequested) this.#noteCancel()
  }

  #noteCancel(): void {
    this.#snapshot = { ...this.#snapshot, cancelRequested: true }
    if (!this.#abort.signal.aborted) this.#abort.abort(new OperationCancelled(this.id))
  }

  #next({ state, progress, result, error }: Change): OperationSnapshot {
    const now = this.#environment.clock.now()
    const { rate: _rate, eta: _eta, ...kept } = this.#snapshot
    return {
      ...kept,
      state,
      version: kept.version + 1,
      progress,
      elapsed: Math.round(now - Date.parse(kept.startedAt ?? kept.updatedAt)) / 1000,
      updatedAt: timestamp(now),
      ...(isTerminal(state) ? { endedAt: timestamp(now) } : this.#outlook(now)),
      ...(result !== undefined && { result }),
      ...(error && { error }),
    }
  }

  #outlook(now: number): { rate?: number; eta?: Eta } {
    const units = this.#units.pace(now)
    const overall = this.#overall.pace(now)
    const eta = overall && etaOf(1 - this.#progress.fraction, overall)
    return { ...(units && { rate: Math.round(units.rate * 100) / 100 }), ...(eta && { eta }) }
  }
}

/** The value as watchers get it. @throws UnserialisableError naming the path. */
function plainCopy(value: unknown): unknown {
  return JSON.parse(encodeData(value))
}

function describeError(error: unknown, retryable: boolean): NonNullable<Ending['error']> {
  const { code, message } = readError(error)
  return { code: typeof code === 'string' ? code.slice(0, 64) : 'failed', message: message.slice(0, 1024), retryable }
}

/** Total: an operation has to end, whatever was thrown. */
function readError(error: unknown): { code: unknown; message: string } {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code
    return { code, message: String(error instanceof Error ? error.message : error) }
  } catch {
    return { code: undefined, message: 'an error that cannot be read' }
  }
}
