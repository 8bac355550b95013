import type { RunningServer, Work, WorkWay } from './candidates/candidate.js'
import { monotonicMs, pause } from './clock.js'
import type { WorkDone } from './requests.js'
import { numberedText } from './sequence.js'

/** Characters of the message of a report. */
const TEXT_BYTES = 48

/** Reports in one turn of the event loop: a worker waits for its data between them. */
const BURST_MAX = 200

/** The work of a server's process: it reports at a pace, round robin over its pieces. */
export class Workshop {
  readonly #server: RunningServer
  #work: Work | undefined
  #pieces = 0
  #reported = 0

  constructor(server: RunningServer) {
    this.#server = server
  }

  /** Begins the pieces. */
  async begin(pieces: number, way: WorkWay): Promise<null> {
    this.#work = await this.#server.begin(pieces, way)
    this.#pieces = pieces
    this.#reported = 0
    return null
  }

  /** Reports for `durationMs`: as many as are due at the pace, or as many as there is time for. */
  async report(perSecond: number, durationMs: number): Promise<WorkDone> {
    const cpuBefore = process.cpuUsage()
    const startedAt = monotonicMs()
    const before = this.#reported
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = monotonicMs() - startedAt) {
      const due = Math.floor((elapsedMs * perSecond) / 1_000) - (this.#reported - before)
      this.#burst(Math.min(due, BURST_MAX))
      // A turn of the event loop at least, so that what was written leaves.
      await pause(due > BURST_MAX ? 0 : 1)
    }
    const { user, system } = process.cpuUsage(cpuBefore)
    return {
      reports: this.#reported - before,
      elapsedMs: monotonicMs() - startedAt,
      cpuMicros: user + system,
    }
  }

  /** Ends every piece; answers the number of the text that every watcher has to get. */
  async end(): Promise<number> {
    const sequence = this.#reported
    await this.#work?.end(numberedText(sequence, TEXT_BYTES))
    this.#work = undefined
    return sequence
  }

  #burst(reports: number): void {
    for (let number = 0; number < reports; number++) {
      const sequence = this.#reported++
      const done = Math.floor(sequence / this.#pieces)
      this.#work?.report(sequence % this.#pieces, done, numberedText(sequence, TEXT_BYTES))
    }
  }
}
