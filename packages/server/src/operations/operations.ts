import { type OperationEvent, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Cancel, Clock } from '../clock.js'
import { pause } from '../core/nodes/drain.js'
import { HoldfastError } from '../core/errors.js'
import type { Engine, Retention } from '../engine/engine.js'
import type { Random } from '../random.js'
import { asked, isAbort, isAway } from './asking.js'
import { awaitChange } from './changes.js'
import { type Sighting, hasLapsed } from './deadlines.js'
import type {
  AttemptOptions,
  OperationDesk,
  OperationEnding,
  OperationPage,
  OperationQuery,
  OperationReport,
  OperationSpec,
  WorkerWord,
} from './desk.js'
import { Echo, feedChannel } from './echo.js'
import { Family } from './family.js'
import { Ledger } from './ledger.js'
import { Operation, plainCopy } from './operation.js'
import { type Opening, openingOf } from './opening.js'
import { OperationOverseer } from './overseer.js'
import { OperationPlaces } from './places.js'
import { type OperationRecord, parseRecord, showRecord } from './record.js'
import { Register } from './register.js'
import { idInUse, newOperationId, recordOf } from './spec.js'
import { type OperationRetention, OperationStore, operationKey } from './store.js'
import { type Word, checkReport, checkTaking, checkWorker, isAfter } from './word.js'
import type { Writer } from './writer.js'

/** What the operations of a node need. */
export interface OperationsOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  /** The name of this node. */
  readonly node: string
  readonly retention: OperationRetention
  /** The largest snapshot, as text. */
  readonly bytesMax: number
  readonly conflateMs: number
  /** Without a word of its worker, after which an operation is stalled, where it says nothing else. */
  readonly leaseMs: number
  readonly childrenMax: number
  /** What is kept of the feed of each user; undefined: nothing. */
  readonly feedRetention: Retention | undefined
  /** Somebody asked an operation to stop: its worker is to know at once, on whichever node it is. Whether it hears of it or not, it reads of it. */
  readonly onCancelAsked: (tenant: string, id: string) => void
  /** An operation has ended that has its place on another node. */
  readonly onEnded?: (tenant: string, id: string) => void
  readonly onError: (error: unknown) => void
  /** Asked before an operation begins; answers what to call when it has ended. Rejects when the tenant may not begin another. Default: it may. */
  readonly admit?: (tenant: string) => Promise<() => void>
}

/** How a worker in this process begins an operation. */
export interface WorkerSpec extends Omit<OperationSpec, 'queued'> {
  /** `manual`: the lease is kept by reports and `heartbeat()` alone, so that a loop that hangs shows. Default: it is kept as long as the process lives. */
  readonly heartbeat?: 'manual'
}

const CHANNEL_PREFIX = 'operation:'
const FEED_PREFIX = 'operations:'

/** Milliseconds until an end that the engine refused is told again; each further try waits twice as long, up to the longest. */
const END_RETRY_MS = 1_000
const END_RETRY_MS_MAX = 30_000

/** How often leases are kept. */
const KEEP_MS = 250

/** After which what follows from an end is looked at again, if it was not done. */
const FOLLOW_UP_MS = 5_000

/** Operations that a subscriber of a feed starts with. */
const FEED_OPENING_MAX = 100

/** The operations of all tenants, as this node sees them; those whose worker is in this process are in its hands. */
export class Operations implements OperationDesk {
  readonly #options: OperationsOptions
  readonly #store: OperationStore
  readonly #ledger: Ledger
  readonly #register: Register
  readonly #echo: Echo
  readonly #family: Family
  readonly #overseer: OperationOverseer
  readonly #places: OperationPlaces
  /** Those whose worker is here. */
  readonly #running = new Map<string, Operation>()
  /** Whose stop was asked for while its beginning was on its way. */
  readonly #starting = new Map<string, { isCancelled: boolean }>()
  readonly #stops: Cancel[] = []
  /** What follows from ends, on its way. */
  readonly #following = new Set<Promise<void>>()
  #closed = false

