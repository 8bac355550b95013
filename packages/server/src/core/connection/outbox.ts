import type { GapRange } from '@holdfast/protocol'
import type { Socket } from '../../transport/transport.js'
import type { Chain, Flusher, Flushable } from './flusher.js'
import type { Frame } from './frame.js'
import type { OutboxBudget, Sheddable } from './outbox-budget.js'

/** What a slow connection is given at a time, once its socket can take more. */
const REFILL_BYTES = 65_536

/** Dropping goes down to this share of the limit, so that a queue at its limit is not walked for every frame. */
const RELIEVED = 0.75

/** Large answers, and the reading of commands, wait until no more than this share of the limit is used. */
const ROOMY = 0.25

/** What an outbox needs of its connection. */
export interface OutboxOwner {
  /** The queue is over its limit and nothing in it may be dropped, or the policy is to end the connection. */
  tooSlow(): void
  /** The frame that tells the reader of messages dropped from its queue. */
  encodeGap(channel: string, range: GapRange): Frame
}

/**
 * The bounded queue of one connection. While the socket keeps up, the frames of a tick leave in one shared write. When it does not,
 * frames wait here, counted in bytes, and over `bytesMax` the policy of the next frame's channel decides what goes.
 */
export class Outbox implements Flushable, Sheddable {
  readonly #flusher: Flusher
  readonly #budget: OutboxBudget
  readonly #socket: Socket
  readonly #owner: OutboxOwner
  readonly #bytesMax: number
  #chain: Chain | undefined
  /** Frames that wait for the socket to drain; undefined while it keeps up. */
  #queue: Frame[] | undefined
  #queuedBytes = 0
  /** Since when what waited then has not all left, and what was queued behind it. */
  #waitsSince: number | undefined
  #bytesBehind = 0
  #gaps: Map<string, GapRange> | undefined
  #room: (() => void)[] | undefined
  #closed = false

  constructor(flusher: Flusher, budget: OutboxBudget, socket: Socket, owner: OutboxOwner, bytesMax: number) {
    this.#flusher = flusher
    this.#budget = budget
    this.#socket = socket
    this.#owner = owner
    this.#bytesMax = bytesMax
  }

