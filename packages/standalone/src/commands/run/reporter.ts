import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { type Clock, pause } from '../../clock.js'
import { EXIT, Failure, describeError } from '../../failure.js'
import { type Api, Refusal, Unreachable } from '../api.js'
import type { Reading } from './output-progress.js'

/** What the server is told that the operation is; `POST /operations` takes it. */
export type RunSpec = Readonly<Record<string, unknown>> & { readonly id: string }

/** How a run ends, as the server is told. */
export type RunEnding =
  | { readonly state: 'completed'; readonly result: unknown }
  | { readonly state: 'failed'; readonly error: { readonly code: string; readonly message: string } }
  | { readonly state: 'cancelled' }

/** What a reporter tells of. */
export interface ReporterEvents {
  /** What watchers see now. */
  snapshot(snapshot: OperationSnapshot): void
  /** Somebody asks for the end. Once. */
  cancelled(): void
  /** Another worker has taken the operation over. Once. */
  superseded(): void
  /** The server is away (why), or back. */
  trouble(reason: string | undefined): void
  /** The server will not have reports of this run. Once; nothing is sent any more. */
  refused(reason: string): void
}

/** What a reporter is made of. */
export interface ReporterParts {
  readonly api: Api
  readonly spec: RunSpec
  /** Whether the id was chosen by a person, and may be that of an operation that waits for a worker. */
  readonly mayTakeUp: boolean
  /** Names this run: a request that is sent twice is done once. */
  readonly key: string
  readonly clock: Clock
  /** Milliseconds between words while there is nothing to say. Asked before each. */
  readonly heartbeatMs: () => number
  readonly events: ReporterEvents
}

/** Reports a second at most. */
const REPORT_EVERY_MS = 250
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 4_000

/** Before the server has the operation, while it has, and when nothing is said any more. */
type Phase = 'new' | 'taken' | 'over'

/**
 * Tells a server how a run goes. While the server is away what is to be said is gathered; when it is back it learns the newest. An operation that the server has forgotten is begun again.
 */
export class Reporter {
  readonly #parts: ReporterParts
  readonly #closing = new AbortController()
  #phase: Phase = 'new'
  #pending: Reading | undefined
  #latest: Reading = {}
  #attempt: number | undefined
  #sequence = 0
  #beginnings = 0
  #retryMs = 0
  #isCancelled = false
  #wake = new AbortController()
  #first: () => void = () => {}
  #looping: Promise<void> = Promise.resolve()
  #isReporting = false
  /** Whether everything was reported and the end is being told: it may be known, and then nothing else is taken. */
  #isEnding = false

  constructor(parts: ReporterParts) {
    this.#parts = parts
  }

