import type { LifecycleListener } from '../core/lifecycle.js'
import type { Engine, MemberChange, PresenceEntry, Stream } from '../engine/engine.js'
import type { LifecycleType } from './event.js'
import { flag } from './flag.js'
import type { Interest } from './interest.js'
import type { Lanes } from './lanes.js'
import type { Life } from './life.js'
import { DIRTY_MAX, ENTRY_MS, dirtyOf, heldBy, listenersOf } from './places.js'
import { type Subject, subjectKey } from './subject.js'
import type { Wake } from './wake.js'

/** What subjects work with. */
export interface SubjectsParts {
  readonly engine: Pick<Engine, 'registers'>
  readonly life: Pick<Life, 'id'>
  readonly lanes: Lanes
  readonly wake: Pick<Wake, 'say'>
  readonly interest: Pick<Interest, 'wants'>
  /** Whether somebody on this node listens to a channel now. */
  readonly isHeardHere: (stream: Stream) => boolean
  /** A work that has no place among those that wait. */
  readonly onDropped: () => void
}

const CHANNEL_TYPES: readonly LifecycleType[] = ['occupied', 'vacated']
const MEMBER_TYPES: readonly LifecycleType[] = ['joined', 'left']

/**
 * The channels and members of this node, for whoever tells of them: enters what it would leave behind, and marks what has changed. Whether a channel was occupied or
 * a member has joined is not decided here: only who looks at all nodes knows.
 */
export class Subjects implements Pick<LifecycleListener, 'channelChanged' | 'entering' | 'entered' | 'left'> {
  readonly #parts: SubjectsParts
  /** Channels of which something may be entered; those of which all is. */
  readonly #channels = new Map<string, Stream>()
  readonly #entered = new Set<string>()
  /** Channels that wait to be compared with what is entered. */
  readonly #waiting = new Set<string>()
  /** The sessions of each member that are present through this node. */
  readonly #members = new Map<string, { readonly subject: Subject; readonly sessions: Set<string> }>()
  #marks = 0

  constructor(parts: SubjectsParts) {
    this.#parts = parts
  }

  /** Channels and members that are entered. */
  get size(): number {
    return this.#channels.size + this.#members.size
  }

  channelChanged(stream: Stream): void {
    const key = subjectKey({ stream, user: undefined })
    if (this.#waiting.has(key)) return
    if (!this.#channels.has(key) && !this.#parts.interest.wants(CHANNEL_TYPES, stream.tenant)) return
    this.#waiting.add(key)
    this.#later(stream, key, async () => {
      this.#waiting.delete(key)
      await this.#syncChannel(key, stream)
    })
  }

