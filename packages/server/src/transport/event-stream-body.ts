import type { Cancel, Clock } from '../clock.js'

/** What a body tells of its reader. */
export interface BodyEvents {
  /** The reader asks for more: what was given before has left. */
  taken(): void
  /** After `isReady` said no: everything that waited was taken. */
  drained(): void
  /** Nothing more is read: the reader is gone, or has taken all there was. Told once. */
  over(): void
}

/** What a body is made with. */
export interface BodyParts {
  readonly clock: Clock
  readonly events: BodyEvents
  /** Destroys the answer if it has not left; undefined where it cannot be reached. */
  readonly abandon: (() => void) | undefined
}

/** Bytes that may wait for the reader before it is slow. */
const READY_BYTES_MAX = 65_536

/** How long a reader has for what was written last, before its connection is destroyed. */
const END_TIMEOUT_MS = 4_000

/**
 * The body of an answer that is written as it goes. It has a queue of its own, and hands out nothing before it is asked for, so that what waits can be counted and
 * what a stuck reader never takes can be given up.
 */
export class EventStreamBody {
  readonly stream: ReadableStream<Uint8Array>
  readonly #parts: BodyParts
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #queue: Uint8Array[] = []
  #bytes = 0
  #isAwaited = false
  #wasFull = false
  #state: 'open' | 'ending' | 'over' = 'open'
  #cancelTimeout: Cancel | undefined

  constructor(parts: BodyParts) {
    this.#parts = parts
    const start = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
      void (this.#controller = controller)
    const source = { start, pull: () => this.#pulled(), cancel: () => this.leave() }
    this.stream = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
  }

  /** Bytes that were written and not taken. */
  get pendingBytes(): number {
    return this.#bytes
  }

  /** Whether the reader keeps up; after a no, `drained` follows. */
  isReady(): boolean {
    const isReady = this.#bytes < READY_BYTES_MAX
    this.#wasFull ||= !isReady
    return isReady
  }

  /** Writes bytes; after the end they are dropped. */
  write(bytes: Uint8Array): void {
    if (this.#state !== 'open' || bytes.length === 0) return
    this.#queue.push(bytes)
    this.#bytes += bytes.length
    if (this.#isAwaited) this.#give()
  }

  /** Ends it behind what was written; who does not take that in time is cut off. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    const { clock, abandon } = this.#parts
    this.#cancelTimeout = clock.after(END_TIMEOUT_MS, () => this.#giveUp())
    // Also behind the end: what was taken from here may wait in the answer.
    if (abandon) clock.after(END_TIMEOUT_MS, abandon)
    if (this.#bytes === 0 && this.#isAwaited) this.#finish()
  }

  /** Ends it at once: what waits is lost. */
  cut(): void {
    if (this.#state === 'over') return
    this.#controller?.close()
    this.leave()
  }

  /** The reader is gone. */
  leave(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#drop()
    this.#parts.events.over()
  }

  #pulled(): void {
    this.#isAwaited = true
    this.#parts.events.taken()
    if (this.#bytes > 0) this.#give()
    else if (this.#state === 'ending') this.#finish()
  }

  #give(): void {
    const [first, ...others] = this.#queue
    if (first === undefined) return
    this.#isAwaited = false
    this.#queue = []
    this.#bytes = 0
    this.#controller?.enqueue(others.length === 0 ? first : Buffer.concat([first, ...others]))
    if (!this.#wasFull) return
    this.#wasFull = false
    this.#parts.events.drained()
  }

  #finish(): void {
    this.#controller?.close()
    this.leave()
  }

  #giveUp(): void {
    if (this.#state === 'over') return
    // Where the answer cannot be destroyed by itself, its server does it when the body breaks.
    if (this.#parts.abandon === undefined) this.#controller?.error(new Error('the reader took too long'))
    this.leave()
  }

  #drop(): void {
    this.#cancelTimeout?.()
    this.#queue = []
    this.#bytes = 0
  }
}
