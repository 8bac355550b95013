import type { GapRange, Position, Sender, ServerMessageOf } from '@holdfast/protocol'
import type { Tally } from './statistics.js'

type Wire = ServerMessageOf<'message'>
type Verdict = ServerMessageOf<'subscribed'>

/** A message of a channel. */
export interface Message<T = unknown, E extends string = string> {
  readonly channel: string
  /** The application's word for it. */
  readonly event: E
  readonly data: T
  /** Who sent it; set by the server. */
  readonly from: Sender
  /** When, ISO-8601 UTC. */
  readonly at: string
  /** Names this message; a signal has none. */
  readonly id: string | undefined
  /** Its place in the stream; absent on what is not stored. */
  readonly offset: number | undefined
  /** It was missed, and recovered from the log. */
  readonly recovered: boolean
}

/** What could not be recovered: offsets `from` to `to` (null: not known), and why. */
export interface Gap extends GapRange {
  readonly channel: string
}

/** How a subscription began, or went on after a break. */
export interface Subscribed {
  readonly channel: string
  /** `new`: nothing was asked for; `full`: all that was missed follows; `gap`: part of it is lost. */
  readonly recovered: Verdict['recovered']
  readonly gap: Gap | undefined
  /** Messages that follow now, those seen before left out. */
  readonly messages: number
  readonly position: Position
}

/** What a dispatcher hands on. What a call returns is awaited before the next is made. */
export interface Deliveries {
  message(message: Message): Promise<unknown> | undefined
  gap(gap: Gap): Promise<unknown> | undefined
  subscribed(subscribed: Subscribed): Promise<unknown> | undefined
  /** The handlers of everything up to here have settled. Called once for a run of handlers that did not wait. */
  moved(position: Position): void
  /** Everything was handed on after messages had to be turned away: they have to be recovered. */
  starved(): void
}

interface Item {
  readonly run: () => Promise<unknown> | undefined
  readonly position?: Position | undefined
  /** The message that it hands on. */
  readonly id?: string
}

/** Messages that are known again by their ids: of those with an offset, and of those without, as many as a node keeps while its store is away. */
const STORED_MAX = 1024
const UNSTORED_MAX = 10_000

/**
 * Hands the messages of one channel to the application: in order, one at a time, each once. `head` is the last one taken in,
 * which decides what is new; `position` is the last one whose handlers have settled, which is what may be kept.
 */
export class Dispatcher {
  head: Position | undefined
  position: Position | undefined
  readonly #channel: string
  readonly #backlogMax: number
  readonly #tally: Pick<Tally, 'messages' | 'duplicatesDropped' | 'gaps'>
  readonly #deliveries: Deliveries
  /** Messages without an offset, and apart from them those with one: a degraded node sends the same one first without, later with it. */
  readonly #unstored = new Set<string>()
  readonly #stored = new Set<string>()
  #backlog: Item[] = []
  /** The last one whose handlers were called. */
  #begun: Position | undefined
  /** The last one that was told. */
  #told: Position | undefined
  #busy = false
  #starving = false
  #unstoredLost = false

  constructor(
    channel: string,
    backlogMax: number,
    tally: Pick<Tally, 'messages' | 'duplicatesDropped' | 'gaps'>,
    deliveries: Deliveries,
  ) {
    this.#channel = channel
    this.#backlogMax = backlogMax
    this.#tally = tally
    this.#deliveries = deliveries
  }

  /** Starts over at a position, or with nothing known. */
  reset(position: Position | undefined): void {
    this.head = this.position = this.#begun = this.#told = position
    this.#unstored.clear()
    this.#stored.clear()
  }

  /** Lets go of what was not handed on, so that it can be asked for again. */
  rewind(): void {
    for (const { id = '' } of this.#backlog) {
      this.#unstored.delete(id)
      this.#stored.delete(id)
    }
    this.#backlog = []
    this.head = this.#begun
  }

