import type { ErrorCode, ServerMessage, ServerMessageOf } from '@holdfast/protocol'
import { abortable } from './abort.js'
import type { Clock } from './clock.js'
import { type ClientErrorCode, HoldfastError, errorFromAnswer } from './errors.js'
import type { Link, Welcome } from './link.js'
import { OfflineQueue, type Queued } from './offline-queue.js'
import type { Settings } from './options.js'
import type { Tally } from './statistics.js'

/** A message that answers a command. */
export type Answer = ServerMessageOf<'ok'> | ServerMessageOf<'error'> | ServerMessageOf<'subscribed'>

/** A command without its id and its data. */
export interface Head {
  readonly type: string
  readonly [member: string]: unknown
}

/** How a command is to be treated. */
export interface RequestOptions {
  /** The JSON text of `data`. */
  readonly data?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the answer. Default `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  /** It carries a key, so that it may be sent again after a disconnect; it may then wait as long as the queue allows. */
  readonly resend?: boolean
  /** Goes before what waits. */
  readonly urgent?: boolean
}

/** What becomes of a command; exactly one of the two is called, once. */
export interface Outcome {
  answered(answer: Answer, link: Link): void
  failed(error: HoldfastError): void
}

interface Entry extends Queued {
  readonly frame: string
  readonly options: RequestOptions
  readonly timeoutMs: number
  readonly outcome: Outcome
  readonly madeAt: number
  sentAt: number
  link: Link | undefined
  stopTimer: () => void
  /** Nobody waits for the answer any more, but the server still counts the command. */
  forsaken: boolean
}

const utf8 = new TextEncoder()

/** The text of a command whose data is encoded already. */
export function frameOf(head: Head, data: string | undefined): string {
  const text = JSON.stringify(head)
  return data === undefined ? text : `${text.slice(0, -1)},"data":${data}}`
}

/**
 * Commands and their answers: at most as many in flight as the server allows, the rest waits in order. What a disconnect left
 * without an answer is sent again where that is safe, before anything newer.
 */
export class Requests {
  readonly #clock: Clock
  readonly #tally: Tally
  readonly #ageMaxMs: number
  readonly #timeoutMs: number
  readonly #line: OfflineQueue<Entry>
  readonly #inFlight = new Map<number, Entry>()
  #link: Link | undefined
  #windowMax = 0
  #bytesMax = 0
  #held = false
  #refusal: HoldfastError | undefined
  #lastId = 0

  constructor(tally: Tally, settings: Pick<Settings, 'clock' | 'offlineQueue' | 'requestTimeoutMs'>) {
    this.#clock = settings.clock
    this.#tally = tally
    this.#ageMaxMs = settings.offlineQueue.ageMaxMs
    this.#timeoutMs = settings.requestTimeoutMs
    this.#line = new OfflineQueue(settings.offlineQueue)
  }

  /** Commands that wait to be sent. */
  get queued(): number {
    return this.#line.count
  }

  /** Bytes of the commands that wait to be sent. */
  get queuedBytes(): number {
    return this.#line.bytes
  }

  /** Sends a command and resolves with its `ok`. */
  request(head: Head, options: RequestOptions = {}): Promise<ServerMessageOf<'ok'>> {
    return abortable(options.signal, (resolve, reject) =>
      this.ask(head, options, {
        answered: (answer) =>
          answer.type === 'error' ? reject(errorFromAnswer(answer)) : resolve(answer as ServerMessageOf<'ok'>),
        failed: reject,
      }),
    )
  }

  /** Sends a command as soon as it may; returns its cancel, after which nothing is reported. */
  ask(head: Head, options: RequestOptions, outcome: Outcome): () => void {
    const entry = this.#entry(head, options, outcome)
    if (this.#refusal || !this.#line.push(entry)) {
      outcome.failed(this.#refusal ?? failure('queue_full', 'Too much waits already'))
      return () => {}
    }
    this.#pump()
    if (!entry.link) this.#limitAge(entry)
    return () => this.#forsake(entry)
  }

  /** Hands an answer to whoever waits for it; false when nobody does. Only answers bear the number of a command. */
  answer(message: ServerMessage, link: Link): boolean {
    const answer = message as Answer
    const entry = this.#inFlight.get(answer.id as number)
    if (!entry) return false
    this.#remove(entry)
    this.#tally.answered(this.#clock.now() - entry.sentAt)
    if (!entry.forsaken) entry.outcome.answered(answer, link)
    this.#pump()
    return true
  }

  /** Goes on over this link. What is in flight on another one is sent again here, where that is safe. */
  attach(link: Link, limits: Welcome['limits']): void {
    this.#link = link
    this.#windowMax = limits.commandsInFlightMax
    this.#bytesMax = limits.messageBytesMax
    this.#held = false
    this.#takeBack((entry) => entry.link !== link)
    this.#pump()
  }

  /** The link is gone. With `resend` false nothing of what was in flight is sent again: one of it may have been the cause. */
  lost(link: Link, resend: boolean): void {
    if (this.#link === link) this.#link = undefined
    this.#held = false
    if (resend) this.#takeBack((entry) => entry.link === link)
    const error = failure('disconnected', 'The connection was lost')
    for (const entry of this.#inFlight.values()) if (entry.link === link) this.#fail(entry, error)
  }

  /** Sends nothing more until the next `attach`, `lost` or `release`. */
  hold(): void {
    this.#held = true
  }

  /** Goes on sending. */
  release(): void {
    this.#held = false
    this.#pump()
  }

  /** Whether answers are still to come over this link. */
  busy(link: Link): boolean {
    return [...this.#inFlight.values()].some((entry) => entry.link === link)
  }

  /** Refuses everything that waits or is in flight, and whatever comes, until `accept`. */
  refuse(error: HoldfastError): void {
    this.#refusal = error
    this.#link = undefined
    const all = [...this.#inFlight.values(), ...this.#line.clear()]
    for (const entry of all) this.#fail(entry, error)
  }

  /** Takes commands again. */
  accept(): void {
    this.#refusal = undefined
  }

  #entry(head: Head, options: RequestOptions, outcome: Outcome): Entry {
    const id = (this.#lastId += 1)
    const frame = frameOf({ ...head, id }, options.data)
    const bytes = utf8.encode(frame).length
    const { timeoutMs = this.#timeoutMs, urgent = false } = options
    const fresh = { madeAt: this.#clock.now(), sentAt: 0, link: undefined, stopTimer: () => {}, forsaken: false }
    return { id, frame, bytes, options, urgent, timeoutMs, outcome, ...fresh }
  }

  #pump(): void {
    while (this.#link && !this.#held && this.#inFlight.size < this.#windowMax) {
      const entry = this.#line.take(() => true)
      if (!entry) return
      this.#send(entry, this.#link)
    }
  }

  #send(entry: Entry, link: Link): void {
    entry.stopTimer()
    entry.link = link
    if (entry.bytes > this.#bytesMax) {
      const problem = `a message must be at most ${this.#bytesMax} bytes, received ${entry.bytes}`
      return this.#fail(entry, failure('limit_exceeded', problem))
    }
    entry.sentAt = this.#clock.now()
    this.#inFlight.set(entry.id, entry)
    entry.stopTimer = this.#clock.after(entry.timeoutMs, () => this.#fail(entry, timedOut(entry)))
    // A socket that does not take it is about to report its end, which decides about the command.
    link.send(entry.frame)
  }

  #limitAge(entry: Entry): void {
    const { resend } = entry.options
    const leftMs = entry.madeAt + (resend ? this.#ageMaxMs : entry.timeoutMs) - this.#clock.now()
    entry.stopTimer = this.#clock.after(Math.max(0, leftMs), () =>
      this.#fail(
        entry,
        resend ? failure('queue_expired', `Waited ${this.#ageMaxMs} ms for a connection`) : timedOut(entry),
      ),
    )
  }

  #takeBack(which: (entry: Entry) => boolean): void {
    const entries = [...this.#inFlight.values()].filter(
      (entry) => entry.options.resend && !entry.forsaken && which(entry),
    )
    for (const entry of entries) {
      this.#remove(entry)
      entry.link = undefined
      this.#limitAge(entry)
      this.#line.putBack(entry)
    }
  }

  #forsake(entry: Entry): void {
    if (this.#inFlight.has(entry.id)) entry.forsaken = true
    else this.#remove(entry)
  }

  #fail(entry: Entry, error: HoldfastError): void {
    this.#remove(entry)
    if (!entry.forsaken) entry.outcome.failed(error)
    this.#pump()
  }

  #remove(entry: Entry): void {
    entry.stopTimer()
    if (!this.#inFlight.delete(entry.id)) this.#line.remove(entry)
  }
}

function timedOut(entry: Entry): HoldfastError {
  return failure('timeout', `No answer within ${entry.timeoutMs} ms`)
}

function failure(code: ClientErrorCode | ErrorCode, message: string): HoldfastError {
  return new HoldfastError(code, message, { retryable: code !== 'limit_exceeded' })
}
