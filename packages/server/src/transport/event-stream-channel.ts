import { type Position, type Since, TERMINAL_STATES, namespaceOf } from '@holdfast/protocol'
import type { ChannelOutcome, ChannelQuestion, StreamRefusal } from '../event-stream.js'
import { channelEvents } from './event-stream-format.js'
import { elementTexts } from './event-stream-slices.js'
import type { StreamVoice } from './event-stream-socket.js'
import { HEARTBEAT_LINE } from './event-stream-text.js'

/** What the reader of a channel does with its connection. */
export interface ChannelLine {
  /** Sends a command. */
  command(command: object): void
  /** Ends the connection by wish, now or in so many milliseconds. */
  depart(afterMs?: number): void
  /** Told once, before anything is read. */
  settle(outcome: ChannelOutcome): void
  /** From 0 up to but not including 1. */
  fraction(): number
}

/** Ids of the two commands. */
const SUBSCRIBE = 'subscribe'
const LOOK = 'look'

/** How long a reader waits before it comes back, and up to twice as long, so that not all come at once. */
const RETRY_MS = 1_000

/** The same when it is asked to move, and when the server is in trouble. */
const MOVE_RETRY_MS = 100
const BACKOFF_RETRY_MS = 5_000

interface Message {
  readonly type: string
  readonly id?: unknown
  readonly channel?: string
  readonly event?: string
  readonly offset?: number
}

interface Subscribed extends Message {
  readonly position: Position
  readonly recovered: string
  readonly messages: readonly Message[]
}

/**
 * Speaks for a reader who cannot: says hello, subscribes to one channel, and tells what comes of it as events. What another program would do with a position it does,
 * too: each message is named by the position behind it.
 */
export class ChannelReader implements StreamVoice {
  readonly livesByReading = true
  readonly #question: ChannelQuestion
  readonly #line: ChannelLine
  #isSettled = false
  #epoch = ''
  #offset = -1

  constructor(question: ChannelQuestion, line: ChannelLine) {
    this.#question = question
    this.#line = line
  }

  /** Asks. */
  begin(): void {
    this.#line.command({ type: 'hello' })
    this.#subscribe(SUBSCRIBE, this.#question.since)
  }

  text(payload: string): string {
    // A word such as `pong` is no message.
    if (!payload.startsWith('{')) return ''
    const message = JSON.parse(payload) as Message
    if (message.type === 'goodbye') return this.#goodbye(payload, message as never)
    if (message.type === 'error') return this.#refused(message as never)
    if (message.type === 'notice') return channelEvents.other(message.type, payload)
    if (message.channel !== this.#question.channel) return ''
    if (message.type === 'subscribed') return this.#subscribed(payload, message as Subscribed)
    if (message.type === 'message') return this.#message(payload, message)
    if (message.type === 'gap') return this.#gap(payload, message as never)
    if (message.type === 'unsubscribed') this.#line.depart()
    return channelEvents.other(message.type, payload)
  }

  ping(): string {
    return HEARTBEAT_LINE
  }

  closing(): string {
    return ''
  }

  over(): void {
    this.#settle({ type: 'goodbye', code: 1006, message: 'Connection lost' })
  }

  #subscribe(id: string, since: Since | undefined): void {
    const { channel, presence } = this.#question
    this.#line.command({ type: 'subscribe', id, channel, since, ...(presence && { presence }) })
  }

  #settle(outcome: ChannelOutcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#line.settle(outcome)
  }

  #refused(error: Extract<StreamRefusal, { type: 'error' }> & Message): string {
    if (error.id !== SUBSCRIBE && error.id !== LOOK) return ''
    this.#settle(error)
    this.#line.depart()
    return ''
  }

  #subscribed(payload: string, verdict: Subscribed): string {
    if (verdict.id === LOOK) return this.#looked(payload, verdict)
    this.#epoch = verdict.position.epoch
    const retry = channelEvents.retry(this.#spread(RETRY_MS))
    const told =
      retry + channelEvents.subscribed(payload, verdict.messages.length === 0 ? this.#at(verdict.position) : undefined)
    const messages = this.#messages(payload, verdict)
    // An operation that has ended says nothing more, and a reader that has seen its end would wait for ever.
    if (this.#isOperation && verdict.recovered === 'full' && messages === '') this.#subscribe(LOOK, undefined)
    else this.#settle('open')
    return told + messages
  }

  /** The snapshot of an operation of which nothing is new to the reader. */
  #looked(payload: string, verdict: Subscribed): string {
    const hasEnded = verdict.messages.some(isTerminal)
    this.#settle(hasEnded ? 'ended' : 'open')
    if (hasEnded) this.#line.depart()
    return this.#messages(payload, verdict)
  }

  #messages(payload: string, { messages }: Subscribed): string {
    if (messages.length === 0) return ''
    const texts = elementTexts(payload, 'messages')
    return messages.map((message, at) => this.#message(texts[at] ?? '', message)).join('')
  }

  #message(text: string, message: Message): string {
    const { offset } = message
    if (offset !== undefined && offset <= this.#offset) return ''
    if (offset !== undefined) this.#offset = offset
    if (this.#isOperation && isTerminal(message)) this.#line.depart()
    const { id = '' } = message as { id?: string }
    return channelEvents.message(text, offset === undefined ? undefined : this.#at({ epoch: this.#epoch, offset, id }))
  }

  #gap(payload: string, { position }: { position?: Position }): string {
    if (position === undefined) return channelEvents.other('gap', payload)
    this.#epoch = position.epoch
    this.#offset = position.offset
    return channelEvents.other('gap', payload, positionText(position))
  }

  #goodbye(payload: string, goodbye: Extract<StreamRefusal, { type: 'goodbye' }> & { reconnect: string }): string {
    this.#settle(goodbye)
    const { reconnect, after } = goodbye
    const soon = reconnect === 'now'
    // An invitation to move: another client would come back before it leaves. If this is the end, it comes first.
    if (soon) this.#line.depart(after ?? 0)
    const retryMs = soon ? this.#spread(MOVE_RETRY_MS) : (after ?? this.#spread(BACKOFF_RETRY_MS))
    return channelEvents.other('goodbye', payload) + channelEvents.retry(retryMs)
  }

  /** The position after what was told; none on a channel that keeps nothing. */
  #at(position: Position): string | undefined {
    this.#offset = Math.max(this.#offset, position.offset)
    return position.epoch === 'none' ? undefined : positionText(position)
  }

  #spread(ms: number): number {
    return Math.round(ms * (1 + this.#line.fraction()))
  }

  get #isOperation(): boolean {
    return namespaceOf(this.#question.channel) === 'operation'
  }
}

function positionText({ epoch, offset, id = '' }: Position): string {
  return id === '' ? `${epoch}.${offset}` : `${epoch}.${offset}.${id}`
}

function isTerminal({ event }: Message): boolean {
  return (TERMINAL_STATES as readonly (string | undefined)[]).includes(event)
}
