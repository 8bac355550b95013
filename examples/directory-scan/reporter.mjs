import { ApiError } from './api.mjs'

/** A worker that has nothing new to say says so, well inside the 30 seconds after which it would be taken for dead. */
const HEARTBEAT_MS = 10_000
/** Requests a second are at most this many; what comes in between goes with the next. */
const REPORT_EVERY_MS = 200

/**
 * Reports the progress of one operation. The work never waits for the network: the newest state is sent when the last report was answered, older ones
 * are left out. The end is sent until it was taken.
 */
export class Reporter {
  #api
  #spec
  #path
  #attempt = 1
  #sequence = 0
  /** What is to be told, and was not yet. */
  #pending
  /** All that was told, so that it can be told again to a server that has forgotten. */
  #known = {}
  #sending
  #beat
  #stop = new AbortController()

  /** `spec`: what the operation is, as `POST /operations` takes it, with an `id`. */
  constructor(api, spec) {
    this.#api = api
    this.#spec = spec
    this.#path = `operations/${encodeURIComponent(spec.id)}`
  }

  /** Aborted when the work is to end: somebody cancelled it (`cancelled`), another worker has it, or it has ended. */
  get signal() {
    return this.#stop.signal
  }

  /** Begins the operation; where it exists and has not ended, goes on with it as its next attempt. */
  async start() {
    await this.#begin()
    this.#beat = setInterval(() => this.report({}), HEARTBEAT_MS)
    this.#beat.unref()
  }

  /** Tells how far the work is. Returns at once. */
  report(report) {
    this.#pending = { ...this.#pending, ...report }
    this.#known = { ...this.#known, ...report }
    this.#sending ??= this.#flush().finally(() => {
      this.#sending = undefined
    })
  }

  /** Ends the operation, and resolves with its last snapshot: `complete` with `{ result }`, `fail` with `{ error }`, `cancelled`. */
  async end(how, body = {}) {
    clearInterval(this.#beat)
    await this.#sending
    const say = () => this.#api.call('POST', `${this.#path}/${how}`, { ...body, ...this.#word() })
    try {
      return await say()
    } catch (error) {
      // A server that keeps operations in memory and was restarted knows nothing of it.
      if (error.code !== 'not_found') throw error
    }
    await this.#begin()
    return say()
  }

  async #flush() {
    while (this.#pending && !this.signal.aborted) {
      const report = this.#pending
      this.#pending = undefined
      try {
        const snapshot = await this.#api.call(
          'PATCH',
          this.#path,
          { ...report, ...this.#word() },
          { signal: this.signal },
        )
        if (snapshot.cancelRequested) this.#stop.abort(new ApiError('cancelled', 'Somebody cancelled the operation'))
      } catch (error) {
        await this.#refused(error)
      }
      await new Promise((resolve) => setTimeout(resolve, REPORT_EVERY_MS))
    }
  }

  async #refused(reason) {
    if (this.signal.aborted) return
    if (reason.code !== 'not_found') return this.#stop.abort(reason)
    await this.#begin().catch((error) => this.#stop.abort(error))
    this.#pending = { ...this.#known, ...this.#pending }
  }

  async #begin() {
    try {
      const { attempt } = await this.#api.call('POST', 'operations', this.#spec)
      this.#attempt = attempt
    } catch (error) {
      if (error.code !== 'bad_request') throw error
      await this.#takeOver(error)
    }
    this.#sequence = 0
  }

  /** The id is in use: by the run of this program that ended before its time. Its reports count no more. */
  async #takeOver(refusal) {
    const taken = await this.#api.call('GET', this.#path).catch(() => undefined)
    if (taken === undefined || taken.endedAt !== undefined) throw refusal
    const { attempt } = await this.#api.call('POST', `${this.#path}/attempts`, { force: true })
    this.#attempt = attempt
  }

  /** Which attempt speaks, and in which order: a report that was on its way for long changes nothing. */
  #word() {
    this.#sequence += 1
    return { attempt: this.#attempt, sequence: this.#sequence }
  }
}
