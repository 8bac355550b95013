import type { ServerMessage, ServerMessageOf } from '@holdfast/protocol'
import { abortable } from './abort.js'
import type { Clock } from './clock.js'
import { HoldfastError, errorFromAnswer, passing } from './errors.js'
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
  /** Doing it twice does it once, so that it may be sent again after a disconnect; it may then wait as long as the queue allows. */
  readonly resend?: boolean
  /** Goes before what waits. */
  readonly urgent?: boolean
}

/** What becomes of a command; exactly one of the two is called, once. */
export interface Outcome {
  answered(answer: Exclude<Answer, { type: 'error' }>, link: Link): void
  failed(error: HoldfastError): void
}

interface Entry extends Queued {
  readonly channel: unknown
  readonly frame: string
  readonly timeoutMs: number
  readonly resend?: boolean
  readonly outcome: Outcome
  readonly madeAt: number
  sentAt?: number
  link?: Link | undefined
  stopTimer?: () => void
  /** Nobody waits for the answer any more, but the server still counts the command. */
  forsaken?: boolean
}

type RequestSettings = Pick<Settings, 'backoff' | 'clock' | 'offlineQueue' | 'random' | 'requestTimeoutMs'>

const utf8 = new TextEncoder()

/** The bytes of a text on the way. */
export function bytesOf(text: string): number {
  return utf8.encode(text).length
}

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
  readonly #settings: RequestSettings
  /** What waits to be sent. */
  readonly line: OfflineQueue<Entry>
  readonly #inFlight = new Map<number, Entry>()
  /** Channels that the server could not store anything in: what is published there waits. */
  readonly #resting = new Map<unknown, () => void>()
  #link: Link | undefined
  #windowMax = 0
  #bytesMax = 0
  #held = false
  /** Why nothing is taken; set by `refuse`. */
  refusal: HoldfastError | undefined
  #lastId = 0

  constructor(tally: Tally, settings: RequestSettings) {
    this.#clock = settings.clock
    this.#tally = tally
    this.#settings = settings
    this.line = new OfflineQueue(settings.offlineQueue)
  }

  /** Sends a command and resolves with its `ok`. */
  request(head: Head, options: RequestOptions = {}): Promise<ServerMessageOf<'ok'>> {
    return abortable(options.signal, (resolve, reject) =>
      this.ask(head, options, {
        answered: resolve as Outcome['answered'],
        failed: reject,
      }),
    )
  }

  /** Sends a command as soon as it may; returns its cancel, after which nothing is reported. */
  ask(head: Head, options: RequestOptions, outcome: Outcome): () => void {
    const entry = this.#entry(head, options, outcome)
    if (this.refusal || !this.line.push(entry)) {
      outcome.failed(this.refusal ?? passing('queue_full', 'Too much waits'))
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
    this.#tally.answered(this.#clock.now() - entry.sentAt!)
    if (!entry.forsaken) this.#decide(entry, answer, link)
    this.#pump()
    return true
  }

  #decide(entry: Entry, answer: Answer, link: Link): void {
    const { outcome, resend } = entry
    if (answer.type !== 'error') outcome.answered(answer, link)
    else if (resend && answer.code === 'engine_unavailable') this.#rest(entry, answer.retryAfter)
    else outcome.failed(errorFromAnswer(answer))
  }

  /** Goes on over this link. What is in flight on another one is sent again here, where that is safe. */
  attach(link: Link, limits: Welcome['limits']): void {
    this.#link = link
    this.#windowMax = limits.commandsInFlightMax
    this.#bytesMax = limits.messageBytesMax
    this.#takeBack()
    this.release()
  }

  /** The link is gone. With `resend` false nothing of what was in flight is sent again: one of it may have been the cause. */
  lost(link: Link, resend: boolean): void {
    if (this.#link === link) this.#link = undefined
    this.#held = false
    if (resend) this.#takeBack(link)
    const error = passing('disconnected', 'Connection lost')
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

  /** Refuses everything that waits or is in flight, and whatever comes, until `refusal` is lifted. */
  refuse(error: HoldfastError): void {
    this.refusal = error
    this.#link = undefined
    for (const stop of this.#resting.values()) stop()
    this.#resting.clear()
    for (const entry of [...this.#inFlight.values(), ...this.line.clear()]) this.#drop(entry, error)
  }

  #entry(head: Head, options: RequestOptions, outcome: Outcome): Entry {
    const id = (this.#lastId += 1)
    const frame = frameOf({ ...head, id }, options.data)
    const bytes = bytesOf(frame)
    const { timeoutMs = this.#settings.requestTimeoutMs, urgent = false, resend = false } = options
    const madeAt = this.#clock.now()
    return { id, channel: head['channel'], frame, bytes, resend, urgent, timeoutMs, outcome, madeAt }
  }

  #pump(): void {
    while (this.#link && !this.#held && this.#inFlight.size < this.#windowMax) {
      const entry = this.line.take(({ channel, resend }) => !resend || !this.#resting.has(channel))
      if (!entry) return
      this.#send(entry, this.#link)
    }
  }

  #send(entry: Entry, link: Link): void {
    entry.stopTimer?.()
    entry.link = link
    if (entry.bytes > this.#bytesMax) {
      const problem = `a message must be at most ${this.#bytesMax} bytes, received ${entry.bytes}`
      return this.#drop(entry, new HoldfastError('limit_exceeded', problem))
    }
    entry.sentAt = this.#clock.now()
    this.#inFlight.set(entry.id, entry)
    this.#limit(entry, entry.sentAt)
    // A socket that does not take it is about to report its end, which decides about the command.
    link.send(entry.frame)
  }

  #limitAge(entry: Entry): void {
    if (entry.resend) this.#limit(entry, entry.madeAt, this.#settings.offlineQueue.ageMaxMs, 'queue_expired')
    else this.#limit(entry, entry.madeAt)
  }

  #limit(entry: Entry, since: number, ms = entry.timeoutMs, code: 'timeout' | 'queue_expired' = 'timeout'): void {
    // A clock that was set back must not make it longer.
    const leftMs = Math.min(ms, since + ms - this.#clock.now())
    entry.stopTimer = this.#clock.after(leftMs, () => this.#fail(entry, passing(code, `No answer within ${ms} ms`)))
  }

  /** What is in flight over this link, or over any. */
  #takeBack(link?: Link): void {
    for (const entry of this.#inFlight.values()) {
      if (!entry.resend || entry.forsaken || (link && entry.link !== link)) continue
      this.#remove(entry)
      this.#putBack(entry)
    }
  }

  #putBack(entry: Entry): void {
    entry.link = undefined
    this.#limitAge(entry)
    this.line.putBack(entry)
  }

  /** What is published later in its channel waits as well, so that it is stored later. */
  #rest(entry: Entry, retryAfter = 0): void {
    const { channel } = entry
    this.#putBack(entry)
    this.#tally.retries += 1
    if (this.#resting.has(channel)) return
    const { backoff, random } = this.#settings
    const restMs = Math.max(retryAfter, backoff.minMs) + random.fraction() * backoff.minMs
    const wake = (): void => {
      this.#resting.delete(channel)
      this.#pump()
    }
    this.#resting.set(channel, this.#clock.after(restMs, wake))
  }

  #forsake(entry: Entry): void {
    if (this.#inFlight.has(entry.id)) entry.forsaken = true
    else this.#remove(entry)
  }

  #fail(entry: Entry, error: HoldfastError): void {
    this.#drop(entry, error)
    this.#pump()
  }

  #drop(entry: Entry, error: HoldfastError): void {
    this.#remove(entry)
    if (!entry.forsaken) entry.outcome.failed(error)
  }

  #remove(entry: Entry): void {
    entry.stopTimer?.()
    if (!this.#inFlight.delete(entry.id)) this.line.remove(entry)
  }
}
