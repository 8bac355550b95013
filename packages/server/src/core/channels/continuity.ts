import type { LogTop, StreamMessage } from '../../engine/engine.js'

/** Epochs that ended and are remembered, so that what was announced late of one is known as such. */
const FORMER_MAX = 8

/** What an announced message is to a channel: the next of its log; one that it had; or neither, so that the log has to be read. */
export type Arrival = 'next' | 'seen' | 'astray'

/** Where a channel stands in its log, by what it has handed on. */
export class Continuity {
  #epoch: string
  #offset: number
  #id: string
  readonly #former: string[] = []

  constructor({ epoch, top }: LogTop) {
    this.#epoch = epoch
    this.#offset = top.offset
    this.#id = top.id
  }

  get epoch(): string {
    return this.#epoch
  }

  get offset(): number {
    return this.#offset
  }

  get position(): LogTop {
    return { epoch: this.#epoch, top: { offset: this.#offset, id: this.#id } }
  }

  judge(epoch: string, { offset, id }: StreamMessage): Arrival {
    if (epoch !== this.#epoch) return this.#former.includes(epoch) ? 'seen' : 'astray'
    if (offset === this.#offset + 1) return 'next'
    if (offset === undefined || offset > this.#offset) return 'astray'
    return offset === this.#offset && this.#id !== '' && this.#id !== id ? 'astray' : 'seen'
  }

  /** Whether `epoch` is one that is over, or in force: whoever announces it tells nothing new. */
  knows(epoch: string): boolean {
    return epoch === this.#epoch || this.#former.includes(epoch)
  }

  /** A message was handed on. */
  advance(offset: number, id: string): void {
    this.#offset = offset
    this.#id = id
  }

  /** The log goes on elsewhere. */
  moveTo({ epoch, top }: LogTop): void {
    if (epoch !== this.#epoch) this.#former.push(this.#epoch)
    if (this.#former.length > FORMER_MAX) this.#former.shift()
    this.#epoch = epoch
    this.#offset = top.offset
    this.#id = top.id
  }
}
