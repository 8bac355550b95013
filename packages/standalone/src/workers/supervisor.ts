import type { Logger } from 'pino'
import type { Clock } from '../clock.js'
import { Place } from './place.js'
import type { WorkerProcess } from './worker-process.js'
import type { Serving } from './worker-tie.js'

/** What a supervisor is made of. */
export interface SupervisorParts {
  /** Workers to keep running. */
  readonly count: number
  fork(place: number): WorkerProcess
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds in which a worker that was told to end has to. */
  readonly endsWithinMs: number
}

/** Keeps several workers running, replaces them one by one, and ends them. */
export class Supervisor {
  /** Resolves with the reason when a worker crashes so often that nothing is gained by starting it again. */
  readonly gaveUp: Promise<string>
  readonly #places: Place[]
  readonly #log: Logger
  #restarting: Promise<void> | undefined

  constructor({ count, ...parts }: SupervisorParts) {
    let giveUp: (reason: string) => void = () => {}
    this.gaveUp = new Promise((resolve) => {
      giveUp = resolve
    })
    this.#log = parts.log
    this.#places = Array.from({ length: count }, (_, at) => new Place({ ...parts, number: at + 1, givenUp: giveUp }))
  }

  /**
   * Starts the first worker, and the others when it listens: what is wrong with a configuration or a port is said once. Resolves with where they
   * serve, or with the exit code of the first when it ended before.
   */
  async start(): Promise<Serving | number> {
    const [first, ...others] = this.#places
    if (first === undefined) return 0
    const worker = first.begin()
    const outcome = await Promise.race([worker.listening, worker.ended.then(({ code }) => code ?? 1)])
    if (typeof outcome === 'number') return outcome
    for (const place of this.#places) place.keep()
    for (const place of others) place.begin()
    return outcome
  }

  /** Replaces the workers one after the other. Stops where a successor does not become ready; the old ones go on then. Never rejects. */
  restart(): Promise<void> {
    this.#restarting ??= this.#restartAll().finally(() => (this.#restarting = undefined))
    return this.#restarting
  }

  /** Ends all workers together. Answers whether each ended well, and in time. */
  async stop(): Promise<boolean> {
    const ends = await Promise.all(this.#places.map((place) => place.stop()))
    return ends.every(Boolean)
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const place of this.#places) place.kill()
  }

  async #restartAll(): Promise<void> {
    this.#log.info({ workers: this.#places.length }, 'restarting the workers one after the other')
    for (const place of this.#places) {
      if (!(await place.replace())) return this.#log.error({}, 'the restart was called off')
    }
    this.#log.info({ workers: this.#places.length }, 'the workers are restarted')
  }
}
