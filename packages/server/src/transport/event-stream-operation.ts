import { ERRORS, type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { OperationQuestion, StreamRefusal } from '../event-stream.js'
import type { ChannelLine } from './event-stream-channel.js'
import type { StreamVoice } from './event-stream-socket.js'
import { HEARTBEAT_LINE, eventText, retryText } from './event-stream-text.js'

const SUBSCRIBE = 'subscribe'

/** How long a reader waits before it comes back, and up to twice as long: usually, when it is asked to move, when the server is in trouble. */
const RETRY_MS = 1_000
const MOVE_RETRY_MS = 100
const BACKOFF_RETRY_MS = 5_000

interface Said {
  readonly type: string
  readonly id?: unknown
  readonly channel?: string
}

interface Told extends Said {
  readonly event: OperationEvent
  readonly data: OperationSnapshot
}

/** Speaks for the reader of one operation: tells each of its events under the name that it has, as the snapshot alone, named by its version, and ends after the last. */
export class OperationReader implements StreamVoice {
  readonly livesByReading = true
  readonly #channel: string
  readonly #line: ChannelLine
  #version: number
  #isSettled = false
  #isOver = false

  constructor({ operation, after }: OperationQuestion, line: ChannelLine) {
    this.#channel = `operation:${operation}`
    this.#version = after
    this.#line = line
  }

  /** Asks. */
  begin(): void {
    this.#line.command({ type: 'hello' })
    this.#line.command({ type: 'subscribe', id: SUBSCRIBE, channel: this.#channel })
  }

  text(payload: string): string {
    // A word such as `pong` is no message.
    if (!payload.startsWith('{')) return ''
    const said = JSON.parse(payload) as Said
    if (said.type === 'goodbye') return this.#goodbye(payload, said as never)
    if (said.type === 'error') return this.#refused(said as never)
    if (said.channel !== this.#channel) return ''
    if (said.type === 'subscribed') return this.#subscribed(said as never)
    if (said.type === 'message') return this.#event(said as Told)
    if (said.type !== 'unsubscribed') return ''
    this.#line.depart()
    return eventText({ event: 'unsubscribed', data: payload })
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

  #settle(outcome: Parameters<ChannelLine['settle']>[0]): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#line.settle(outcome)
  }

  #refused(error: Extract<StreamRefusal, { type: 'error' }> & Said): string {
    if (error.id !== SUBSCRIBE) return ''
    // What belongs to another looks the same as what does not exist.
    this.#settle(error.code === 'permission_denied' ? UNKNOWN : error)
    this.#line.depart()
    return ''
  }

  #subscribed({ messages }: { readonly messages: readonly Told[] }): string {
    const last = messages.at(-1)
    if (last === undefined) {
      this.#settle(UNKNOWN)
      this.#line.depart()
      return ''
    }
    // What the reader has is of one of this id that is gone: versions begin anew.
    if (last.data.version < this.#version) this.#version = 0
    const hasEnded = isTerminal(last.data.state) && last.data.version <= this.#version
    this.#settle(hasEnded ? 'ended' : 'open')
    if (hasEnded) this.#line.depart()
    const told = messages.map((message) => this.#event(message))
    return hasEnded ? '' : retryText(this.#spread(RETRY_MS)) + told.join('')
  }

  #event({ event, data }: Told): string {
    if (data.version <= this.#version || this.#isOver) return ''
    this.#version = data.version
    this.#isOver = isTerminal(data.state)
    if (this.#isOver) this.#line.depart()
    return eventText({ id: String(data.version), event, data: JSON.stringify(data) })
  }

  #goodbye(
    payload: string,
    goodbye: Extract<StreamRefusal, { type: 'goodbye' }> & { readonly reconnect: string },
  ): string {
    this.#settle(goodbye)
    const { reconnect, after } = goodbye
    const isAsked = reconnect === 'now'
    if (isAsked) this.#line.depart(after ?? 0)
    const retryMs = isAsked ? this.#spread(MOVE_RETRY_MS) : (after ?? this.#spread(BACKOFF_RETRY_MS))
    return eventText({ event: 'goodbye', data: payload }) + retryText(retryMs)
  }

  #spread(ms: number): number {
    return Math.round(ms * (1 + this.#line.fraction()))
  }
}

const UNKNOWN: StreamRefusal = {
  type: 'error',
  code: 'not_found',
  message: ERRORS.not_found.message,
}
