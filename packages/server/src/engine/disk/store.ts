import { type Cancel, type Clock, timestamp } from '../../clock.js'
import type { Random } from '../../random.js'
import { errorFields, type Logger } from '../../telemetry/log.js'
import type { DiskStats } from '../engine.js'
import { Committer } from './committer.js'
import { type Decision, Draft } from './draft.js'
import { Journal, type JournalLimits } from './journal.js'
import { type Recovered, recover } from './recovery.js'
import { ignore, type Storage } from './storage.js'
import { Tables } from './tables.js'
import { EngineUnavailableError } from '../unavailable.js'

/** What a store is made of. */
export interface StoreParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly limits: JournalLimits
  readonly streamsMax: number
  isListened(stream: string): boolean
  /** Called every few seconds, for what else has to be looked through. */
  sweep(): void
}

/** How often what has expired is looked for. Correctness does not depend on it: every access checks for itself. */
const SWEEP_INTERVAL_MS = 5_000

/** How long every epoch lives after a start, for clients to come back under it: as long as a session may be resumed. */
const OUTLIVE_MS = 300_000

/** After an error the disk is tried again at once; then, as long as nothing could be written, after this time, doubled each time up to a bound. */
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5_000

/** After a snapshot that could not be written, how long until the next is tried. The journal goes on without. */
const COMPACT_RETRY_MS = 60_000

/** Before the start. */
const NO_SIZES = { journalBytes: 0, segments: 0, snapshotBytes: 0 }

