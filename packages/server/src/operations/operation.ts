import { type OperationSnapshot, encodeData, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { OperationEnding, OperationReport } from './desk.js'
import type { ProgressReport } from './progress.js'
import type { Ruling } from './ruling.js'
import { checkReport } from './word.js'
import type { Writer } from './writer.js'

/** The reason of an operation's `AbortSignal`: somebody asked for it to stop. */
export class OperationCancelled extends Error {
  readonly code = 'operation_cancelled'

  constructor(id: string) {
    super(`operation ${id} was cancelled`)
    this.name = 'OperationCancelled'
  }
}

/** The reason of an operation's `AbortSignal`: it is no longer this worker's. Another attempt has begun, or it was ended elsewhere. */
export class OperationSuperseded extends Error {
  readonly code = 'operation_superseded'

  constructor(id: string) {
    super(`operation ${id} is no longer this worker's`)
    this.name = 'OperationSuperseded'
  }
}

/** What an operation needs of its surroundings. */
export interface OperationEnvironment {
  readonly clock: Clock
  readonly writer: Writer
  /** Which attempt this worker has. */
  readonly attempt: number
  /** Whether its lease is kept while the process lives, or only by what the worker says. */
  readonly isKept: boolean
  /** It takes no more reports from here: it has ended, or another attempt has it. */
  readonly onEnd: (operation: Operation) => void
  readonly onError: (error: unknown) => void
}

/** A running operation in the hands of its worker. Reports are gathered and told five times a second; phases and the end at once. */
export class Operation {
  readonly id: string
  /** Which attempt at it this is. */
  readonly attempt: number
  readonly #environment: OperationEnvironment
  readonly #writer: Writer
  readonly #abort = new AbortController()
  readonly #undo: () => void
  #isOver = false
  /** Whether this worker has said how it ends. */
  #isEnding = false

  /** Use `Operations.start`. */
  constructor(environment: OperationEnvironment) {
    const { writer } = environment
    this.id = writer.record.snapshot.id
    this.attempt = environment.attempt
    this.#environment = environment
    this.#writer = writer
    this.#undo = writer.onChange(() => this.#look())
    this.#look()
  }

  /** Whether it takes no more reports from here. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** What watchers see, or are about to see. */
  get snapshot(): OperationSnapshot {
    return this.#writer.snapshot
  }

  /** Aborted with an `OperationCancelled` when somebody asks for the operation to stop, with an `OperationSuperseded` when it is no longer this worker's. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** `units` more are done (default 1). */
  advance(units: number = 1, detail?: Pick<ProgressReport, 'item' | 'message'>): void {
    this.#report({ ...detail, advance: units, attempt: this.attempt })
  }

  /**
   * Says how far the work is. Ignored once the operation has ended.
   *
   * @throws HoldfastError `bad_request` for numbers that are negative or not finite.
   */
  report(report: ProgressReport): void {
    this.#report({ ...report, attempt: this.attempt })
  }

  /** The next phase begins; it is told at once. */
  phase(name: string, start: Pick<ProgressReport, 'done' | 'total' | 'unit' | 'item' | 'message'> = {}): void {
    this.#report({ ...start, phase: name, attempt: this.attempt }, true)
  }

  /** The worker waits for something outside, a person for instance: that time does not count. */
  wait(message?: string): void {
    this.#report({ ...(message !== undefined && { message }), state: 'waiting', attempt: this.attempt })
  }

  /** The worker goes on after a wait. */
  resume(message?: string): void {
    this.#report({ ...(message !== undefined && { message }), state: 'running', attempt: this.attempt })
  }

  /** The worker lives. Needed only where the operation was begun with `heartbeat: 'manual'`, and nothing is reported for as long as the lease. */
  heartbeat(): void {
    this.#writer.say({ do: 'heartbeat', worker: { attempt: this.attempt } })
  }

  /** Ends well. Resolves when it is stored and told; saying the same again is accepted, saying another end is refused. */
  async complete(result?: unknown, options: { readonly regardless?: boolean } = {}): Promise<void> {
    const { regardless = false } = options
    const plain = result === undefined ? {} : { result: plainCopy(result) }
    return this.#end({ state: 'completed', ...plain, ...(regardless && { regardless }), attempt: this.attempt })
  }

  /** Ends badly, with the code and message of `error`. */
  fail(error: unknown, options: { retryable?: boolean } = {}): Promise<void> {
    const { code, message } = readError(error)
    const described = { ...(typeof code === 'string' && { code }), message, retryable: options.retryable ?? false }
    return this.#end({ state: 'failed', error: described, attempt: this.attempt })
  }

  /** The worker has stopped because it was asked to. */
  cancelled(): Promise<void> {
    return this.#end({ state: 'cancelled', attempt: this.attempt })
  }

  /** Asks the worker to stop, and tells the watchers; false when the operation has ended. */
  requestCancel(): boolean {
    return this.#writer.say({ do: 'cancel' }).kind !== 'refused'
  }

  /** Somebody asked for it on another node, and has told the watchers: the worker is told. */
  heardCancel(): void {
    if (!this.#isOver) this.#stop(new OperationCancelled(this.id))
  }

  /** Shows that the worker lives where the lease is kept for it; where it is not, finds out whether the operation still is this worker's. */
  keep(now: number): void {
    if (this.#isOver) return
    const { leaseUntil = now, leaseMs } = this.#writer.record.work
    if (!this.#environment.isKept) {
      if (now - this.#writer.knownAt > leaseMs) this.#writer.refresh().catch(this.#environment.onError)
    } else if (leaseUntil - now <= (leaseMs * 2) / 3) this.heartbeat()
  }

  /** Asks the worker to stop, and does not wait for it: the node is going away. */
  abandon(error: Error): Promise<void> {
    this.#stop(new OperationCancelled(this.id))
    return this.fail(error, { retryable: true })
  }

  #report(report: OperationReport, begins: boolean = false): void {
    checkReport(report)
    const ruling = this.#writer.say({ do: 'report', report, ...(begins && { begins }) })
    if (ruling.kind === 'refused' && ruling.code === 'engine_unavailable') this.#environment.onError(refusal(ruling))
  }

  async #end(ending: OperationEnding): Promise<void> {
    let ruling = this.#writer.say({ do: 'end', ending })
    if (ruling.kind === 'refused') {
      await this.#writer.reconsider(ruling.code)
      ruling = this.#writer.say({ do: 'end', ending })
    }
    if (ruling.kind === 'refused') throw refusal(ruling)
    this.#isEnding = true
    await this.#writer.written().finally(() => (this.#isEnding = false))
  }

  /** Something is different: it may be for this worker to know. */
  #look(): void {
    if (this.#isOver) return
    const { record, stored } = this.#writer
    const isEnded = isTerminal(stored.snapshot.state) || this.#writer.isForgotten
    if (record.snapshot.cancelRequested && !isEnded) this.#stop(new OperationCancelled(this.id))
    if (!isEnded && stored.snapshot.attempt === this.attempt) return
    this.#isOver = true
    this.#undo()
    this.#environment.onEnd(this)
    if (!this.#isEnding) this.#stop(new OperationSuperseded(this.id))
  }

  #stop(reason: OperationCancelled | OperationSuperseded): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(reason)
  }
}

function refusal(ruling: Ruling & { kind: 'refused' }): HoldfastError {
  return new HoldfastError(ruling.code, ruling.message)
}

/** The value as watchers get it. @throws UnserialisableError naming the path. */
export function plainCopy(value: unknown): unknown {
  return JSON.parse(encodeData(value))
}

/** Total: an operation has to end, whatever was thrown. */
function readError(error: unknown): { code: unknown; message: string } {
  try {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown }
    return { code, message: typeof message === 'string' ? message : String(error) }
  } catch {
    return { code: undefined, message: 'an error that cannot be read' }
  }
}
