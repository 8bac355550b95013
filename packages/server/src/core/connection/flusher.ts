import type { Clock } from '../../clock.js'
import type { Frame } from './frame.js'

/** Connections written to before the event loop gets a turn: about 10 ms of system calls. */
const WRITES_PER_TURN = 1_000

/**
 * The frames that a connection has been given in this tick, as a chain that connections share: whoever got the same frames in the
 * same order stands at the same link, and their bytes are joined once.
 */
export class Chain {
  readonly frame: Frame | undefined
  /** Bytes of all frames up to this one. */
  readonly size: number
  readonly #parent: Chain | undefined
  #joined: Uint8Array | undefined
  #lastFrame: Frame | undefined
  #lastNext: Chain | undefined

  constructor(frame?: Frame, parent?: Chain) {
    this.frame = frame
    this.#parent = parent
    this.size = (parent?.size ?? 0) + (frame?.bytes.length ?? 0)
  }

  /** The link after this one for `frame`; the same object for everyone who asks one after another, as a fan-out does. */
  next(frame: Frame): Chain {
    if (this.#lastFrame === frame && this.#lastNext !== undefined) return this.#lastNext
    this.#lastFrame = frame
    this.#lastNext = new Chain(frame, this)
    return this.#lastNext
  }

  /** The frames from the first to this one. */
  frames(): Frame[] {
    const frames: Frame[] = []
    for (let link: Chain | undefined = this; link?.frame !== undefined; link = link.#parent) frames.push(link.frame)
    return frames.reverse()
  }

  /** The bytes of all frames, for one write. */
  bytes(): Uint8Array {
    this.#joined ??= this.#join()
    return this.#joined
  }

  #join(): Uint8Array {
    const frames = this.frames()
    return frames.length === 1 && frames[0] ? frames[0].bytes : Buffer.concat(frames.map((frame) => frame.bytes))
  }
}

/** What a flusher flushes. */
export interface Flushable {
  flush(): void
}

/** Collects the connections that were given frames in this tick and flushes each once, at its end. */
export class Flusher {
  readonly #clock: Clock
  #waiting: Flushable[] = []
  #next = 0
  #scheduled = false
  #root = new Chain()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Marks a connection for flushing and gives it the empty chain of this tick. */
  enlist(member: Flushable): Chain {
    this.#waiting.push(member)
    if (!this.#scheduled) this.#schedule()
    return this.#root
  }

  #schedule(): void {
    this.#scheduled = true
    this.#clock.defer(() => this.#run())
  }

  #run(): void {
    this.#scheduled = false
    const end = Math.min(this.#next + WRITES_PER_TURN, this.#waiting.length)
    while (this.#next < end) this.#waiting[this.#next++]?.flush()
    if (this.#next < this.#waiting.length) return this.#schedule()
    this.#waiting = []
    this.#next = 0
    // A new root: links that nobody stands at any more are garbage.
    this.#root = new Chain()
  }
}