  constructor(options: OperationsOptions) {
    const { engine, clock, random, node, retention, conflateMs, childrenMax, feedRetention, onError } = options
    const idleMs = retention.runningMs
    this.#options = options
    this.#store = new OperationStore(engine, retention, options.bytesMax)
    this.#ledger = new Ledger({
      clock,
      store: this.#store,
      terms: { idleMs, childrenMax },
      conflateMs,
      newStamp: () => random.id(6),
      keptMs: Math.min(retention.completedMs, retention.failedMs),
      onWritten: (record, event) => this.#written(record, event),
      onError,
    })
    this.#register = new Register({ engine, clock, store: this.#store, idleMs })
    const cancel = (tenant: string, id: string): Promise<boolean> => this.requestCancel(tenant, id)
    this.#family = new Family({ ledger: this.#ledger, childrenMax, cancel })
    const tellParent = (record: OperationRecord): Promise<void> => this.#family.tellParent(record)
    this.#echo = new Echo({ engine, clock, feedRetention, tellParent, onError })
    this.#places = new OperationPlaces(clock, this.#store)
    this.#overseer = new OperationOverseer({
      engine,
      clock,
      holder: node,
      register: this.#register,
      look: (tenant, id, seen) => this.#look(tenant, id, seen),
      onError,
    })
  }

  /** Operations whose worker is on this node. */
  get size(): number {
    return this.#running.size
  }

  /** The clockwork begins: leases are kept, and deadlines looked at. */
  open(): void {
    if (this.#stops.length > 0) return
    for (const part of [this.#ledger, this.#places, this.#overseer]) part.start()
    const { clock } = this.#options
    const keep = (): void => this.#running.forEach((operation) => operation.keep(clock.now()))
    this.#stops.push(clock.every(KEEP_MS, keep))
  }

  // For a worker in this process

  /** Begins an operation that the caller reports on and ends. */
  async start(tenant: string, spec: WorkerSpec): Promise<Operation> {
    const { heartbeat, ...rest } = spec
    const writer = await asked(this.#begin(tenant, { ...rest, queued: false }))
    return this.#hand(writer, { attempt: 1, isKept: heartbeat !== 'manual' })
  }

  /** Takes up an operation that is queued or stalled, with `force` one that another worker has: as a new attempt. */
  async take(
    tenant: string,
    id: string,
    options: Omit<AttemptOptions, 'entry'> & { readonly heartbeat?: 'manual' } = {},
  ): Promise<Operation> {
    const { writer, record } = await this.#attempt(tenant, id, options)
    return this.#hand(writer, { attempt: record.snapshot.attempt, isKept: options.heartbeat !== 'manual' })
  }

  /** Runs `work` as an operation. It ends however `work` does: completed with its result, failed with its error, cancelled when asked. */
  async run<T>(tenant: string, spec: WorkerSpec, work: (operation: Operation) => Promise<T> | T): Promise<T> {
    const operation = await this.start(tenant, spec)
    try {
      const result = await work(operation)
      await this.#end(() => operation.complete(result))
      return result
    } catch (error) {
      const stopped = operation.signal.aborted && isAbort(error, operation.signal)
      await this.#end(() => (stopped ? operation.cancelled() : operation.fail(error)))
      throw error
    }
  }

  /** The work may have ended the operation itself, or have lost it. While the engine is away the end waits: work that is done must not be told as failed. */
  async #end(end: () => Promise<void>): Promise<void> {
    for (let waitMs = END_RETRY_MS; ; waitMs = Math.min(waitMs * 2, END_RETRY_MS_MAX)) {
      try {
        return await end()
      } catch (error) {
        if (error instanceof HoldfastError && ['already_ended', 'stale_report'].includes(error.code)) return
        if (this.#closed || !isAway(error)) throw error
      }
      await pause(this.#options.clock, waitMs)
    }
  }

  #hand(writer: Writer, worker: { readonly attempt: number; readonly isKept: boolean }): Operation {
    const { clock, onError } = this.#options
    const { tenant, id } = writer.record.snapshot
    const key = operationKey(tenant, id)
    const operation = new Operation({
      clock,
      writer,
      ...worker,
      onError,
      onEnd: (ended) => {
        if (this.#running.get(key) === ended) this.#running.delete(key)
      },
    })
    if (!operation.isOver) this.#running.set(key, operation)
    return operation
  }

  // For everybody else

  async create(
    tenant: string,
    spec: OperationSpec,
    options: { readonly entry?: string } = {},
  ): Promise<OperationSnapshot> {
    return (await asked(this.#begin(tenant, spec, options.entry))).snapshot
  }

  find(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return this.get(tenant, id)
  }

  /** The snapshot of an operation; undefined when the tenant has none of this id. */
  async get(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return (await asked(this.#store.read(tenant, id)))?.snapshot
  }

  async list(tenant: string, query: OperationQuery): Promise<OperationPage> {
    return asked(this.#register.list(tenant, query))
  }

  async attempt(tenant: string, id: string, options: AttemptOptions = {}): Promise<OperationSnapshot> {
    return (await this.#attempt(tenant, id, options)).record.snapshot
  }

  async report(
    tenant: string,
    id: string,
    report: OperationReport,
    { stored = false, isMeant }: Parameters<OperationDesk['report']>[3] = {},
  ): Promise<OperationSnapshot> {
    checkReport(report)
    const after = isMeant && (await asked(this.#ledger.versionOf(tenant, id, isMeant)))
    const word: Word = { do: 'report', report, ...(after !== undefined && { after }) }
    return this.#say(tenant, id, word, stored || after !== undefined)
  }

  async heartbeat(tenant: string, id: string, worker: WorkerWord = {}): Promise<OperationSnapshot> {
    checkWorker(worker)
    return this.#say(tenant, id, { do: 'heartbeat', worker }, false)
  }

  async end(tenant: string, id: string, ending: OperationEnding): Promise<OperationSnapshot> {
    checkWorker(ending)
    const isResult = ending.state === 'completed' && ending.result !== undefined
    const plain = isResult ? { ...ending, result: plainCopy(ending.result) } : ending
    await this.#dueSoonIfIdle(tenant, id)
    return this.#say(tenant, id, { do: 'end', ending: plain }, true)
  }

  async cancel(tenant: string, id: string): Promise<OperationSnapshot> {
    await this.#dueSoonIfIdle(tenant, id)
    const said = await asked(this.#ledger.say(tenant, id, { do: 'cancel' }, { isStored: true }))
    const { writer, ruling, record } = said
    this.cancelAsked(tenant, id)
    const isNews = ruling.kind === 'changed' && !isTerminal(record.snapshot.state)
    if (isNews && !this.#running.has(operationKey(tenant, id))) this.#options.onCancelAsked(tenant, id)
    await this.#family.cancelChildren(writer.record)
    return writer.snapshot
  }

  /** As `cancel`; false when there is none or it has ended. */
  async requestCancel(tenant: string, id: string): Promise<boolean> {
    try {
      await this.cancel(tenant, id)
      return true
    } catch (error) {
      if (error instanceof HoldfastError && ['not_found', 'already_ended'].includes(error.code)) return false
      throw error
    }
  }

  async changed(
    tenant: string,
    id: string,
    wait: { readonly version: number | 'end'; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<OperationSnapshot | undefined> {
    const { engine, clock } = this.#options
    return asked(awaitChange({ engine, clock, store: this.#store }, tenant, id, wait))
  }

  /** Somebody asked for an operation to stop, and has stored that: if its worker is here, it is told. */
  cancelAsked(tenant: string, id: string): null {
    const key = operationKey(tenant, id)
    this.#running.get(key)?.heardCancel()
    const starting = this.#starting.get(key)
    if (starting !== undefined) starting.isCancelled = true
    return null
  }

  /** An operation was ended on another node: its place here, if it has one, is free. */
  endHeard(tenant: string, id: string): null {
    this.#places.leave(tenant, id)
    void this.#ledger.here(tenant, id)?.refresh().catch(this.#options.onError)
    return null
  }

  // For watchers

  /** Whether the operation that a channel carries belongs to, or is shared with, a user. */
  async isOwner(tenant: string, channel: string, user: string): Promise<boolean> {
    if (!channel.startsWith(CHANNEL_PREFIX)) return false
    const stored = await this.#store.read(tenant, channel.slice(CHANNEL_PREFIX.length))
    return stored !== undefined && (stored.snapshot.owner === user || stored.sharedWith.includes(user))
  }

  /** What a new subscriber of a channel starts with, given the state beside its log; undefined where it carries no operation. */
  opening(channel: string, state: string | undefined): Opening | undefined {
    if (state === undefined || !channel.startsWith(CHANNEL_PREFIX)) return undefined
    return openingOf(parseRecord(state).snapshot)
  }

  /** What a new subscriber of the feed of a user starts with: what has not ended, newest first. Nothing where the channel is none. */
  async feed(tenant: string, channel: string, user: string): Promise<readonly Opening[]> {
    if (!channel.startsWith(FEED_PREFIX) || channel !== feedChannel(user)) return []
    const records = await this.#register.live(tenant, user, FEED_OPENING_MAX)
    return records.map(({ snapshot }) => openingOf(snapshot))
  }

  /** The node ends: what runs here is told to stop, and fails if it is still running then. */
  async close(): Promise<void> {
    const error = Object.assign(new Error('the node that ran this operation was shut down'), {
      code: 'server_shutdown',
    })
    this.#closed = true
    for (const stop of this.#stops.splice(0)) stop()
    const running = [...this.#running.values()]
    await Promise.allSettled(running.map((operation) => operation.abandon(error)))
    await this.#overseer.stop()
    await this.#ledger.stop()
    await Promise.all(this.#following)
    this.#places.stop()
    this.#echo.stop()
  }

  // How it is done

  /** Begins an operation. Where to look for it is stored first: an operation that nobody looks at could stay for ever. */
  async #begin(tenant: string, spec: OperationSpec, entry?: string): Promise<Writer> {
    const { clock, random, leaseMs, admit } = this.#options
    const id = spec.id ?? newOperationId(spec.kind, random.id(6))
    const now = clock.now()
    const first = recordOf(tenant, id, spec, { now, leaseMs, entry, stamp: random.id(6) })
    const alone = { ...first, snapshot: showRecord(first, now, 1) }
    const key = operationKey(tenant, id)
    const repeated = spec.id === undefined ? undefined : await this.#repeated(tenant, id, entry)
    if (repeated) return repeated
    const leave = await admit?.(tenant)
    const starting = { isCancelled: false }
    try {
      const record = await this.#family.placed(alone)
      await Promise.all([this.#register.enter(record), this.#register.due(record)])
      this.#starting.set(key, starting)
      const event = spec.queued ? 'progress' : 'started'
      if (!(await this.#writeFirst(record, event, now))) {
        // Two nodes may have read the same entry at the same time.
        const begun = await this.#repeated(tenant, id, entry)
        if (begun === undefined) throw idInUse(id)
        leave?.()
        return begun
      }
      if (leave) this.#places.take(tenant, id, leave)
      return await this.#begun(record, event, starting.isCancelled)
    } catch (error) {
      leave?.()
      throw error
    } finally {
      this.#starting.delete(key)
    }
  }

  /** Whether this began it. Whoever lost the answer looks; another that was first has to be looked at when it says. */
  async #writeFirst(record: OperationRecord, event: OperationEvent, now: number): Promise<boolean> {
    const { tenant, id } = record.snapshot
    const [stamp = ''] = record.work.stamps
    const outcome = await this.#store.write(record, event, now).catch((error: unknown) => ({ error }))
    if (outcome === true) return true
    if (outcome !== false && !isAway(outcome.error)) throw outcome.error
    const stored = await this.#store.read(tenant, id)
    if (stored?.work.stamps.includes(stamp)) return true
    if (outcome !== false) throw outcome.error
    if (stored) await this.#register.due(stored)
    return false
  }

  /** The operation, if this entry has begun it before. @throws HoldfastError `bad_request` when something else has. */
  async #repeated(tenant: string, id: string, entry: string | undefined): Promise<Writer | undefined> {
    const stored = await this.#store.read(tenant, id)
    if (stored === undefined) return undefined
    const last = stored.work.entry
    if (entry === undefined || last === undefined || isAfter(entry, last)) throw idInUse(id)
    return this.#ledger.find(tenant, id)
  }

  async #begun(record: OperationRecord, event: OperationEvent, isCancelled: boolean): Promise<Writer> {
    const { parent } = record.snapshot
    const writer = this.#ledger.adopt(record)
    // If that fails, the worker learns of it with its next word.
    if (isCancelled) await writer.refresh().catch(this.#options.onError)
    this.#echo.tell(record, event)
    // Its parent must not complete before it: whoever began it may rely on that.
    if (parent !== undefined) await this.#family.tellParent(record).catch(this.#options.onError)
    return writer
  }

  async #attempt(
    tenant: string,
    id: string,
    options: AttemptOptions,
  ): Promise<{ readonly writer: Writer; readonly record: OperationRecord }> {
    checkTaking(options)
    const { force = false, entry, worker } = options
    const named = { ...(entry !== undefined && { entry }), ...(worker !== undefined && { worker }) }
    const word: Word = { do: 'attempt', force, ...named }
    await this.#dueSoonIfIdle(tenant, id)
    const { writer, record } = await asked(this.#ledger.say(tenant, id, word, { isStored: true }))
    await asked(this.#register.due(writer.stored))
    // As it was written with this word: meanwhile there may be another attempt.
    return { writer, record }
  }

  async #say(tenant: string, id: string, word: Word, isStored: boolean): Promise<OperationSnapshot> {
    const told = isStored ? undefined : this.#ledger.sayAtOnce(tenant, id, word)
    if (told !== undefined) return told.snapshot
    if (this.#ledger.here(tenant, id)?.record.work.idleSince !== undefined) await this.#dueSoonIfIdle(tenant, id)
    const { writer, record } = await asked(this.#ledger.say(tenant, id, word, { isStored }))
    return isStored ? record.snapshot : writer.snapshot
  }

  /** Something was written by this node. */
  #written(record: OperationRecord, event: OperationEvent): void {
    const { clock, retention, onError } = this.#options
    if (isTerminal(record.snapshot.state)) {
      const following = this.#followUp(record).catch(onError)
      this.#following.add(following)
      return void following.then(() => this.#following.delete(following))
    }
    this.#echo.tell(record, event)
    const { tenant, id } = record.snapshot
    const writer = this.#ledger.here(tenant, id)
    const isOld = writer !== undefined && clock.now() - writer.enteredAt >= retention.runningMs / 4
    if (!isOld && !['started', 'stalled', 'resumed'].includes(event)) return
    if (writer) writer.enteredAt = clock.now()
    this.#register.enter(record).catch(onError)
    if (event !== 'started') this.#register.due(record).catch(onError)
  }

  /** Does what follows from an end: tells it where it is to be told, and forgets when to look. Until that is done it stays due, on whichever node. */
  async #followUp(record: OperationRecord): Promise<void> {
    const { tenant, id } = record.snapshot
    if (!this.#places.leave(tenant, id)) this.#options.onEnded?.(tenant, id)
    await Promise.all([this.#echo.tellEnd(record), this.#register.enter(record)])
    await this.#register.settled(tenant, id)
  }

  /** What nobody had was to be looked at much later; whoever takes it up or ends it may die right after that. */
  async #dueSoonIfIdle(tenant: string, id: string): Promise<void> {
    const writer = await asked(this.#ledger.find(tenant, id))
    if (writer?.record.work.idleSince === undefined) return
    const soonMs = Math.min(FOLLOW_UP_MS, writer.record.work.leaseMs)
    await asked(this.#register.due(writer.record, this.#options.clock.now() + soonMs))
  }

  /** An operation is due. */
  async #look(tenant: string, id: string, seen: Sighting | undefined): Promise<Sighting | undefined> {
    const known = this.#ledger.here(tenant, id)
    await known?.refresh()
    const writer = known ?? (await this.#ledger.find(tenant, id))
    if (writer === undefined || writer.isGone) return this.#register.absent(tenant, id, seen)
    if (isTerminal(writer.stored.snapshot.state)) return void (await this.#followUp(writer.stored))
    const now = this.#options.clock.now()
    const { version } = writer.record.snapshot
    const isLapsed = hasLapsed(writer.record, now, seen)
    const ruling = writer.say({ do: 'due', lapsed: isLapsed ? version : undefined })
    if (ruling.kind === 'changed') await writer.written()
    const { stored } = writer
    if (!isTerminal(stored.snapshot.state)) await this.#register.due(writer.record)
    if (writer.record.work.idleSince !== undefined) await this.#lookAgain(writer)
    return { version: stored.snapshot.version, since: seen?.version === stored.snapshot.version ? seen.since : now }
  }

  /** To be looked at much later, now that nobody has it: unless somebody took it up or ended it while that was noted. */
  async #lookAgain(writer: Writer): Promise<void> {
    await writer.refresh()
    const { stored } = writer
    if (isTerminal(stored.snapshot.state)) await this.#followUp(stored)
    else if (stored.work.idleSince === undefined) await this.#register.due(stored)
  }
}