  entering(stream: Stream, entry: PresenceEntry): void {
    const subject = { stream, user: entry.user }
    const key = subjectKey(subject)
    const known = this.#members.get(key)
    if (known === undefined && !this.#parts.interest.wants(MEMBER_TYPES, stream.tenant)) return
    const member = known ?? { subject, sessions: new Set<string>() }
    this.#members.set(key, member)
    member.sessions.add(sessionOf(entry))
    if (member.sessions.size === 1) this.#later(stream, key, () => this.#hold(key))
  }

  /** A session that is in a channel already. */
  found(stream: Stream, entry: PresenceEntry): void {
    const subject = { stream, user: entry.user }
    const key = subjectKey(subject)
    if (this.#members.get(key)?.sessions.has(sessionOf(entry)) === true) return
    this.entering(stream, entry)
    if (this.#members.has(key)) this.#markLater(subject)
  }

  /** Of several connections the first makes a member. One whose entry changed nothing was entered before, by a step whose answer nobody heard. */
  entered(stream: Stream, { user }: PresenceEntry, { before, changed }: MemberChange): void {
    const subject = { stream, user }
    if (this.#members.has(subjectKey(subject)) && (before === 0 || !changed)) this.#markLater(subject)
  }

  left(stream: Stream, entry: PresenceEntry, { member }: MemberChange): void {
    const subject = { stream, user: entry.user }
    const key = subjectKey(subject)
    const known = this.#members.get(key)
    known?.sessions.delete(sessionOf(entry))
    if (known?.sessions.size === 0) this.#members.delete(key)
    if (known === undefined && !this.#parts.interest.wants(MEMBER_TYPES, stream.tenant)) return
    if (member.connections === 0) this.#markLater(subject)
    this.#later(stream, key, () => this.#letGo(key))
  }

  /** Enters everything again, and has it looked at: it may have been lost, or is soon to end, or belonged to another life. */
  refresh(): void {
    for (const [key, stream] of this.#channels)
      this.#later(stream, key, () => (this.#channels.has(key) ? this.#enterChannel(key, stream) : Promise.resolve()))
    for (const [key, { subject }] of this.#members) {
      this.#later(subject.stream, key, async () => {
        if (this.#members.has(key)) await this.#hold(key)
      })
      this.#markLater(subject)
    }
  }

  async #syncChannel(key: string, stream: Stream): Promise<void> {
    if (this.#parts.isHeardHere(stream)) return this.#entered.has(key) ? undefined : this.#enterChannel(key, stream)
    if (!this.#channels.has(key)) return
    this.#entered.delete(key)
    await this.#parts.engine.registers.remove(listenersOf(stream), this.#parts.life.id)
    await this.#mark({ stream, user: undefined })
    await this.#parts.engine.registers.remove(heldBy(this.#parts.life.id), key)
    this.#channels.delete(key)
    // Somebody may have come meanwhile.
    if (this.#parts.isHeardHere(stream)) this.channelChanged(stream)
  }

  async #enterChannel(key: string, stream: Stream): Promise<void> {
    this.#channels.set(key, stream)
    await this.#hold(key)
    const request = { key: this.#parts.life.id, ttlMs: ENTRY_MS }
    await this.#parts.engine.registers.put(listenersOf(stream), request)
    await this.#mark({ stream, user: undefined })
    this.#entered.add(key)
  }

  #hold(key: string): Promise<unknown> {
    return this.#parts.engine.registers.put(heldBy(this.#parts.life.id), { key, ttlMs: ENTRY_MS })
  }

  async #letGo(key: string): Promise<void> {
    if (!this.#members.has(key)) await this.#parts.engine.registers.remove(heldBy(this.#parts.life.id), key)
  }

  #markLater(subject: Subject): void {
    this.#later(subject.stream, subjectKey(subject), () => this.#mark(subject))
  }

  /** Each mark is an entry of its own, so that who removes one that was looked at removes none that came since. */
  async #mark(subject: Subject): Promise<void> {
    const { engine, life, wake } = this.#parts
    await mark(engine, subject, `${life.id}.${(this.#marks += 1)}`)
    wake.say('changed', subject.stream.tenant)
  }

  #later({ tenant }: Stream, key: string, work: () => Promise<unknown>): void {
    if (this.#parts.lanes.add(key, work, tenant)) return
    this.#waiting.delete(key)
    this.#parts.onDropped()
  }
}

/** Has a subject looked at; `name` is that of no other mark. Rejects when the engine refuses, or too much of the tenant waits to be looked at. */
export async function mark(engine: Pick<Engine, 'registers'>, subject: Subject, name: string): Promise<void> {
  const { tenant } = subject.stream
  const request = { key: `${name} ${subjectKey(subject)}`, ttlMs: ENTRY_MS, entriesMax: DIRTY_MAX }
  if ((await engine.registers.put(dirtyOf(tenant), request)) === undefined)
    throw new Error('more changes of a tenant than can be kept wait to be told')
  await flag(engine, tenant, 'marked')
}

function sessionOf({ connection, session }: PresenceEntry): string {
  return `${connection} ${session}`
}
