import type { Clock } from '../clock.js'
import type { Engine } from '../engine/engine.js'
import type { EventLog } from './event-log.js'
import { inParallel } from './in-parallel.js'
import type { Interest } from './interest.js'
import { declareDead, type Lives } from './life.js'
import { LIVES, heldBy, listenersOf } from './places.js'
import { lossOf, readRecordedConnection } from './recorder.js'
import { type Subject, readHeld } from './subject.js'
import { mark } from './subjects.js'

/** What orphans work with. */
export interface OrphansParts {
  readonly engine: Pick<Engine, 'registers' | 'records' | 'members'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<EventLog, 'tell'>
  readonly interest: Pick<Interest, 'wants'>
  /** A subject is marked: it can be looked at. */
  readonly onMarked: (tenant: string) => void
  readonly onError: (error: unknown) => void
}

/** How long a node must have been without its lease, beyond the lapse of it, before what it held is told. */
const LOST_MS = 900

/** Entries of a life that are looked at together, and of these at a time. */
const HELD_AT_ONCE = 20_000
const AT_ONCE = 32

/** Members whose entry is still there belong to another node, too, or were not let go of yet: they are looked at again, soon at first, for as long as letting go may take. */
const MEMBERS_SOON_MS = 5_000
const MEMBERS_EVERY_MS = 5_000
const MEMBERS_FOR_MS = 45_000

interface Passing {
  readonly since: number
  membersAt: number
}

/**
 * What lives of nodes have left behind that are over: tells the end of each connection, and has each channel and member looked at. An entry goes after it was told, so
 * that whoever dies meanwhile leaves the rest to the next; told twice it is the same event.
 */
export class Orphans {
  readonly #parts: OrphansParts
  readonly #lost = new Map<string, number>()
  readonly #passing = new Map<string, Passing>()

  constructor(parts: OrphansParts) {
    this.#parts = parts
  }

  /** Looks after the lives that are over. Rejects when the engine refuses. */
  async look({ dead, lost }: Pick<Lives, 'dead' | 'lost'>): Promise<void> {
    await this.#declare(lost)
    for (const life of [...this.#passing.keys()]) if (!dead.includes(life)) this.#passing.delete(life)
    for (const life of dead) await this.#bury(life).catch(this.#parts.onError)
  }

  /** A node that was late once is not dead: it has to be gone when it is looked for again. */
  async #declare(lost: readonly string[]): Promise<void> {
    const now = this.#parts.clock.now()
    for (const life of [...this.#lost.keys()]) if (!lost.includes(life)) this.#lost.delete(life)
    for (const life of lost) {
      const since = this.#lost.get(life) ?? now
      this.#lost.set(life, since)
      if (now - since >= LOST_MS) await declareDead(this.#parts.engine, life)
    }
  }

  async #bury(life: string): Promise<void> {
    const { engine, clock } = this.#parts
    const now = clock.now()
    const passing = this.#passing.get(life) ?? { since: now, membersAt: now }
    this.#passing.set(life, passing)
    const looksAtMembers = now >= passing.membersAt
    if (looksAtMembers && now - passing.since >= MEMBERS_SOON_MS) passing.membersAt = now + MEMBERS_EVERY_MS
    const entries = await engine.registers.list(heldBy(life), HELD_AT_ONCE)
    const isLast = now - passing.since >= MEMBERS_FOR_MS
    await inParallel(entries, AT_ONCE, async ({ key, value }) => {
      const held = readHeld(key)
      const isMember = held?.kind === 'subject' && held.subject.user !== undefined
      if (isMember && !looksAtMembers) return
      if (held?.kind === 'connection') await this.#endConnection(value)
      else if (held !== undefined && !(await this.#passOn(life, held.subject)) && !isLast) return
      await engine.registers.remove(heldBy(life), key)
    })
    const { entries: left } = await engine.registers.totals(heldBy(life))
    if (left > 0) return
    await engine.registers.remove(LIVES, life)
    this.#passing.delete(life)
  }

  async #endConnection(value: string): Promise<void> {
    const about = readRecordedConnection(value)
    if (about === undefined) return
    const { clock, log, interest } = this.#parts
    for (const event of lossOf(about, clock.now()))
      if (interest.wants([event.type], about.tenant)) await log.tell(event)
  }

  /** Has a subject looked at; answers whether that was all there is to do. */
  async #passOn(life: string, subject: Subject): Promise<boolean> {
    const { engine, clock, onMarked } = this.#parts
    const { stream, user } = subject
    if (user === undefined) await engine.registers.remove(listenersOf(stream), life)
    // It is marked after it is gone: a mark that came before would be looked at in vain.
    const isGone = user === undefined || (await engine.members.find(stream, user)) === undefined
    await mark(engine, subject, `${life}.${clock.now()}`)
    onMarked(stream.tenant)
    return isGone
  }
}
