import type { LogPage, ReadRange, StreamMessage, StreamState } from '../engine.js'

/** Dropped slots are given back once there are this many, so that removing the oldest costs a constant on average. */
const SLACK = 64

/** Everything that a log is made of, so that it can be made again. */
export interface KeptLog {
  readonly epoch: string
  readonly top: { readonly offset: number; readonly id: string }
  /** Up to which offset messages went by age. */
  readonly expiredUpTo: number
  /** The newest of them, up to the top, in order. */
  readonly messages: readonly StreamMessage[]
}

/** The log of one stream: a random epoch and dense offsets from 1. */
export class MemoryLog {
  readonly epoch: string
  #messages: StreamMessage[] = []
  #dropped = 0
  #top: { offset: number; id: string } = { offset: 0, id: '' }
  #expiredUpTo = 0
  #characters = 0

  constructor(epoch: string) {
    this.epoch = epoch
  }

  /** The log that `kept` describes. */
  static restore(kept: KeptLog): MemoryLog {
    const log = new MemoryLog(kept.epoch)
    log.#messages = [...kept.messages]
    log.#characters = kept.messages.reduce((sum, { data }) => sum + data.length, 0)
    log.#top = kept.top
    log.#expiredUpTo = kept.expiredUpTo
    return log
  }

  /** What `restore` takes; changes of the log leave it as it is. */
  kept(): KeptLog {
    const messages = this.#messages.slice(this.#dropped)
    return { epoch: this.epoch, top: this.#top, expiredUpTo: this.#expiredUpTo, messages }
  }

  get top(): { offset: number; id: string } {
    return this.#top
  }

  /** Characters of data of all messages stored. */
  get characters(): number {
    return this.#characters
  }

  get #length(): number {
    return this.#messages.length - this.#dropped
  }

  /** The offset of the oldest message stored. */
  get first(): number {
    return this.#top.offset - this.#length + 1
  }

  append(message: StreamMessage & { readonly offset: number }, size: number): void {
    if (message.offset !== this.#top.offset + 1) throw new Error('offsets of a log must be dense')
    this.#messages.push(message)
    this.#characters += message.data.length
    this.#top = { offset: message.offset, id: message.id }
    while (this.#length > size) this.#dropOldest()
  }

  /** Lets every message go, by age; the epoch and the top stay, so that a reader learns what it missed. */
  expire(): void {
    if (this.#length === 0) return
    this.#messages = []
    this.#dropped = 0
    this.#characters = 0
    this.#expiredUpTo = this.#top.offset
  }

  read(range: ReadRange, state: StreamState | undefined): LogPage {
    const start = Math.max(range.from ?? 0, this.first)
    const end = Math.min(range.before ?? Infinity, this.#top.offset + 1)
    const messages = range.keep === 'newest' ? this.#newest(start, end, range) : this.#oldest(start, end, range)
    return {
      epoch: this.epoch,
      top: this.#top,
      first: this.first,
      expired: this.first - 1 === this.#expiredUpTo,
      messages,
      state,
    }
  }

  #oldest(start: number, end: number, range: ReadRange): StreamMessage[] {
    const messages: StreamMessage[] = []
    let bytes = 0
    for (let offset = start; offset < end && messages.length < range.limit; offset += 1) {
      const message = this.#at(offset)
      bytes += message.data.length
      if (bytes > range.bytesMax && messages.length > 0) break
      messages.push(message)
    }
    return messages
  }

  #newest(start: number, end: number, range: ReadRange): StreamMessage[] {
    const messages: StreamMessage[] = []
    let bytes = 0
    for (let offset = end - 1; offset >= start && messages.length < range.limit; offset -= 1) {
      const message = this.#at(offset)
      bytes += message.data.length
      if (bytes > range.bytesMax && messages.length > 0) break
      messages.push(message)
    }
    return messages.reverse()
  }

  #at(offset: number): StreamMessage {
    const message = this.#messages[this.#dropped + offset - this.first]
    if (message === undefined) throw new Error(`offset ${offset} is not in the log`)
    return message
  }

  #dropOldest(): void {
    this.#characters -= this.#messages[this.#dropped]?.data.length ?? 0
    this.#dropped += 1
    if (this.#dropped < SLACK || this.#dropped * 2 < this.#messages.length) return
    this.#messages = this.#messages.slice(this.#dropped)
    this.#dropped = 0
  }
}
