import { pause } from '../../../kit/deadline.js'
import { type RespFrame, RespReader } from '../resp/reader.js'
import { type RespValue, encodeError, itemsOf, textOf } from '../resp/value.js'
import type { Reader } from './chaos-proxy.js'
import type { Direction } from './conditions.js'
import type { RespFaults } from './resp-faults.js'

const MESSAGES: ReadonlySet<string> = new Set(['message', 'pmessage', 'smessage'])

/** Commands that are answered by pushes (RESP3), or by as many lists as they name channels (RESP2), and by no reply of their own. */
const SUBSCRIBES: ReadonlySet<string> = new Set(
  ['subscribe', 'unsubscribe'].flatMap((word) => ['', 'P', 'S'].map((prefix) => `${prefix}${word}`.toUpperCase())),
)

/** Reads along on the line of one Redis client: knows which reply belongs to which command, and works the faults that are set. */
export class RespLine implements Reader {
  readonly #faults: RespFaults
  readonly #up = new RespReader()
  readonly #down = new RespReader()
  /** Commands without a reply yet. */
  readonly #asked: string[] = []
  #isSubscriber = false
  /** Held back until the next push has gone. */
  readonly #swapped: RespFrame[] = []

  constructor(faults: RespFaults) {
    this.#faults = faults
  }

  read(direction: Direction, bytes: Buffer, send: (bytes: Buffer) => void): void {
    if (direction === 'up') {
      for (const { value } of this.#up.push(bytes)) this.#note(value)
      // Nothing is changed on this way, so that half a command passes as half a command.
      return send(bytes)
    }
    for (const frame of this.#down.push(bytes)) this.#answer(frame, send)
  }

  #note(command: RespValue): void {
    const name = textOf(itemsOf(command)[0]).toUpperCase()
    if (SUBSCRIBES.has(name)) this.#isSubscriber = true
    else this.#asked.push(name)
  }

  #answer(frame: RespFrame, send: (bytes: Buffer) => void): void {
    const words = itemsOf(frame.value)
    const first = textOf(words[0])
    if (this.#isPush(frame.value, first)) {
      if (!MESSAGES.has(first)) return send(frame.bytes)
      // A pattern's name stands before that of the channel.
      return this.#push(frame, textOf(words[first === 'pmessage' ? 2 : 1]), send)
    }
    const error = this.#faults.errorFor(this.#asked.shift() ?? '')
    send(error === undefined ? frame.bytes : encodeError(error))
  }

  #isPush(value: RespValue, first: string): boolean {
    if (value.kind === 'push') return true
    const isList = value.kind === 'list' && this.#isSubscriber
    return isList && (MESSAGES.has(first) || SUBSCRIBES.has(first.toUpperCase()))
  }

  #push(frame: RespFrame, channel: string, send: (bytes: Buffer) => void): void {
    const fate = this.#faults.fateOf(channel, textOf(itemsOf(frame.value).at(-1)))
    if (fate === 'swap') {
      this.#swapped.push(frame)
      return
    }
    if (fate === 'drop') return
    const { bytes } = frame
    if (typeof fate === 'object') return void pause(fate.delayMs).then(() => send(bytes))
    send(bytes)
    if (fate === 'duplicate') send(bytes)
    for (const swapped of this.#swapped.splice(0)) send(swapped.bytes)
  }
}
