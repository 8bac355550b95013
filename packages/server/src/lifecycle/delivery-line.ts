import type { Cancel, Clock } from '../clock.js'
import type { Engine, LogPage } from '../engine/engine.js'
import type { Random } from '../random.js'
import { readCursor, writeCursor } from './cursors.js'
import type { DeliveryCounts } from './delivery-counts.js'
import { DeliveryQueue, type QueuedEvent } from './delivery-queue.js'
import type { Delivery, Destination } from './destination.js'
import type { EventLog } from './event-log.js'
import { readLifecycleEvent } from './event.js'

/** What a line works with. */
export interface DeliveryLineParts {
  readonly engine: Pick<Engine, 'records'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly random: Pick<Random, 'fraction'>
  readonly log: Pick<EventLog, 'read'>
  readonly destination: Destination
  readonly counts: DeliveryCounts
  readonly onError: (error: unknown) => void
  /** Takes a place among all deliveries to the destination; false: `pump` is called when there is one. */
  readonly takePlace: (line: DeliveryLine) => boolean
  readonly leavePlace: () => void
  /** Whether this node may deliver: the lease may have lapsed while it slept. */
  readonly mayDeliver: () => boolean
  /** Somebody else delivers, too: this node does no more. */
  readonly onUsurped: () => void
}

const READ_AT_ONCE = 200

/** From so many characters on a position is written no more often than this. */
const LONG_CHARACTERS = 512
const LONG_MS = 250

/** How often an event is tried that a receiver refuses, or fails at while it takes others; and for how long any is. */
const REFUSALS_MAX = 5
const STRIKES_MAX = 15
const TRIED_FOR_MS = 24 * 3_600_000

/** The events of one tenant on their way to one destination: read from the log, delivered, and the position kept, so that another node can go on. */
export class DeliveryLine {
  readonly tenant: string
  readonly #parts: DeliveryLineParts
  #queue: DeliveryQueue | undefined
  #epoch: string | undefined
  #version = 0
  #saved = ''
  #saving: Promise<void> | undefined
  #looking: Promise<void> | undefined
  #again = false
  #isBehind = false
  #underWay = 0
  #cancel: Cancel | undefined
  #ended = false

  constructor(tenant: string, parts: DeliveryLineParts) {
    this.tenant = tenant
    this.#parts = parts
  }

  /** Events that were read and are not done. */
  get size(): number {
    return this.#queue?.size ?? 0
  }

  /** Whether there was nothing more to read, and all of it is done and stored. */
  get isIdle(): boolean {
    return !this.#isBusy && this.size === 0 && this.#saved === this.#text
  }

  /** Where it stands. */
  get position(): { readonly epoch: string; readonly offset: number } {
    return { epoch: this.#epoch ?? '', offset: this.#queue?.position.offset ?? 0 }
  }

  /** Whether nothing will happen before something that failed is tried again. */
  get isWaiting(): boolean {
    return !this.#isBusy && this.size > 0
  }

  /** There may be more in the log. Resolves when it was looked. */
  look(): Promise<void> {
    this.#again = true
    this.#looking ??= this.#lookUntilSettled().finally(() => {
      this.#looking = undefined
      // Asked after the last round had ended.
      if (this.#again && !this.#ended) void this.look()
    })
    return this.#looking
  }

  /** Delivers what can be delivered now. */
  pump(): void {
    const { clock, destination, takePlace, leavePlace, mayDeliver } = this.#parts
    this.#cancel?.()
    this.#cancel = undefined
    while (!this.#ended && mayDeliver() && this.#underWay < destination.atOncePerTenant) {
      if (!takePlace(this)) return
      const batch = this.#queue?.next(clock.now(), this.#underWay) ?? []
      if (batch.length === 0) {
        leavePlace()
        return this.#waitForTime()
      }
      this.#underWay += 1
      void this.#deliver(batch)
    }
  }

  /** Begins no more deliveries. */
  end(): void {
    this.#ended = true
    this.#cancel?.()
  }

  /** Resolves when the position is stored, or could not be. */
  async saved(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving
  }

