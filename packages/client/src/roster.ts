import type { Counts, Member, ServerMessageOf } from '@holdfast/protocol'
import { Emitter, type Report } from './emitter.js'
import type { PresenceOption } from './subscription.js'

/** What happens among the members of a channel. */
export interface RosterEvents {
  joined: Member
  left: Member
  updated: Member
  /** After each of the others, and whenever the whole list is replaced. */
  change: Roster
}

/** The counts of an empty channel. */
export const NOBODY: Counts = { members: 0, connections: 0 }

type Moved = ServerMessageOf<'joined'> | ServerMessageOf<'left'> | ServerMessageOf<'updated'>

/** Who is in a channel. Kept while away, and compared with the truth on return. */
export class Roster {
  readonly #members = new Map<string, Member>()
  readonly #emitter: Emitter<RosterEvents>
  readonly #join: (presence: PresenceOption) => void
  #counts = NOBODY

  /** `left` is called after a listener went, `join` when somebody wants to know or to be known, so that the channel is subscribed with presence. */
  constructor(report: Report, left: () => void, join: (presence: PresenceOption) => void) {
    this.#emitter = new Emitter(report, left)
    this.#join = join
  }

  /** The members by user. In a channel of more than 1,000 a part of them; `counts` tells the whole. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members
  }

  /** Whether anybody listens. */
  has(): boolean {
    return this.#emitter.has()
  }

  /** How many users, and how many connections of theirs. */
  get counts(): Counts {
    return this.#counts
  }

  /** Adds a listener, and joins the channel's presence; returns the undo of the listener. */
  on<E extends keyof RosterEvents>(event: E, listener: (value: RosterEvents[E]) => unknown): () => void {
    this.#join(true)
    return this.#emitter.on(event, listener)
  }

  /**
   * Tells the others something of us (a status, say; at most 1 KiB of JSON), in the place of what was told before. Subscribes to nothing: it
   * is sent with the subscription, and each time that begins anew.
   *
   * @throws HoldfastError `unserialisable` with the path to what cannot travel.
   */
  tell(info: unknown): void {
    this.#join({ info })
  }

  /** Takes the whole list; tells the difference. */
  replace(members: readonly Member[], counts: Counts = NOBODY): void {
    const gone = new Map(this.#members)
    this.#members.clear()
    this.#counts = counts
    const arrived: Member[] = []
    for (const member of members) {
      this.#members.set(member.user, member)
      if (!gone.delete(member.user)) arrived.push(member)
    }
    for (const member of gone.values()) void this.#emitter.emit('left', member)
    for (const member of arrived) void this.#emitter.emit('joined', member)
    void this.#emitter.emit('change', this)
  }

  /** Takes one change. */
  move({ type, member, counts }: Moved): void {
    // The list of a new subscription may name already who is announced a moment later.
    const isKnown = type === 'joined' && this.#members.has(member.user)
    if (type === 'left') this.#members.delete(member.user)
    else this.#members.set(member.user, member)
    this.#counts = counts
    if (!isKnown) void this.#emitter.emit(type, member)
    void this.#emitter.emit('change', this)
  }
}
