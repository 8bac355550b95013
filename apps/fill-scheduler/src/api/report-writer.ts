import { Worker } from 'node:worker_threads'
import type { ReportFile } from '../io/reports/report.js'
import { ApiError } from './api-error.js'
import { type ReportJob, sizeOf, writeJob } from './report-job.js'

/** Lots of a report that is written at once: to start a thread would take longer, and nobody notices. */
const SMALL_LOTS_MAX = 300
/** Reports that wait for the thread; more are refused. */
const WAITING_MAX = 10
const MEMORY_MB = 1_024

/** Threads run what was built, also where a test runs the sources. */
const WORKER = new URL('../../dist/api/report-worker.js', import.meta.url)

/** Writes reports so that nobody else waits for them: a PDF of thousands of lots takes seconds. */
export class ReportWriter {
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  /** @throws ApiError `busy` when too many wait. */
  async write(job: ReportJob): Promise<ReportFile> {
    if (sizeOf(job) <= SMALL_LOTS_MAX) return writeJob(job)
    if (this.#waiting === WAITING_MAX)
      throw new ApiError('busy', 'Too many reports are being written; try again in a moment', {
        status: 503,
        retryAfterMs: 10_000,
      })
    this.#waiting += 1
    const written = this.#last.then(() => inThread(job)).finally(() => (this.#waiting -= 1))
    this.#last = written.catch(() => undefined)
    return written
  }
}

function inThread(job: ReportJob): Promise<ReportFile> {
  return new Promise((resolve, reject) => {
    const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB }
    const worker = new Worker(WORKER, { workerData: job, execArgv: [], stdout: true, resourceLimits })
    worker.stdout.resume()
    worker.once('message', (file: ReportFile) => {
      resolve(file)
      void worker.terminate()
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the thread that writes reports ended early')))
  })
}