  get #isBusy(): boolean {
    return this.#looking !== undefined || this.#underWay > 0 || this.#saving !== undefined
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false
      try {
        await this.#fill(await this.#opened())
      } catch (error) {
        this.#parts.onError(error)
      }
      this.pump()
    }
  }

  async #opened(): Promise<DeliveryQueue> {
    if (this.#queue !== undefined) return this.#queue
    const { engine, destination } = this.#parts
    const { cursor, version } = await readCursor(engine, destination.id, this.tenant)
    this.#version = version
    this.#epoch = cursor?.epoch
    return this.#begin(cursor?.offset ?? 0, cursor?.done ?? [])
  }

  #begin(readTo: number, done: readonly number[] = []): DeliveryQueue {
    const { destination, random } = this.#parts
    this.#queue = new DeliveryQueue(destination.batchMax, () => random.fraction(), readTo, done)
    this.#saved = this.#text
    return this.#queue
  }

  async #fill(opened: DeliveryQueue): Promise<void> {
    for (let queue = opened; !queue.isFull && !this.#ended;) {
      const page = await this.#parts.log.read(this.tenant, queue.readTo + 1, READ_AT_ONCE)
      if (this.#epoch !== page.epoch || page.top.offset < queue.readTo) {
        // What is on its way was read from the log that is gone, and counts by its offsets.
        if (queue.size > 0) return
        queue = this.#changeLog(page)
        continue
      }
      this.#isBehind = this.#take(queue, page)
      if (!this.#isBehind) return this.#save()
    }
  }

  /** The log is another, or shorter, than the one that the position is of. */
  #changeLog({ epoch, first }: LogPage): DeliveryQueue {
    const isFirst = this.#epoch === undefined
    if (!isFirst) this.#parts.counts.lost(this.#parts.destination.name, this.tenant, 1, 'epoch_changed')
    this.#epoch = epoch
    const queue = this.#begin(isFirst ? first - 1 : 0)
    // Stored before anything is delivered: what goes from the log until then is missed by somebody.
    this.#saved = ''
    return queue
  }

  /** Answers whether there is more. */
  #take(queue: DeliveryQueue, { messages, first, top }: LogPage): boolean {
    const { counts, destination } = this.#parts
    if (first > queue.readTo + 1) {
      counts.lost(destination.name, this.tenant, first - queue.readTo - 1, 'trimmed')
      queue.skip(first - 1)
    }
    for (const { offset = 0, data } of messages) {
      const event = readLifecycleEvent(data)
      const isWanted = event?.tenant === this.tenant && destination.wants(event.type, this.tenant)
      queue.add(offset, isWanted ? event : undefined)
    }
    return messages.length > 0 && queue.readTo < top.offset
  }

  async #deliver(batch: readonly QueuedEvent[]): Promise<void> {
    const { destination, leavePlace, clock } = this.#parts
    const events = batch.map(({ event }) => event)
    const delivery = await destination.deliver(this.tenant, events)
    this.#underWay -= 1
    leavePlace()
    this.#judge(batch, delivery, clock.now())
    this.#save()
    if (this.#isBehind && this.#queue?.isFull === false) void this.look()
    else this.pump()
  }

  #judge(batch: readonly QueuedEvent[], delivery: Delivery, now: number): void {
    const { counts, destination } = this.#parts
    if (delivery === 'taken') {
      counts.delivered(batch.length)
      return this.#queue?.taken(batch, now)
    }
    counts.failed(batch.length)
    const over = batch.filter((queued) => this.#isOver(queued, delivery, now))
    const others = batch.filter((queued) => !over.includes(queued))
    const wasOutage = this.#queue?.isOutage
    this.#queue?.fail(others, delivery === 'refused', now)
    if (wasOutage === false && this.#queue?.isOutage === true) counts.outage(destination.name, this.tenant, delivery)
    if (over.length === 0) return
    counts.dropped(destination.name, this.tenant, over.length, delivery)
    this.#queue?.settle(over, now)
  }

  #isOver({ event, refusals, strikes, isOdd }: QueuedEvent, delivery: Delivery, now: number): boolean {
    if (delivery === 'gone' || now - Date.parse(event.at) >= TRIED_FOR_MS) return true
    if (delivery === 'refused' && isOdd && refusals + 1 >= REFUSALS_MAX) return true
    return strikes + 1 >= STRIKES_MAX && this.#queue?.isOutage === false
  }

  #waitForTime(): void {
    const { clock } = this.#parts
    const at = this.#queue?.nextAt(clock.now())
    if (at !== undefined) this.#cancel = clock.after(at - clock.now(), () => this.pump())
  }

  // The position

  get #text(): string {
    const { offset, done } = this.#queue?.position ?? { offset: 0, done: [] }
    return JSON.stringify({ epoch: this.#epoch ?? '', offset, done })
  }

  #save(): void {
    this.#saving ??= this.#saveUntilSettled()
  }

  async #saveUntilSettled(): Promise<void> {
    const { onError } = this.#parts
    await Promise.resolve()
    try {
      while (this.#saved !== this.#text) {
        await this.#saveNow()
        if (!this.#ended && this.#isLong) await this.#pause()
      }
    } catch (error) {
      // Tried again with the next event, or the next look.
      onError(error)
    } finally {
      this.#saving = undefined
    }
  }

  /** A position with much that is done above it, which must not be written with each event. */
  get #isLong(): boolean {
    return this.#text.length > LONG_CHARACTERS
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(LONG_MS, resolve)
    })
  }

  async #saveNow(): Promise<void> {
    const { engine, destination, onUsurped } = this.#parts
    const text = this.#text
    const { offset, done } = this.#queue?.position ?? { offset: 0, done: [] }
    const cursor = { epoch: this.#epoch ?? '', offset, done }
    const place = { destination: destination.id, tenant: this.tenant }
    const version = await writeCursor(engine, place, cursor, this.#version)
    // Where another has written, what this one would store is no more than what it did.
    this.#saved = version === undefined ? this.#text : text
    if (version === undefined) onUsurped()
    else this.#version = version
  }
}
