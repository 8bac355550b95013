import type { Identity } from '../../access/identity.js'
import { type Cancel, type Clock, pause } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'
import { networkOf } from '../../network-address.js'
import type { Retries } from '../retries.js'
import {
  type SessionContent,
  type SessionKey,
  SessionRecords,
  type StoredSession,
  digestOf,
  sessionRecordKey,
} from './session-record.js'

/** A connection whose session can be taken over. */
export interface SessionHolder {
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  readonly session: SessionKey
  /** Of the client. */
  readonly address: string
  /** Whether anybody can come for it: else nothing of it is kept. */
  readonly isResumable: boolean
  /** The version of its record as last heard; 0 before the first. */
  recordVersion: number
  /** What is to be kept of it. */
  content(): SessionContent
  /** Gives the session up: answers what it holds, and ends the connection. */
  handOver(): SessionContent
}

/** What a keeper works with. */
export interface SessionKeeperParts {
  readonly engine: Pick<Engine, 'records' | 'problem'>
  readonly clock: Clock
  readonly node: string
  /** Milliseconds that a session outlives its connection; 0: not at all. */
  readonly windowMs: number
  /** Whether sessions are kept in the engine while they live, too: where it outlives this process, or other nodes share it. */
  readonly keepsLive: boolean
  readonly retries: Retries
  onError(error: unknown): void
}

/** A session that has ended, on its way into the engine. */
interface Ending {
  readonly content: SessionContent
  /** The version of its record as last heard. */
  readonly version: number
  /** Resolves when it was tried to save it for the first time. */
  readonly saved: Promise<void>
  /** Tries to save it. */
  write(): Promise<void>
}

/** How often what changed is written: the changes of this time are one write. */
const SWEEP_MS = 1_000

/** Writes under way at most. */
const WRITES_MAX = 256

/** How long a connection waits, whose session is another's now, for the new owner to ask for what it holds. */
const SUPERSEDED_MS = 1_000

/** Sessions that the engine refused to save, of which what they held can be had from here; of those beyond, what their records say. */
const REFUSED_MAX = 10_000

/** How often what has ended is tried to be saved when the node ends, and the milliseconds between two tries. */
const LAST_TRIES = 3
const LAST_TRIES_WAIT_MS = 500

/** A record of a live session is kept longer by the time within which it is refreshed: from the death of its node on it has the whole window. */
const LIVE_FACTOR = 1.5

/**
 * Keeps the records of the sessions that live on this node: written at the welcome, a moment after they change, and in turns before they lapse. One timer serves all.
 * A write that finds another owner's record changes nothing, and its connection ends.
 */
export class SessionKeeper {
  readonly records: SessionRecords
  readonly #parts: SessionKeeperParts
  readonly #live: ReadonlyMap<string, SessionHolder>
  /** Those whose record is written with the next sweep. */
  readonly #changed = new Set<SessionHolder>()
  /** Those whose record is written as soon as others are. */
  readonly #due = new Set<SessionHolder>()
  /** The write under way of each that is being written. */
  readonly #writing = new Map<SessionHolder, Promise<boolean>>()
  /** Sessions that have ended, by the keys of their records. */
  readonly #ending = new Map<string, Ending>()
  /** What ends the wait of those that the engine refused. */
  readonly #refused = new Map<Ending, Cancel>()
  /** Goes round all that live, again and again. */
  #round: Iterator<SessionHolder, undefined>
  /** How many of the round are due, with the fraction of the next. */
  #refreshesDue = 0
  #stop: Cancel | undefined
  #failedAt = -Infinity

  /** `live` are the sessions of this node by the keys of their records. */
  constructor(parts: SessionKeeperParts, live: ReadonlyMap<string, SessionHolder>) {
    this.#parts = parts
    this.#live = live
    this.#round = live.values()
    this.records = new SessionRecords(parts.engine.records)
  }

  /** Records that wait to be written, or are being written: what is under way is not yet safe from a kill. */
  get unsaved(): number {
    return this.#changed.size + this.#due.size + this.#writing.size + this.#ending.size
  }

