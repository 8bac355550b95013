import { type Clock, timestamp } from '../clock.js'
import type { Engine, RegisterEntry } from '../engine/engine.js'
import type { Random } from '../random.js'
import type { LifecycleEvent } from './event.js'
import type { EventLog } from './event-log.js'
import { inParallel } from './in-parallel.js'
import type { Interest } from './interest.js'
import { DIRTY_TENANTS, TENANTS_MAX, TOLD_MS, dirtyOf, listenersOf, toldOf } from './places.js'
import { type Subject, readSubject, subjectKey } from './subject.js'
import { flag, flagKey, flaggedTenant } from './flag.js'

/** What a reconciler works with. */
export interface ReconcilerParts {
  readonly engine: Pick<Engine, 'records' | 'registers' | 'members'>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly log: Pick<EventLog, 'tell'>
  readonly interest: Pick<Interest, 'wants'>
  /** Whether a life goes on; looks again where it is not known. */
  readonly isLive: (life: string) => Promise<boolean>
  readonly onError: (error: unknown) => void
}

/** What was told last of a subject. */
interface Told {
  /** Occupied, or joined. */
  readonly on: boolean
  /** An event that may not be in the log yet. */
  readonly event?: LifecycleEvent
}

/** Marks of one tenant, tenants, and subjects that are looked at together. */
const MARKS_AT_ONCE = 1_000
const TENANTS_AT_ONCE = 8
const SUBJECTS_AT_ONCE = 16

/** Lives that may listen to one channel. */
const LISTENERS_MAX = 10_000

/** How long a change of state is remembered that leaves nothing behind: longer than anybody could be on the way with an older one. */
const OFF_MS = 600_000

/** How often a tenant is looked at in one go, however much changes meanwhile: the rest is left to the next look, so that none keeps the others waiting. */
const ROUNDS_MAX = 5

/** How often a write that met another is tried again. */
const TRIES = 8

/**
 * Tells of channels and members what is different from what was told last. Each event is written down before it is logged, by compare-and-set, so that of several who
 * look at a subject (one that was frozen, and one that took its place) one tells of a change, and what one began another ends.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
  }

  /** Looks at all tenants of which something has changed. Rejects when the engine refuses. */
  async all(): Promise<void> {
    const flagged = await this.#parts.engine.registers.list(DIRTY_TENANTS, TENANTS_MAX * 2)
    await this.some([...new Set(flagged.map(({ key }) => flaggedTenant(key)))])
  }

  /** Looks at these tenants. What cannot be done for one of them keeps nobody else waiting. */
  async some(tenants: readonly string[]): Promise<void> {
    await inParallel(tenants, TENANTS_AT_ONCE, (tenant) => this.#one(tenant).catch(this.#parts.onError))
  }

  async #one(tenant: string): Promise<void> {
    if (this.#running.has(tenant)) return void this.#again.add(tenant)
    this.#running.add(tenant)
    try {
      for (let rounds = 1, goesOn = true; goesOn; rounds += 1) {
        this.#again.delete(tenant)
        await this.#look(tenant)
        goesOn = rounds < ROUNDS_MAX && this.#again.has(tenant)
      }
    } finally {
      this.#running.delete(tenant)
      this.#again.delete(tenant)
    }
  }

  /**
   * The flag of those who mark is taken down before it is looked whether a mark is left: they raise it after their mark. Until that is known another flies, so that whoever
   * goes on where this one stopped finds the tenant.
   */
  async #look(tenant: string): Promise<void> {
    const { engine } = this.#parts
    const marks = await engine.registers.list(dirtyOf(tenant), MARKS_AT_ONCE)
    await inParallel(bySubject(marks), SUBJECTS_AT_ONCE, ([key, names]) => this.#settle(tenant, key, names))
    if (marks.length === MARKS_AT_ONCE) return
    await flag(engine, tenant, 'unsure')
    await engine.registers.remove(DIRTY_TENANTS, flagKey(tenant, 'marked'))
    const { entries } = await engine.registers.totals(dirtyOf(tenant))
    if (entries === 0) await engine.registers.remove(DIRTY_TENANTS, flagKey(tenant, 'unsure'))
  }

  async #settle(tenant: string, key: string, marks: readonly string[]): Promise<void> {
    const { engine } = this.#parts
    const subject = readSubject(key)
    // What names another tenant was written by nobody of us.
    if (subject?.stream.tenant === tenant) await this.#compare(subject)
    await Promise.all(marks.map((name) => engine.registers.remove(dirtyOf(tenant), name)))
  }

  /** Tells of one subject what has to be told. Rejects when the engine refuses. */
  async #compare(subject: Subject): Promise<void> {
    const { records } = this.#parts.engine
    const record = toldOf(subjectKey(subject))
    for (let tries = 0; tries < TRIES; tries += 1) {
      const held = await records.get(record)
      const told = readTold(held?.value)
      let version = held?.version ?? 0
      if (told.event !== undefined) {
        const next = await this.#finish(record, told, version)
        if (next === undefined) continue
        version = next
      }
      const on = await this.#isOn(subject)
      if (on === told.on) return on ? void (await this.#write(record, { on }, version)) : undefined
      const event = this.#eventOf(subject, on)
      const next = await this.#write(record, { on, event }, version)
      if (next === undefined) continue
      await this.#finish(record, { on, event }, next)
      return
    }
    throw new Error('what was told of a channel or member is written by others all the time')
  }

  /** Logs the event of a record, and takes it out. Answers the new version, or undefined where another wrote meanwhile. */
  async #finish(record: string, { on, event }: Told, version: number): Promise<number | undefined> {
    if (event !== undefined && this.#parts.interest.wants([event.type], event.tenant)) await this.#parts.log.tell(event)
    return this.#write(record, { on }, version)
  }

  #write(record: string, told: Told, version: number): Promise<number | undefined> {
    const ttlMs = told.on || told.event !== undefined ? TOLD_MS : OFF_MS
    return this.#parts.engine.records.put(record, JSON.stringify(told), { ttlMs, ifVersion: version })
  }

  async #isOn({ stream, user }: Subject): Promise<boolean> {
    const { engine, isLive } = this.#parts
    if (user !== undefined) return (await engine.members.find(stream, user)) !== undefined
    const lives = await engine.registers.list(listenersOf(stream), LISTENERS_MAX)
    for (const { key } of lives) if (await isLive(key)) return true
    return false
  }

  #eventOf({ stream: { tenant, channel }, user }: Subject, on: boolean): LifecycleEvent {
    const { clock, random } = this.#parts
    const heading = { id: random.id(12), tenant, key: channel, at: timestamp(clock.now()), channel }
    if (user !== undefined) return { ...heading, type: on ? 'joined' : 'left', user } as LifecycleEvent
    return { ...heading, type: on ? 'occupied' : 'vacated' } as LifecycleEvent
  }
}

/** The names of the marks of each subject. */
function bySubject(marks: readonly RegisterEntry[]): Map<string, string[]> {
  const subjects = new Map<string, string[]>()
  for (const { key: name } of marks) {
    const subject = name.slice(name.indexOf(' ') + 1)
    const names = subjects.get(subject)
    if (names === undefined) subjects.set(subject, [name])
    else names.push(name)
  }
  return subjects
}

function readTold(text: string | undefined): Told {
  if (text === undefined) return { on: false }
  try {
    const { on, event } = JSON.parse(text) as Told
    return event === undefined ? { on } : { on, event }
  } catch {
    return { on: false }
  }
}
