import { type Cancel, type Clock, pause } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import { isAbort, isAway } from './asking.js'
import { Operation } from './operation.js'
import { operationKey } from './store.js'
import type { Writer } from './writer.js'

/** What workers need. */
export interface WorkersParts {
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Milliseconds until an end that the engine refused is told again; each further try waits twice as long, up to the longest. */
const END_RETRY_MS = 1_000
const END_RETRY_MS_MAX = 30_000

/** How often leases are kept. */
const KEEP_MS = 250

/** The operations whose worker is in this process, each in its hands. */
export class Workers {
  readonly #parts: WorkersParts
  readonly #running = new Map<string, Operation>()
  #stop: Cancel | undefined
  #isOver = false

  constructor(parts: WorkersParts) {
    this.#parts = parts
  }

  /** Operations whose worker is here. */
  get size(): number {
    return this.#running.size
  }

  /** Their leases are kept from now on. */
  start(): void {
    const { clock } = this.#parts
    const keep = (): void => this.#running.forEach((operation) => operation.keep(clock.now()))
    this.#stop ??= clock.every(KEEP_MS, keep)
  }

  /** The node ends: all are told to stop, and fail for that `reason` if they are still running then. */
  async abandon(reason: Error): Promise<void> {
    this.#isOver = true
    this.#stop?.()
    this.#stop = undefined
    const running = [...this.#running.values()]
    await Promise.allSettled(running.map((operation) => operation.abandon(reason)))
  }

  /** Whether the worker of an operation is here. */
  has(tenant: string, id: string): boolean {
    return this.#running.has(operationKey(tenant, id))
  }

  /** The worker of an operation is asked to stop, if it is here. */
  cancelAsked(tenant: string, id: string): void {
    this.#running.get(operationKey(tenant, id))?.heardCancel()
  }

  /** Gives an operation into the hands of a worker. */
  hand(writer: Writer, worker: { readonly attempt: number; readonly isKept: boolean }): Operation {
    const { clock, onError } = this.#parts
    const { tenant, id } = writer.record.snapshot
    const key = operationKey(tenant, id)
    const operation = new Operation({
      clock,
      writer,
      ...worker,
      onError,
      onEnd: (ended) => {
        if (this.#running.get(key) === ended) this.#running.delete(key)
      },
    })
    if (!operation.isOver) this.#running.set(key, operation)
    return operation
  }

  /** Does the work of an operation, which ends however `work` does: completed with its result, failed with its error, cancelled when asked. */
  async run<T>(operation: Operation, work: (operation: Operation) => Promise<T> | T): Promise<T> {
    try {
      const result = await work(operation)
      await this.#end(() => operation.complete(result))
      return result
    } catch (error) {
      const stopped = operation.signal.aborted && isAbort(error, operation.signal)
      await this.#end(() => (stopped ? operation.cancelled() : operation.fail(error)))
      throw error
    }
  }

  /** The work may have ended the operation itself, or have lost it. While the engine is away the end waits: work that is done must not be told as failed. */
  async #end(end: () => Promise<void>): Promise<void> {
    for (let waitMs = END_RETRY_MS; ; waitMs = Math.min(waitMs * 2, END_RETRY_MS_MAX)) {
      try {
        return await end()
      } catch (error) {
        if (error instanceof HoldfastError && ['already_ended', 'stale_report'].includes(error.code)) return
        if (this.#isOver || !isAway(error)) throw error
      }
      await pause(this.#parts.clock, waitMs)
    }
  }
}