  /** Milliseconds that the record of a live session is kept without a write. */
  get liveMs(): number {
    return Math.ceil(this.#parts.windowMs * LIVE_FACTOR)
  }

  start(): void {
    if (this.#keepsLive) this.#stop ??= this.#parts.clock.every(this.#sweepMs, () => this.#sweep())
  }

  /** Resolves when what has ended is saved, or was refused a few times. */
  async stop(): Promise<void> {
    const { clock, engine } = this.#parts
    this.#stop?.()
    this.#stop = undefined
    await Promise.allSettled(Array.from(this.#ending.values(), ({ saved }) => saved))
    for (let tries = 1; tries < LAST_TRIES; tries += 1) {
      if (this.#ending.size === 0 || engine.problem() !== undefined) return
      await pause(clock, LAST_TRIES_WAIT_MS)
      await Promise.allSettled(Array.from(this.#ending.values(), (ending) => ending.write()))
    }
  }

  /** A session begins to live. */
  begin(holder: SessionHolder): void {
    if (!this.#keepsLive) return
    // One that was claimed has a record already: it is written again with the first changes.
    if (holder.recordVersion > 0) this.#changed.add(holder)
    else this.#due.add(holder)
    this.#writeDue()
  }

  /** What a session holds has changed; it is written within a second. */
  changed(holder: SessionHolder): void {
    if (this.#keepsLive && this.#isLive(holder)) this.#changed.add(holder)
  }

  /** A session lives no more: with `content` it is kept for its window, without it has been handed over. */
  end(holder: SessionHolder, content: SessionContent | undefined): void {
    this.#changed.delete(holder)
    this.#due.delete(holder)
    if (content === undefined || this.#parts.windowMs === 0) return
    const key = keyOf(holder)
    const write = (): Promise<void> => this.#writeEnded(holder, content).then(() => this.#forget(key, ending))
    const ending: Ending = {
      content,
      version: holder.recordVersion,
      saved: this.#saveEnded(holder, write).then(() => this.#forgetLater(key, ending)),
      write,
    }
    this.#ending.set(key, ending)
  }

  /** Resolves when a session that has ended here is saved, or was refused once; undefined where none is on its way. Until then its record says that it lives. */
  ended(key: string): Promise<void> | undefined {
    return this.#ending.get(key)?.saved
  }

  /** What a session holds that has ended here and is not saved yet, for whoever owns its record from `version` on. */
  unsavedOf(key: string, version: number): SessionContent | undefined {
    const ending = this.#ending.get(key)
    return ending !== undefined && ending.version < version ? ending.content : undefined
  }

  /** Resolves when no write of a live session is under way. */
  async settled(holder: SessionHolder): Promise<void> {
    for (let write = this.#writing.get(holder); write !== undefined; write = this.#writing.get(holder))
      await write.catch(() => undefined)
  }

  /** Whether a live session still belongs to this node, as of now; its record is written anew. Rejects when the engine refuses. */
  async confirm(holder: SessionHolder): Promise<boolean> {
    if (!this.#keepsLive) return this.#isLive(holder)
    await this.settled(holder)
    return this.#isLive(holder) && (await this.#write(holder)) && this.#isLive(holder)
  }

  /** Keeps a session that nobody holds for its window, unless the record is not the owner's any more. Resolves when that was tried; it is tried until the engine takes it. */
  keep(key: string, stored: StoredSession, version: number, isOwn: (held: StoredSession) => boolean): Promise<void> {
    const { retries, windowMs } = this.#parts
    return retries.insist(() => this.records.overwrite(key, stored, windowMs, version, isOwn))
  }

  get #keepsLive(): boolean {
    return this.#parts.keepsLive && this.#parts.windowMs > 0
  }

  get #sweepMs(): number {
    return Math.max(10, Math.min(SWEEP_MS, this.#parts.windowMs / 4))
  }

  #isLive(holder: SessionHolder): boolean {
    return this.#live.get(keyOf(holder)) === holder
  }

  #sweep(): void {
    const sweepsPerRound = Math.max(this.#parts.windowMs / 2 / this.#sweepMs, 1)
    this.#refreshesDue += this.#live.size / sweepsPerRound
    for (; this.#refreshesDue >= 1; this.#refreshesDue -= 1) this.#refreshNext()
    for (const holder of this.#changed) this.#due.add(holder)
    this.#changed.clear()
    this.#writeDue()
  }

  #refreshNext(): void {
    let next = this.#round.next()
    if (next.done === true) {
      this.#round = this.#live.values()
      next = this.#round.next()
    }
    if (next.done !== true) this.#due.add(next.value)
  }

  #writeDue(): void {
    if (this.#parts.engine.problem() !== undefined) return
    for (const holder of this.#due) {
      if (this.#writing.size >= WRITES_MAX) return
      if (!this.#writing.has(holder)) void this.#save(holder)
    }
  }

  async #save(holder: SessionHolder): Promise<void> {
    try {
      await this.#write(holder)
      this.#writeDue()
    } catch (error) {
      this.#failed(holder, error)
    }
  }

  /** All wait for the next sweep: who asks an engine that refuses again and again helps nobody. */
  #failed(holder: SessionHolder, error: unknown): void {
    if (this.#isLive(holder)) this.#changed.add(holder)
    for (const due of this.#due) this.#changed.add(due)
    this.#due.clear()
    const now = this.#parts.clock.now()
    if (now - this.#failedAt < SWEEP_MS) return
    this.#failedAt = now
    this.#parts.onError(error)
  }

  /** Writes the record of a live session; false when it is another's now. One write at a time for each. */
  #write(holder: SessionHolder): Promise<boolean> {
    this.#due.delete(holder)
    this.#changed.delete(holder)
    const { node } = this.#parts
    const digest = digestOf(holder.session.secret)
    const network = networkOf(holder.address)
    // A record of this node under another secret is an older one of this session: its answer was not heard.
    const isOwn = (held: StoredSession): boolean =>
      held.digest === digest || (held.node === node && this.#isLive(holder))
    const written = this.records
      .overwrite(
        keyOf(holder),
        { ...holder.content(), digest, node, network },
        this.liveMs,
        holder.recordVersion,
        isOwn,
      )
      .then((version) => this.#written(holder, version))
      .finally(() => this.#writing.delete(holder))
    this.#writing.set(holder, written)
    return written
  }

  #written(holder: SessionHolder, version: number | undefined): boolean {
    if (version !== undefined) holder.recordVersion = version
    else this.#parts.clock.after(SUPERSEDED_MS, () => this.#isLive(holder) && holder.handOver())
    return version !== undefined
  }

  async #saveEnded(holder: SessionHolder, write: () => Promise<void>): Promise<void> {
    await this.ended(keyOf(holder))
    await this.settled(holder)
    await this.#parts.retries.insist(write)
  }

  async #writeEnded(holder: SessionHolder, content: SessionContent): Promise<void> {
    const digest = digestOf(holder.session.secret)
    const isOwn = (held: StoredSession): boolean => held.digest === digest
    const stored = { ...content, digest, node: '' }
    await this.records.overwrite(keyOf(holder), stored, this.#parts.windowMs, holder.recordVersion, isOwn)
  }

  #forget(key: string, ending: Ending): void {
    this.#refused.get(ending)?.()
    this.#refused.delete(ending)
    if (this.#ending.get(key) === ending) this.#ending.delete(key)
  }

  /** What the engine did not take can be had from here, for as long as a session is kept. */
  #forgetLater(key: string, ending: Ending): void {
    if (this.#ending.get(key) !== ending) return
    if (this.#refused.size >= REFUSED_MAX) return this.#forget(key, ending)
    const { clock, windowMs } = this.#parts
    this.#refused.set(
      ending,
      clock.after(windowMs, () => this.#forget(key, ending)),
    )
  }
}

/** The key of the record of a session. */
export function keyOf({ identity, session }: Pick<SessionHolder, 'identity' | 'session'>): string {
  return sessionRecordKey(identity, session.id)
}