  /** Takes the verdict on a subscription, with what was missed. The gap goes before any later message. */
  subscribed(verdict: Verdict): void {
    const { position, recovered, messages } = verdict
    const gap = this.#gapOf(verdict)
    if (this.#isOtherStream(position, gap)) this.head = startOf(verdict)
    const fresh = messages.flatMap((message) => this.#take(message, recovered !== 'new') ?? [])
    const { epoch, offset } = position
    if (!this.head || offset >= this.head.offset) this.head = position
    this.#starving = false
    const report = { channel: this.#channel, recovered, gap, messages: fresh.length, position }
    this.#backlog.push({ run: () => this.#deliveries.subscribed(report) })
    if (gap) this.#backlog.push(this.#gapItem(gap))
    this.#backlog.push(...fresh, { run: nothing, position: this.head.epoch === epoch ? this.head : undefined })
    this.#run()
  }

  /** Takes a live message. */
  message(message: Wire): void {
    if (this.#backlog.length >= this.#backlogMax) this.#starving = true
    if (this.#starving) {
      this.#unstoredLost ||= message.offset === undefined
      return
    }
    // What was seen already is handed on to nobody, but the position moves over it.
    this.#backlog.push(this.#take(message, false) ?? { run: nothing, position: this.head })
    this.#run()
  }

  /** Takes a gap that the server announces while connected. */
  gap(announced: ServerMessageOf<'gap'>): void {
    const { from, to, reason, position } = announced
    // What was turned away comes before it; the recovery of that tells the gap as well.
    if (this.#starving) return
    const next = position ?? (this.head && to !== null ? { epoch: this.head.epoch, offset: to } : undefined)
    // Where the stream goes on has to be asked for; the answer tells the gap as well.
    if (!next) return this.#deliveries.starved()
    this.head = next
    this.#backlog.push(this.#gapItem({ channel: this.#channel, from, to, reason }, next))
    this.#run()
  }

  #gapOf({ recovered, gap }: Verdict): Gap | undefined {
    const lost = this.#unstoredLost
    this.#unstoredLost = false
    if (recovered === 'gap' && gap) return { channel: this.#channel, ...gap }
    // What is not stored and was turned away cannot be recovered by anybody.
    return lost ? { channel: this.#channel, from: 0, to: null, reason: 'overflow' } : undefined
  }

  /** A log that begins anew, or one that is shorter than what was read of it. */
  #isOtherStream(position: Position, gap: Gap | undefined): boolean {
    if (!this.head) return true
    return this.head.epoch !== position.epoch || (gap !== undefined && position.offset < this.head.offset)
  }

  /** The message as an item, or undefined when it was seen before. */
  #take(message: Wire, recovered: boolean): Item | undefined {
    const { id, offset } = message
    const { head } = this
    let seen = this.#unstored.has(id) || this.#stored.has(id)
    if (offset !== undefined && head) {
      if (offset > head.offset) this.head = { epoch: head.epoch, offset, id }
      else seen = true
    }
    if (seen) {
      this.#tally.duplicatesDropped += 1
      return undefined
    }
    this.#tally.messages += 1
    if (offset === undefined) remember(this.#unstored, id, UNSTORED_MAX)
    else remember(this.#stored, id, STORED_MAX)
    const delivered = toMessage(message, recovered)
    const position = offset === undefined ? undefined : this.head
    return { run: () => this.#deliveries.message(delivered), position, id }
  }

  #gapItem(gap: Gap, position?: Position): Item {
    this.#tally.gaps += 1
    return { run: () => this.#deliveries.gap(gap), position }
  }

  #run(): void {
    if (this.#busy) return
    this.#busy = true
    for (let item = this.#backlog.shift(); item; item = this.#backlog.shift()) {
      const { position } = item
      this.#begun = position ?? this.#begun
      const pending = item.run()
      if (pending) {
        this.#tell()
        return void pending.then(() => this.#settled(position))
      }
      this.position = position ?? this.position
    }
    this.#tell()
    this.#busy = false
    if (this.#starving) this.#deliveries.starved()
  }

  #settled(position: Position | undefined): void {
    this.position = position ?? this.position
    this.#tell()
    this.#busy = false
    this.#run()
  }

  #tell(): void {
    const { position } = this
    if (position && position !== this.#told) this.#deliveries.moved((this.#told = position))
  }
}

function remember(ids: Set<string>, id: string, max: number): void {
  ids.add(id)
  if (ids.size > max) ids.delete(ids.values().next().value!)
}

function nothing(): undefined {}

/** Just before the first message of a stream that is read for the first time. */
export function startOf({ position, messages }: Verdict): Position {
  const first = messages.find((message) => message.offset !== undefined)?.offset
  return { epoch: position.epoch, offset: first === undefined ? position.offset : first - 1 }
}

/** A message of the server as the application gets it. */
export function toMessage({ type: _, ...message }: Wire, recovered: boolean): Message {
  return { ...message, recovered } as Message
}
