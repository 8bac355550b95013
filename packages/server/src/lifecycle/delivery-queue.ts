import type { LifecycleEvent } from './event.js'

/** An event on its way. */
export interface QueuedEvent {
  readonly offset: number
  readonly event: LifecycleEvent
  /** How often it was delivered in vain; how often of these the receiver refused it; and how often while the receiver took others. */
  attempts: number
  refusals: number
  strikes: number
  /** Whether the receiver has taken others since it refused this one: then it is about the event. */
  isOdd: boolean
  /** Not before this time, in milliseconds since 1970. */
  notBefore: number
}

/** Milliseconds to the first new try; each further one waits twice as long, up to the longest. */
const FIRST_MS = 1_000
const LONGEST_MS = 300_000

/** How long a receiver that does not answer is left alone at most. */
const PAUSE_MAX_MS = 30_000

/** Events that are not done, and offsets from the first of them on, that are read ahead. */
const WINDOW = 1_000
const SPAN = 5_000

/** So many failures in a row are an outage. */
const OUTAGE = 3

/**
 * The events of one tenant on their way to one receiver. Of one key there is one delivery under way at a time, so that their order stays. What failed is tried again later and by
 * itself, so that an event that the receiver cannot take holds up nothing but what has the same key.
 */
export class DeliveryQueue {
  readonly #batchMax: number
  /** `spread` answers a fraction of 1, so that receivers are not asked by all at the same time. */
  readonly #spread: () => number
  readonly #events = new Map<number, QueuedEvent>()
  /** Offsets that are done, above one that is not. */
  readonly #done = new Set<number>()
  /** Keys of which something is under way. */
  readonly #underWay = new Set<string>()
  #readTo: number
  #failures = 0
  #pausedUntil = 0

  /** Everything up to `readTo` was delivered before, and what is in `done`. */
  constructor(batchMax: number, spread: () => number, readTo: number, done: readonly number[] = []) {
    this.#batchMax = batchMax
    this.#spread = spread
    this.#readTo = readTo
    for (const offset of done) this.#done.add(offset)
  }

  /** Events that are not done. */
  get size(): number {
    return this.#events.size
  }

  /** Whether nothing was taken for a while: it is the receiver that fails, not what it is given. */
  get isOutage(): boolean {
    return this.#failures >= OUTAGE
  }

  /** Whether no more is to be read ahead. */
  get isFull(): boolean {
    return this.#events.size >= WINDOW || this.#readTo - this.position.offset >= SPAN
  }

  /** The offset up to which the log was read. */
  get readTo(): number {
    return this.#readTo
  }

  /** Up to where everything is done; and what is done above it. */
  get position(): { readonly offset: number; readonly done: readonly number[] } {
    const [first] = this.#events.keys()
    const offset = first === undefined ? this.#readTo : first - 1
    return { offset, done: [...this.#done].filter((one) => one > offset) }
  }

  /** The next event of the log; undefined: nobody wants what stands there. */
  add(offset: number, event: LifecycleEvent | undefined): void {
    this.#readTo = offset
    if (event === undefined || this.#done.has(offset)) return
    this.#events.set(offset, { offset, event, attempts: 0, refusals: 0, strikes: 0, isOdd: false, notBefore: 0 })
  }

  /** There is nothing any more up to this offset. */
  skip(offset: number): void {
    this.#readTo = Math.max(this.#readTo, offset)
  }

  /** What is to be delivered now, with `underWay` deliveries begun already; nothing while a receiver that fails is left alone. */
  next(now: number, underWay: number): readonly QueuedEvent[] {
    if (now < this.#pausedUntil || (this.#failures > 0 && underWay > 0)) return []
    const batch: QueuedEvent[] = []
    const closed = new Set<string>()
    for (const queued of this.#events.values()) {
      if (batch.length >= this.#batchMax) break
      const { key } = queued.event
      if (closed.has(key)) continue
      if (this.#canJoin(queued, batch, now)) batch.push(queued)
      else closed.add(key)
    }
    for (const { event } of batch) this.#underWay.add(event.key)
    return batch
  }

  /** They were taken. */
  taken(batch: readonly QueuedEvent[], now: number): void {
    this.settle(batch, now)
    for (const queued of this.#events.values()) queued.isOdd ||= queued.refusals > 0
  }

  /** Nothing more is to be done about them. */
  settle(batch: readonly QueuedEvent[], now: number): void {
    for (const { offset, event } of batch) {
      this.#underWay.delete(event.key)
      this.#events.delete(offset)
      this.#done.add(offset)
    }
    const { offset } = this.position
    for (const one of this.#done) if (one <= offset) this.#done.delete(one)
    // The receiver is back: what failed while it was away is not kept waiting.
    if (this.isOutage) for (const queued of this.#events.values()) queued.notBefore = now
    this.#failures = 0
    this.#pausedUntil = 0
  }

  /** They were not taken. */
  fail(batch: readonly QueuedEvent[], isRefusal: boolean, now: number): void {
    for (const queued of batch) {
      this.#underWay.delete(queued.event.key)
      queued.attempts += 1
      if (isRefusal) queued.refusals += 1
      if (!this.isOutage) queued.strikes += 1
      queued.notBefore = now + this.#backOff(queued.attempts, LONGEST_MS)
    }
    this.#failures += 1
    if (this.#failures > 1) this.#pausedUntil = now + this.#backOff(this.#failures - 1, PAUSE_MAX_MS)
  }

  /** When something is due that is not yet; undefined: nothing waits for its time. */
  nextAt(now: number): number | undefined {
    let next: number | undefined
    const seen = new Set<string>()
    for (const { event, notBefore } of this.#events.values()) {
      if (seen.has(event.key)) continue
      seen.add(event.key)
      const at = Math.max(notBefore, this.#pausedUntil)
      if (at > now && !this.#underWay.has(event.key)) next = Math.min(next ?? Infinity, at)
    }
    return next
  }

  /** What was refused goes alone, so that nothing is given up with it; what has failed goes with its key; what has not goes with all others that have not. */
  #canJoin(queued: QueuedEvent, batch: readonly QueuedEvent[], now: number): boolean {
    if (this.#underWay.has(queued.event.key) || queued.notBefore > now) return false
    const [first] = batch
    if (first === undefined) return true
    if (first.attempts === 0) return queued.attempts === 0
    const wasRefused = first.refusals > 0 || queued.refusals > 0
    return !wasRefused && queued.event.key === first.event.key && queued.attempts > 0
  }

  #backOff(attempts: number, longest: number): number {
    const full = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 20), longest)
    return full * (0.5 + 0.5 * this.#spread())
  }
}