  /** Begins to report, and goes on in the background. Resolves when the server has answered for the first time, or could not be reached. */
  begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#first = resolve
      this.#looping = this.#loop()
    })
  }

  /** Takes what a line of output says. */
  report(reading: Reading): void {
    const counts = reading.done !== undefined || reading.percent !== undefined
    const { done: _done, percent: _percent, ...rest } = this.#latest
    this.#latest = { ...(counts ? rest : this.#latest), ...reading }
    this.#pending = this.#latest
    this.#wake.abort()
  }

  /** Looks now, not only when the next word is due. */
  nudge(): void {
    this.#wake.abort()
  }

  /** Takes a snapshot that came another way. */
  see(snapshot: OperationSnapshot): void {
    const { events } = this.#parts
    if (this.#phase !== 'taken') return
    events.snapshot(snapshot)
    if (snapshot.state === 'cancelled' || (snapshot.cancelRequested && !isTerminal(snapshot.state))) this.#cancel()
  }

  /**
   * Tells how it ended, for at most `timeoutMs` while the server cannot be reached. Resolves with whether the server knows: undefined where it does, else why not. `signal` gives up.
   */
  async end(ending: RunEnding, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    if (this.#phase === 'over') return undefined
    this.#closing.abort()
    this.#wake.abort()
    await this.#looping
    const { clock } = this.#parts
    const until = clock.now() + timeoutMs
    for (;;) {
      const problem = await this.#tell(ending, signal)
      if (problem === undefined) return undefined
      if (this.#isOver || signal.aborted || clock.now() >= until) return problem
      await pause(clock, this.#retryDelay(), signal).catch(() => undefined)
    }
  }

  /** Says nothing any more. */
  stop(): void {
    this.#phase = 'over'
    this.#closing.abort()
  }

  async #tell(ending: RunEnding, signal: AbortSignal): Promise<string | undefined> {
    const { state, ...body } = ending
    const verb = { completed: 'complete', failed: 'fail', cancelled: 'cancelled' }[state]
    try {
      if (this.#phase === 'new') await this.#create(signal)
      if (this.#phase === 'over') return undefined
      if (this.#pending) await this.#sendReport(signal)
      this.#isEnding = true
      this.#parts.events.snapshot(await this.#word('POST', [verb], body, signal))
      this.#phase = 'over'
      return undefined
    } catch (error) {
      await this.#failed(error)
      return describeError(error)
    }
  }

  async #loop(): Promise<void> {
    const { clock, heartbeatMs, events } = this.#parts
    while (this.#isGoing) {
      try {
        await this.#step()
        if (this.#retryMs > 0) events.trouble(undefined)
        this.#retryMs = 0
        this.#first()
        await this.#rest(this.#pending ? REPORT_EVERY_MS : heartbeatMs())
      } catch (error) {
        await this.#failed(error)
        this.#first()
        if (this.#isGoing) await pause(clock, this.#retryDelay(), this.#closing.signal).catch(() => undefined)
      }
    }
    this.#first()
  }

  get #isGoing(): boolean {
    return this.#phase !== 'over' && !this.#closing.signal.aborted
  }

  /** One word to the server: that there is an operation, how far it is, or that its worker lives. */
  async #step(): Promise<void> {
    const { signal } = this.#closing
    if (this.#phase === 'new') return this.#create(signal)
    this.see(this.#pending ? await this.#sendReport(signal) : await this.#word('POST', ['heartbeat'], {}, signal))
  }

  async #sendReport(signal: AbortSignal): Promise<OperationSnapshot> {
    const reading = this.#pending ?? {}
    this.#pending = undefined
    this.#isReporting = true
    const snapshot = await this.#word('PATCH', [], reading, signal)
    this.#isReporting = false
    return snapshot
  }

  /** Until there is something to say; then as long as keeps the pace. */
  async #rest(ms: number): Promise<void> {
    const { clock } = this.#parts
    const begunAt = clock.now()
    this.#wake = new AbortController()
    await pause(clock, ms, AbortSignal.any([this.#wake.signal, this.#closing.signal])).catch(() => undefined)
    const left = REPORT_EVERY_MS - (clock.now() - begunAt)
    if (left > 0) await pause(clock, left, this.#closing.signal).catch(() => undefined)
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { api, spec, key, mayTakeUp } = this.#parts
    const request = {
      method: 'POST',
      path: ['operations'],
      body: spec,
      key: `${key}-${this.#beginnings}`,
      signal,
    } as const
    try {
      this.#taken(await api.ask<OperationSnapshot>(request))
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'bad_request' || !mayTakeUp) throw error
      this.#taken(await this.#takeUp(error, signal))
    }
  }

  /** The id is that of an operation that exists: one that waits for a worker, or has lost its own, has one now. */
  async #takeUp(inUse: Refusal, signal: AbortSignal): Promise<OperationSnapshot> {
    const { api, spec, key } = this.#parts
    const path = ['operations', spec.id, 'attempts']
    try {
      return await api.ask({ method: 'POST', path, body: {}, key: `${key}-take-${this.#beginnings}`, signal })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'already_held') throw new Failure(`another worker has operation ${spec.id}`)
      if (error.code === 'already_ended') throw new Failure(`operation ${spec.id} has ended; choose another --id`)
      throw error.code === 'not_found' ? inUse : error
    }
  }

  #taken(snapshot: OperationSnapshot): void {
    this.#isEnding = false
    if (this.#beginnings > 0) this.#sayAgain()
    this.#beginnings += 1
    this.#attempt = snapshot.attempt
    this.#sequence = 0
    this.#phase = 'taken'
    this.see(snapshot)
  }

  #word(
    method: 'PATCH' | 'POST',
    verb: readonly string[],
    body: object,
    signal: AbortSignal,
  ): Promise<OperationSnapshot> {
    const { api, spec } = this.#parts
    this.#sequence += 1
    const word = { attempt: this.#attempt, sequence: this.#sequence }
    return api.ask({ method, path: ['operations', spec.id, ...verb], body: { ...body, ...word }, signal })
  }

  /** What a failure of the server, or of the way to it, means for what follows. */
  async #failed(error: unknown): Promise<void> {
    const { events } = this.#parts
    const wasReport = this.#isReporting
    this.#isReporting = false
    if (error instanceof Failure && error.exitCode === EXIT.interrupted) return void (wasReport && this.#sayAgain())
    if (error instanceof Unreachable) return this.#away(error.message)
    if (!(error instanceof Refusal)) return this.#giveUp(describeError(error))
    if (error.code === 'already_ended') return this.#endedElsewhere()
    if (error.code === 'stale_report') {
      this.#phase = 'over'
      return events.superseded()
    }
    if (error.code === 'not_found' && this.#phase === 'taken') return void (this.#phase = 'new')
    if (error.code === 'bad_request' && wasReport) return this.#misunderstood(error.message)
    if (error.retryable) return this.#away(error.message, error.retryAfterMs)
    this.#giveUp(error.message)
  }

  /** What was to be said is said again, newer. */
  #away(reason: string, retryMs = 0): void {
    this.#sayAgain()
    this.#retryMs = Math.max(this.#retryMs, retryMs, 1)
    this.#parts.events.trouble(reason)
  }

  #sayAgain(): void {
    if (!this.#isEnding && Object.keys(this.#latest).length > 0) this.#pending = this.#latest
  }

  /** A report that means nothing to the server is dropped; what follows may mean something. */
  #misunderstood(reason: string): void {
    this.#latest = {}
    this.#pending = undefined
    this.#retryMs = Math.max(this.#retryMs, 1)
    this.#parts.events.trouble(reason)
  }

  async #endedElsewhere(): Promise<void> {
    const { api, spec } = this.#parts
    const snapshot = await api.ask<OperationSnapshot>({ path: ['operations', spec.id] }).catch(() => undefined)
    if (snapshot) this.see(snapshot)
    if (snapshot?.state !== 'cancelled')
      return this.#giveUp(`operation ${spec.id} has ended already (${snapshot?.state ?? 'ended'})`)
    this.#phase = 'over'
  }

  #giveUp(reason: string): void {
    if (this.#isOver) return
    this.#phase = 'over'
    this.#parts.events.refused(reason)
  }

  #cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#parts.events.cancelled()
  }

  get #isOver(): boolean {
    return this.#phase === 'over'
  }

  #retryDelay(): number {
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, RETRY_FIRST_MS), RETRY_MAX_MS)
    return this.#retryMs
  }
}