/** The durable state with the journal behind it: what the tables hold is on the disk, and what is submitted gets there or is refused. */
export class Store {
  readonly #parts: StoreParts
  readonly #committer: Committer
  readonly #watchers = new Set<(problem: string | undefined) => void>()
  #starting: Promise<void> | undefined
  #tables: Tables | undefined
  #journal: Journal | undefined
  /** The number of the last record that is in the tables. */
  #applied = 0
  #problem: string | undefined
  #isReadable = false
  /** What brings the journal back; undefined: it works. */
  #remedy: ((journal: Journal, tables: Tables) => Promise<void>) | undefined
  /** Since something could be written. */
  #failures = 0
  #failuresEver = 0
  /** When something was written last, in milliseconds since 1970, and for how long. */
  #stored: { readonly at: number; readonly ms: number } | undefined
  #loss: string | undefined
  #mending: Promise<void> | undefined
  #stopRetry: Cancel | undefined
  #stopSweep: Cancel | undefined
  #compaction: Promise<void> | undefined
  #compactAfter = 0
  readonly #closing = new AbortController()

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#committer = new Committer({
      draft: () => new Draft(this.tables, parts.random, parts.clock.now()),
      sequence: () => this.#journal?.sequence ?? 0,
      write: (frames, last) => this.#write(frames, last),
      stored: (entry, sequence) => {
        this.tables.apply(entry)
        this.#applied = sequence
      },
      between: () => this.#tidy(),
      failed: (error) => this.#failed(error),
    })
  }

  /** @throws EngineUnavailableError before `start`, and as long as what they hold could still be lost. */
  get tables(): Tables {
    if (this.#tables === undefined) throw new EngineUnavailableError('the engine was not started')
    if (!this.#isReadable) throw new EngineUnavailableError(this.#problem ?? 'the engine was not started')
    return this.#tables
  }

  /** Why nothing can be written; undefined while it can. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** How the disk is. */
  stats(): DiskStats {
    return {
      ...(this.#journal?.sizes ?? NO_SIZES),
      storedAt: this.#stored && timestamp(this.#stored.at),
      storedMs: this.#stored?.ms,
      failures: this.#failuresEver,
      loss: this.#loss,
    }
  }

  /** Tells each change of `problem`. Answers its undo. */
  watch(listener: (problem: string | undefined) => void): () => void {
    this.#watchers.add(listener)
    return () => this.#watchers.delete(listener)
  }

  /** Resolves when what was decided is on the disk and in the tables. */
  submit<T>(decide: (draft: Draft) => Decision<T>, characters: number = 0): Promise<T> {
    return this.#committer.submit(decide, characters)
  }

  /** Resolves when the state can be read: then it can be written too, or `problem` says why not. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { storage, clock } = this.#parts
    try {
      await storage.claim()
      this.#take(await recover(storage, () => this.#createTables()))
    } catch (error) {
      this.#starting = undefined
      await storage.release()
      throw error
    }
    await this.#mend()
    this.#stopSweep = clock.every(SWEEP_INTERVAL_MS, () => this.#sweep())
  }

  /** Resolves when everything that was taken is answered and every file closed. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#starting?.catch(ignore)
    this.#stopSweep?.()
    this.#stopRetry?.()
    await this.#committer.stop('the engine is closed')
    await this.#mending
    await this.#compaction
    await this.#journal?.close()
    if (this.#journal !== undefined) await this.#parts.storage.release()
  }

  #createTables(): Tables {
    const isInUse = (stream: string): boolean => this.#parts.isListened(stream) || this.#committer.concerns(stream)
    return new Tables({ clock: this.#parts.clock, isInUse })
  }

  /** Goes on with what was found on the disk. */
  #take(found: Recovered): void {
    const { storage, clock, limits, streamsMax, log, random } = this.#parts
    const { tables, sequence, loss } = found
    this.#tables = tables
    this.#loss = loss
    this.#applied = sequence
    this.#journal = new Journal(storage, limits, found)
    this.#remedy = (journal) => this.#open(journal, found)
    // What was never acknowledged may not be on the disk: nobody sees it before it was written again.
    this.#isReadable = found.tail.frames.length === 0
    tables.streams.limit(streamsMax)
    tables.streams.outlive(clock.now() + OUTLIVE_MS)
    const fields = { place: storage.place, records: sequence, streams: tables.streams.size }
    if (loss === undefined) return log.info({ event: 'disk.opened', ...fields }, 'the journal was read')
    log.error({ event: 'disk.lost', loss, ...fields }, 'what was acknowledged may be lost; every epoch changes')
    tables.renewEpochs(() => random.id(8))
    this.#applied = found.sequenceBound
    this.#remedy = (journal) => journal.beginAnew(tables, found.sequenceBound)
  }

  async #open(journal: Journal, found: Recovered): Promise<void> {
    await journal.open(found)
    // A process that never lives long enough for a snapshot would add a segment with every start.
    await this.#tidy()
    await this.#compaction
  }

  async #write(frames: Buffer, last: number): Promise<void> {
    if (this.#journal === undefined) throw new EngineUnavailableError('the engine was not started')
    const { clock } = this.#parts
    const begunAt = clock.now()
    await this.#journal.append(frames, last)
    this.#stored = { at: clock.now(), ms: Math.max(0, clock.now() - begunAt) }
    this.#failures = 0
  }

  async #tidy(): Promise<void> {
    const { clock, log } = this.#parts
    const [journal, tables] = [this.#journal, this.#tables]
    if (journal === undefined || tables === undefined) return
    await journal.roll()
    if (this.#compaction !== undefined || this.#closing.signal.aborted) return
    if (clock.now() < this.#compactAfter || !journal.isCompactionDue()) return
    const finish = await journal.compact(tables, () => this.#applied)
    const failed = (error: unknown): void => {
      this.#compactAfter = clock.now() + COMPACT_RETRY_MS
      if (this.#closing.signal.aborted) return
      log.warn({ event: 'disk.uncompacted', ...errorFields(error) }, 'the snapshot could not be written')
    }
    this.#compaction = finish(this.#closing.signal)
      .catch(failed)
      .finally(() => (this.#compaction = undefined))
  }

  #failed(error: unknown): void {
    const { log, storage } = this.#parts
    log.error({ event: 'disk.failed', place: storage.place, ...errorFields(error) }, 'the journal cannot be written')
    this.#remedy ??= (journal, tables) => this.#reopen(journal, tables)
    this.#become(error)
    this.#retryLater()
  }

  async #reopen(journal: Journal, tables: Tables): Promise<void> {
    if (await journal.reopen()) return
    this.#parts.log.warn({ event: 'disk.rewritten' }, 'the journal cannot be read back; the state is written anew')
    await journal.beginAnew(tables)
  }

  #retryLater(): void {
    if (this.#closing.signal.aborted) return
    const wait = this.#failures === 0 ? 0 : Math.min(RETRY_MS_MIN * 2 ** (this.#failures - 1), RETRY_MS_MAX)
    this.#failures += 1
    this.#failuresEver += 1
    this.#stopRetry?.()
    this.#stopRetry = this.#parts.clock.after(wait, () => {
      this.#mending = this.#mend().finally(() => (this.#mending = undefined))
    })
  }

  /** Brings the journal back, or tries again later. Never rejects. */
  async #mend(): Promise<void> {
    const [journal, tables] = [this.#journal, this.#tables]
    if (journal === undefined || tables === undefined) return
    try {
      // Two snapshots at once would be in each other's way.
      await this.#compaction?.catch(ignore)
      await this.#remedy?.(journal, tables)
      this.#remedy = undefined
      this.#isReadable = true
      if (this.#closing.signal.aborted) return
      this.#committer.resume()
      this.#become(undefined)
    } catch (error) {
      this.#become(error)
      this.#retryLater()
    }
  }

  #become(error: unknown): void {
    const problem = error === undefined ? undefined : describe(error)
    if (problem === this.#problem) return
    this.#problem = problem
    for (const watcher of this.#watchers) watcher(problem)
  }

  #sweep(): void {
    this.#tables?.sweep()
    this.#parts.sweep()
  }
}

function describe(error: unknown): string {
  return `the disk cannot store: ${error instanceof Error ? error.message : String(error)}`
}
