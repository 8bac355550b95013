import type { CommandId, CommandType, Decoded } from '@holdfast/protocol'
import { isRefusal } from '@holdfast/protocol'
import type { Clock } from '../../clock.js'
import type { AuditFields } from '../../telemetry/audit.js'
import { encodeError } from '../connection/encode.js'
import { HoldfastError } from '../errors.js'
import type { ConnectionRates } from './rate-limits.js'
import type { Refusals } from './refusals.js'
import { TokenBucket } from '../../token-bucket.js'

/** What is counted of one connection. */
export type ConnectionRate = keyof ConnectionRates

/** What a throttle needs of its connection. */
export interface ThrottleOwner {
  readonly outbox: { readonly hasRoom: boolean }
  /** Whether it was told goodbye. */
  readonly isOver: boolean
  /** Who it is, for the audit trail. */
  readonly who: AuditFields
  send(text: string): void
  /** Closes a connection that does not stop, and reads nothing of it any more. */
  shutOut(): void
}

/** What a throttle works with. */
export interface ThrottleParts {
  readonly clock: Pick<Clock, 'now'>
  readonly rates: ConnectionRates
  readonly refusals: Refusals
}

/** Commands that are counted twice: as commands, and as what they do. */
const COUNTED_AS: Readonly<Partial<Record<CommandType, ConnectionRate>>> = {
  subscribe: 'subscribes',
  unsubscribe: 'subscribes',
  publish: 'publishes',
  signal: 'publishes',
  history: 'reads',
  presence: 'reads',
  refresh: 'refreshes',
}

/**
 * How much one connection may do. What is over is refused, with the time after which it is not; whoever goes on all the same has to go. A bucket is made when it is
 * first needed, and let go of when it is full again: most connections are idle.
 */
export class Throttle {
  readonly #parts: ThrottleParts
  readonly #owner: ThrottleOwner
  #buckets: { [K in ConnectionRate]?: TokenBucket } | undefined

  constructor(parts: ThrottleParts, owner: ThrottleOwner) {
    this.#parts = parts
    this.#owner = owner
  }

  /** 0: a frame of so many bytes may be looked at; else after how many milliseconds it might have been, which `refuseFrame` is to be told. */
  frameWait(bytes: number): number {
    return this.#take('bytes', bytes)
  }

  /** Answers each command of a frame that was over. */
  refuseFrame(waitMs: number, commands: readonly Decoded[]): void {
    for (const decoded of commands) this.#refuse('bytes', waitMs, idOf(decoded))
  }

  /** Whether a command, or what was meant to be one, may be carried out. False: it was answered. */
  admits(decoded: Decoded): boolean {
    return this.admitsCommand(isRefusal(decoded) ? undefined : decoded.command.type, idOf(decoded))
  }

  /** The same of a command that may have no form of its own. */
  admitsCommand(type: CommandType | undefined, id: CommandId | undefined): boolean {
    return this.#takes('commands', id) && (type === undefined || this.#takes(COUNTED_AS[type], id))
  }

  /** Whether a ping may be answered, or a pong be believed. False: the connection was closed. */
  admitsControlFrame(): boolean {
    if (this.#owner.isOver) return false
    if (this.#take('controlFrames', 1) === 0) return true
    this.#parts.refusals.note('controlFrames', this.#owner.who)
    this.#owner.shutOut()
    return false
  }

  /** Lets go of what is as good as new. */
  rest(): void {
    const now = this.#parts.clock.now()
    const kept = Object.entries(this.#buckets ?? {}).filter(
      ([of, bucket]) => !bucket.isFull(now, this.#parts.rates[of as ConnectionRate]),
    )
    this.#buckets = kept.length === 0 ? undefined : Object.fromEntries(kept)
  }

  #takes(of: ConnectionRate | undefined, id: CommandId | undefined): boolean {
    const waitMs = of === undefined ? 0 : this.#take(of, 1)
    if (of !== undefined && waitMs > 0) this.#refuse(of, waitMs, id)
    return waitMs === 0
  }

  #take(of: ConnectionRate, cost: number): number {
    this.#buckets ??= {}
    const bucket = (this.#buckets[of] ??= new TokenBucket())
    return bucket.take(cost, this.#parts.clock.now(), this.#parts.rates[of])
  }

  #refuse(of: ConnectionRate, retryAfter: number, id: CommandId | undefined): void {
    const { refusals } = this.#parts
    if (this.#owner.isOver) return
    refusals.note(of, this.#owner.who)
    if (this.#take('refusals', 1) > 0) {
      refusals.note('refusals', { ...this.#owner.who, action: 'close' })
      return this.#owner.shutOut()
    }
    // A client that does not read must not fill its queue with refusals.
    if (this.#owner.outbox.hasRoom)
      this.#owner.send(encodeError(new HoldfastError('rate_limited', undefined, { retryAfter }), id))
  }
}

function idOf(decoded: Decoded): CommandId | undefined {
  return isRefusal(decoded) ? decoded.id : decoded.command.id
}
