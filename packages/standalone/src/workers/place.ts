import type { Logger } from 'pino'
import { type Clock, within } from '../clock.js'
import { Restarts } from './restarts.js'
import type { WorkerEnd, WorkerProcess } from './worker-process.js'
import type { Order } from './worker-tie.js'

/** How long a successor has to become ready before the restart is called off. */
const READY_WITHIN_MS = 30_000

/** What a place needs of the process that keeps it. */
export interface PlaceParts {
  /** From 1. */
  readonly number: number
  fork(number: number): WorkerProcess
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds in which a worker that was told to end has to. */
  readonly endsWithinMs: number
  /** Its worker crashed too often, and is not started again. */
  givenUp(reason: string): void
}

/** One place among the workers: keeps a process in it until it is told to stop. */
export class Place {
  readonly #parts: PlaceParts
  readonly #log: Logger
  readonly #restarts = new Restarts()
  #worker: WorkerProcess | undefined
  #successor: WorkerProcess | undefined
  #leaving: WorkerProcess | undefined
  #isKept = false
  #isStopping = false
  #cancelRestart: () => void = () => {}

  constructor(parts: PlaceParts) {
    this.#parts = parts
    this.#log = parts.log.child({ worker: parts.number })
  }

  /** Starts a worker. */
  begin(): WorkerProcess {
    const worker = this.#fork()
    this.#worker = worker
    return worker
  }

  /** From now on a worker that ends is started again. */
  keep(): void {
    this.#isKept = true
  }

  /**
   * Replaces the worker: starts a successor, and when that is ready has the old one hand its clients over and end. Answers whether it came to
   * that; where not, the old one goes on.
   */
  async replace(): Promise<boolean> {
    const { clock } = this.#parts
    const successor = this.#fork()
    this.#successor = successor
    const isReady = await within(
      clock,
      READY_WITHIN_MS,
      Promise.race([successor.ready.then(() => true), successor.ended.then(() => false)]),
    )
    this.#successor = undefined
    if (this.#isStopping) return false
    if (isReady !== true) {
      this.#log.error({ pid: successor.pid }, 'the new worker did not become ready; the old one goes on')
      successor.kill()
      if (this.#worker === undefined) this.begin()
      return false
    }
    this.#leaving = this.#worker
    this.#worker = successor
    if (this.#leaving) await this.#end(this.#leaving, 'retire')
    this.#leaving = undefined
    return true
  }

  /** Ends the worker with a drain and starts no other. Answers whether it ended well, and in time. */
  async stop(): Promise<boolean> {
    this.#isStopping = true
    this.#cancelRestart()
    const running = [this.#worker, this.#successor, this.#leaving].filter((one) => one !== undefined)
    const ends = await Promise.all(running.map((worker) => this.#end(worker, 'drain')))
    return ends.every((end) => end?.code === 0)
  }

  /** Ends it at once. */
  kill(): void {
    this.#isStopping = true
    this.#cancelRestart()
    for (const worker of [this.#worker, this.#successor, this.#leaving]) worker?.kill()
  }

  #fork(): WorkerProcess {
    const worker = this.#parts.fork(this.#parts.number)
    this.#log.info({ pid: worker.pid }, 'worker started')
    void worker.ended.then((end) => this.#ended(worker, end))
    return worker
  }

  async #end(worker: WorkerProcess, order: Order): Promise<WorkerEnd | undefined> {
    worker.tell(order)
    const end = await within(this.#parts.clock, this.#parts.endsWithinMs, worker.ended)
    if (end === undefined) {
      this.#log.error({ pid: worker.pid }, 'the worker did not end in time; it is killed')
      worker.kill()
    }
    return end
  }

  #ended(worker: WorkerProcess, { code, signal }: WorkerEnd): void {
    this.#log.info({ pid: worker.pid, code, signal }, 'worker ended')
    if (worker !== this.#worker) return
    this.#worker = undefined
    // A successor on its way takes the place.
    if (this.#isKept && !this.#isStopping && this.#successor === undefined) this.#restart(code, signal)
  }

  #restart(code: number | null, signal: string | null): void {
    const { number, clock, givenUp } = this.#parts
    const delayMs = this.#restarts.crashed(clock.now())
    if (delayMs === undefined) {
      const how = signal === null ? `with code ${code}` : `by ${signal}`
      return givenUp(`worker ${number} ended ${this.#restarts.crashes} times in short order, last ${how}`)
    }
    this.#log.warn({ delayMs }, 'the worker is started again')
    this.#cancelRestart = clock.after(delayMs, () => void this.begin())
  }
}
