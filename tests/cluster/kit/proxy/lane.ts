import { once } from 'node:events'
import type { Socket } from 'node:net'
import { pause } from '../../../kit/deadline.js'
import { type Conditions, isFair } from './conditions.js'

/** Bytes that may wait in a lane before its source is no longer read. */
const QUEUE_BYTES_MAX = 1_048_576

interface Piece {
  readonly bytes: Buffer
  readonly arrivedAt: number
}

/** One direction of one line: takes what comes from a socket to another, under the conditions in force. */
export class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #conditions: Conditions
  readonly #queue: Piece[] = []
  #queuedBytes = 0
  #isMoving = false
  #hasEnded = false
  #awaitsDrain = false
  #bytesToReset = Infinity

  constructor(from: Socket, to: Socket, conditions: Conditions) {
    this.#from = from
    this.#to = to
    this.#conditions = conditions
  }

  /** Takes bytes to hand on, in order. */
  carry(bytes: Buffer): void {
    if (bytes.length === 0) return
    if (!this.#isMoving && this.#queue.length === 0 && isFair(this.#conditions)) return this.#write(bytes)
    this.#queue.push({ bytes, arrivedAt: performance.now() })
    this.#queuedBytes += bytes.length
    this.look()
    void this.#move()
  }

  /** The source has ended: the other side learns of it after everything that waits. */
  finish(): void {
    this.#hasEnded = true
    if (!this.#isMoving) this.#to.end()
  }

  /** The conditions have changed. */
  look(): void {
    if (this.#conditions.isBlocked || this.#queuedBytes > QUEUE_BYTES_MAX) this.#from.pause()
    else if (this.#to.writableNeedDrain === false) this.#from.resume()
    if (this.#queue.length > 0) void this.#move()
  }

  /** Lets so many more bytes through and then resets both sockets, in the middle of whatever that is. */
  resetAfter(bytes: number): void {
    this.#bytesToReset = bytes
    if (bytes <= 0) this.#reset()
  }

  async #move(): Promise<void> {
    if (this.#isMoving) return
    this.#isMoving = true
    while (!this.#to.destroyed && !this.#conditions.isBlocked) {
      const piece = this.#queue.shift()
      if (piece === undefined) break
      this.#queuedBytes -= piece.bytes.length
      await this.#deliver(piece)
    }
    this.#isMoving = false
    if (this.#to.destroyed || this.#conditions.isBlocked) return
    this.look()
    if (this.#hasEnded) this.#to.end()
  }

  async #deliver({ bytes, arrivedAt }: Piece): Promise<void> {
    const early = arrivedAt + this.#conditions.latencyMs - performance.now()
    if (early > 0) await pause(early)
    for (let at = 0; at < bytes.length && !this.#to.destroyed;) {
      const { sliceBytes, sliceGapMs, bytesPerSecond } = this.#conditions
      // A tenth of a second's worth at a time keeps a narrow line even.
      const size = Math.max(1, Math.floor(Math.min(sliceBytes, bytesPerSecond / 10)))
      const part = bytes.subarray(at, at + size)
      at += part.length
      this.#write(part)
      const gapMs = Math.max(sliceBytes === Infinity ? 0 : sliceGapMs, (part.length / bytesPerSecond) * 1_000)
      if (gapMs > 0) await pause(gapMs)
      if (this.#to.writableNeedDrain) await Promise.race([once(this.#to, 'drain'), once(this.#to, 'close')])
    }
  }

  #write(bytes: Buffer): void {
    if (this.#conditions.isSunk || this.#to.destroyed) return
    if (bytes.length < this.#bytesToReset) {
      this.#bytesToReset -= bytes.length
      if (this.#to.write(bytes)) return
      this.#waitForDrain()
      return
    }
    this.#to.write(bytes.subarray(0, this.#bytesToReset), () => this.#reset())
  }

  #waitForDrain(): void {
    this.#from.pause()
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    this.#to.once('drain', () => {
      this.#awaitsDrain = false
      this.look()
    })
  }

  #reset(): void {
    this.#to.resetAndDestroy()
    this.#from.resetAndDestroy()
  }
}
