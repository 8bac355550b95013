import type { Channel, Gap, Message, Subscribed } from '@holdfast/client'
import type { Place, Range, Who } from './facts.js'
import type { History } from './history.js'
import { type Payload, hashOf, publishName } from './payload.js'

/** Listens to one channel and writes down everything that an application is told, in that order. */
export class Reader {
  readonly who: Who
  readonly channel: Channel
  deliveries = 0
  gaps = 0
  readonly #history: History
  /** The last message, verdict or gap. */
  #at: Place | undefined
  /** A gap was told while connected; where it lets the reader go on is known once it has been handled. */
  #isMoving = false
  /** The gap of a verdict is told right after it. */
  #isOwedGap = false

  constructor(who: Who, channel: Channel, history: History) {
    this.who = who
    this.channel = channel
    this.#history = history
    channel.on('subscribed', (verdict) => this.#subscribed(verdict))
    channel.on('gap', (gap) => this.#gap(gap))
    channel.on('*', (message) => this.#deliver(message as Message<Payload>))
  }

  /** Becomes a member, and writes down who comes and goes, as an application is told. */
  join(): void {
    for (const change of ['joined', 'left'] as const)
      this.channel.presence.on(change, ({ user }) => this.#history.note({ t: 'presence', ...this.who, change, user }))
  }

  /** Where the reader is: all before it has been handled. */
  get at(): Place | undefined {
    this.#settleMove()
    return this.channel.position
  }

  /** Writes down where it has come to rest. */
  rest(): void {
    const { at } = this
    const place = at && { epoch: at.epoch, offset: at.offset }
    this.#history.note({ t: 'rest', ...this.who, ...place, status: this.channel.status })
  }

  #subscribed({ position, recovered, messages, gap }: Subscribed): void {
    this.#settleMove()
    const { epoch, offset } = position
    this.#at = { epoch, offset: offset - messages }
    this.#isOwedGap = gap !== undefined
    const missing = gap && { gap: rangeOf(gap) }
    this.#history.note({ t: 'subscribed', ...this.who, epoch, offset, recovered, messages, ...missing })
  }

  #gap(gap: Gap): void {
    this.#settleMove()
    this.gaps += 1
    this.#isMoving = !this.#isOwedGap
    this.#isOwedGap = false
    this.#history.note({ t: 'gap', ...this.who, ...rangeOf(gap) })
  }

  #deliver({ id = '', offset, data }: Message<Payload>): void {
    this.#settleMove()
    this.deliveries += 1
    const epoch = this.#at?.epoch ?? ''
    if (offset !== undefined) this.#at = { epoch, offset }
    this.#history.note({
      t: 'deliver',
      ...this.who,
      epoch,
      ...(offset !== undefined && { offset }),
      id,
      publish: publishName(data),
      hash: hashOf(data),
      canary: data.canary,
    })
  }

  #settleMove(): void {
    if (!this.#isMoving) return
    this.#isMoving = false
    const { position } = this.channel
    if (position === undefined) return
    const { epoch, offset } = position
    this.#at = { epoch, offset }
    this.#history.note({ t: 'moved', ...this.who, epoch, offset })
  }
}

function rangeOf({ from, to, reason }: Gap): Range {
  return { from, to, reason }
}