  /** Bytes that wait, here and in the transport. */
  get bytes(): number {
    return (this.#chain?.size ?? 0) + this.#queuedBytes + this.#socket.pendingBytes()
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Whether a large answer fits now. */
  get hasRoom(): boolean {
    return this.bytes <= this.#bytesMax * ROOMY
  }

  /** Gives the connection a frame. It leaves at the end of the tick, or when the socket can take it. */
  push(frame: Frame): void {
    if (this.#closed) return
    this.#chain = (this.#chain ?? this.#flusher.enlist(this)).next(frame)
  }

  flush(): void {
    const chain = this.#chain
    this.#chain = undefined
    if (chain === undefined || this.#closed) return
    if (this.#queue === undefined && this.#socket.isReady()) this.#socket.write(chain.bytes())
    else this.#enqueue(chain.frames())
    if (this.#room !== undefined && this.hasRoom) this.#announceRoom()
  }

  /** The socket has drained: the queue gets its turn. */
  drained(): void {
    while (this.#queue !== undefined && this.#socket.isReady()) this.#refill(this.#queue)
    if (this.#room !== undefined && this.hasRoom) this.#announceRoom()
  }

  /** Resolves when a large answer fits: at once, or when a slow reader has caught up. */
  room(): Promise<void> | undefined {
    if (this.hasRoom) return undefined
    return new Promise((resolve) => {
      this.#room = [...(this.#room ?? []), resolve]
    })
  }

  /** Writes what waits, then `last`, and takes nothing more. Of a slow reader's queue only what is never dropped is written. */
  end(last: Frame): void {
    if (this.#closed) return
    const waiting = [...(this.#queue ?? []), ...(this.#chain?.frames() ?? [])]
    const leaving = this.#queue === undefined ? waiting : waiting.filter((frame) => frame.importance === 'kept')
    this.#socket.write(Buffer.concat([...leaving, last].map((frame) => frame.bytes)))
    this.close()
  }

  /** Takes nothing more and lets everything go. */
  close(): void {
    this.#closed = true
    this.#chain = undefined
    this.#queue = undefined
    this.#count(-this.#queuedBytes)
    this.#gaps = undefined
    this.#announceRoom()
  }

  /** Gives up a reader that takes longer than `ageMsMax` for what waits: one that dribbles would hold its queue for ever. To be called about once a second. */
  checkAge(now: number, ageMsMax: number): void {
    const hasLeft = this.#queue === undefined || this.#waitsSince === undefined || this.bytes <= this.#bytesBehind
    if (!hasLeft && now - (this.#waitsSince ?? now) >= ageMsMax) return this.#owner.tooSlow()
    if (!hasLeft) return
    this.#waitsSince = this.#queue && now
    this.#bytesBehind = 0
  }

  shed(): void {
    this.#owner.tooSlow()
  }

  /** Growing may exceed what the node has for all queues, and end this very one. */
  #count(bytes: number): void {
    this.#queuedBytes += bytes
    if (bytes > 0) this.#budget.grow(this, bytes)
    else this.#budget.shrink(this, -bytes)
  }

  #announceRoom(): void {
    const waiting = this.#room ?? []
    this.#room = undefined
    for (const resolve of waiting) resolve()
  }

  /** Takes the frames of a tick. One that ends the connection does so behind them: the answers among them are still to be written. */
  #enqueue(frames: readonly Frame[]): void {
    this.#queue ??= []
    let isGivenUp = false
    for (const frame of frames) {
      if (isGivenUp && frame.importance !== 'kept') continue
      this.#queue.push(frame)
      this.#bytesBehind += frame.bytes.length
      this.#count(frame.bytes.length)
      if (this.#closed) return
      isGivenUp ||= this.bytes > this.#bytesMax && !this.#relieve(frame)
    }
    if (isGivenUp) this.#owner.tooSlow()
  }

  /** Makes room as the policy of the newest frame says; false when there is none to be had. */
  #relieve(frame: Frame): boolean {
    // Answers do not end a connection: commands are not read while there is no room for their answers.
    if (frame.importance === 'kept') return true
    if (frame.importance === 'latest') this.#dropWhere((other) => other !== frame && conflates(other, frame))
    const target = this.#bytesMax * RELIEVED
    if (isDroppable(frame)) this.#dropWhere((other) => this.bytes > target && isDroppable(other))
    return this.bytes <= this.#bytesMax
  }

  #dropWhere(goes: (frame: Frame) => boolean): void {
    this.#queue = this.#queue?.filter((frame) => {
      if (!goes(frame)) return true
      this.#count(-frame.bytes.length)
      this.#noteGap(frame)
      return false
    })
  }

  #noteGap(frame: Frame): void {
    if (frame.channel === undefined || frame.offset === undefined) return
    this.#gaps ??= new Map()
    const from = this.#gaps.get(frame.channel)?.from ?? frame.offset
    this.#gaps.set(frame.channel, { from, to: frame.offset, reason: 'overflow' })
  }

  #refill(queue: Frame[]): void {
    const batch: Frame[] = this.#takeGaps()
    let bytes = 0
    let count = 0
    while (count < queue.length && bytes < REFILL_BYTES) bytes += queue[count++]?.bytes.length ?? 0
    batch.push(...queue.splice(0, count))
    this.#count(-bytes)
    if (queue.length === 0) this.#queue = undefined
    if (batch.length > 0) this.#socket.write(Buffer.concat(batch.map((frame) => frame.bytes)))
  }

  /** Gaps are told before anything later of their channel. */
  #takeGaps(): Frame[] {
    const gaps = [...(this.#gaps ?? [])]
    this.#gaps = undefined
    return gaps.map(([channel, range]) => this.#owner.encodeGap(channel, range))
  }
}

function isDroppable(frame: Frame): boolean {
  return frame.importance === 'drop-oldest' || frame.importance === 'latest'
}

function conflates(older: Frame, newer: Frame): boolean {
  return (
    older.importance === 'latest' && older.conflationKey !== undefined && older.conflationKey === newer.conflationKey
  )
}
