import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { Engine, Retention } from '../engine/engine.js'
import type { Random } from '../random.js'
import { asked } from './asking.js'
import { Beginnings } from './beginnings.js'
import { awaitChange } from './changes.js'
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
import { Ledger, type LedgerStats } from './ledger.js'
import { type Operation, plainCopy } from './operation.js'
import { type Opening, openingOf } from './opening.js'
import { OperationOverseer } from './overseer.js'
import { OperationPlaces } from './places.js'
import { type OperationRecord, parseRecord } from './record.js'
import { Register } from './register.js'
import { type OperationRetention, OperationStore } from './store.js'
import { type Word, checkReport, checkTaking, checkWorker } from './word.js'
import { Upkeep } from './upkeep.js'
import { Workers } from './workers.js'
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

/** What a node does for operations, at one moment. */
export interface OperationStats extends LedgerStats {
  /** Operations that began on this node and count for a quota of their tenant. */
  readonly places: number
  /** Whether this node is the one that looks at what is due, for all nodes. */
  readonly oversees: boolean
}

/** How a worker in this process begins an operation. */
export interface WorkerSpec extends Omit<OperationSpec, 'queued'> {
  /** `manual`: the lease is kept by reports and `heartbeat()` alone, so that a loop that hangs shows. Default: it is kept as long as the process lives. */
  readonly heartbeat?: 'manual'
}

const CHANNEL_PREFIX = 'operation:'
const FEED_PREFIX = 'operations:'

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
  readonly #beginnings: Beginnings
  readonly #upkeep: Upkeep
  readonly #workers: Workers

  constructor(options: OperationsOptions) {
    const { engine, clock, random, node, retention, conflateMs, childrenMax, feedRetention, onError } = options
    const { admit, onEnded } = options
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
      onWritten: (record, event) => this.#upkeep.written(record, event),
      onError,
    })
    this.#register = new Register({ engine, clock, store: this.#store, idleMs })
    const cancel = (tenant: string, id: string): Promise<boolean> => this.requestCancel(tenant, id)
    this.#family = new Family({ ledger: this.#ledger, childrenMax, cancel })
    const tellParent = (record: OperationRecord): Promise<void> => this.#family.tellParent(record)
    this.#echo = new Echo({ engine, clock, feedRetention, tellParent, onError })
    this.#places = new OperationPlaces(clock, this.#store)
    const parts = { store: this.#store, ledger: this.#ledger, register: this.#register, echo: this.#echo }
    this.#upkeep = new Upkeep({ ...parts, clock, places: this.#places, idleMs, onEnded, onError })
    this.#beginnings = new Beginnings({ ...options, ...parts, admit, family: this.#family, places: this.#places })
    this.#workers = new Workers({ clock, onError })
    this.#overseer = new OperationOverseer({
      engine,
      clock,
      holder: node,
      register: this.#register,
      look: (tenant, id, view) => this.#upkeep.look(tenant, id, view),
      onError,
    })
  }

  /** Operations whose worker is on this node. */
  get size(): number {
    return this.#workers.size
  }

  /** What this node does for operations now. */
  stats(): OperationStats {
    return { ...this.#ledger.stats(), places: this.#places.size, oversees: this.#overseer.isHolder }
  }

  /** The clockwork begins: leases are kept, and deadlines looked at. */
  open(): void {
    for (const part of [this.#ledger, this.#places, this.#overseer, this.#workers]) part.start()
  }

  // For a worker in this process

  /** Begins an operation that the caller reports on and ends. */
  async start(tenant: string, spec: WorkerSpec): Promise<Operation> {
    const { heartbeat, ...rest } = spec
    const writer = await asked(this.#beginnings.begin(tenant, { ...rest, queued: false }))
    return this.#workers.hand(writer, { attempt: 1, isKept: heartbeat !== 'manual' })
  }

  /** Takes up an operation that is queued or stalled, with `force` one that another worker has: as a new attempt. */
  async take(
    tenant: string,
    id: string,
    options: Omit<AttemptOptions, 'entry'> & { readonly heartbeat?: 'manual' } = {},
  ): Promise<Operation> {
    const { writer, record } = await this.#attempt(tenant, id, options)
    return this.#workers.hand(writer, { attempt: record.snapshot.attempt, isKept: options.heartbeat !== 'manual' })
  }

  /** Runs `work` as an operation. It ends however `work` does: completed with its result, failed with its error, cancelled when asked. */
  async run<T>(tenant: string, spec: WorkerSpec, work: (operation: Operation) => Promise<T> | T): Promise<T> {
    return this.#workers.run(await this.start(tenant, spec), work)
  }

  // For everybody else

  async create(
    tenant: string,
    spec: OperationSpec,
    options: { readonly entry?: string } = {},
  ): Promise<OperationSnapshot> {
    return (await asked(this.#beginnings.begin(tenant, spec, options.entry))).snapshot
  }

  find(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return this.get(tenant, id)
  }

  /** The snapshot of an operation; undefined when the tenant has none of this id. */
  async get(tenant: string, id: string): Promise<OperationSnapshot | undefined> {
    return (await asked(this.#store.read(tenant, id)))?.snapshot
  }

  async createdAt(tenant: string, id: string): Promise<number | undefined> {
    return (await asked(this.#store.read(tenant, id)))?.work.createdAt
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
    await this.#upkeep.dueSoonIfIdle(tenant, id)
    return this.#say(tenant, id, { do: 'end', ending: plain }, true)
  }

  async cancel(tenant: string, id: string): Promise<OperationSnapshot> {
    await this.#upkeep.dueSoonIfIdle(tenant, id)
    const said = await asked(this.#ledger.say(tenant, id, { do: 'cancel' }, { isStored: true }))
    const { writer, ruling, record } = said
    this.cancelAsked(tenant, id)
    const isNews = ruling.kind === 'changed' && !isTerminal(record.snapshot.state)
    if (isNews && !this.#workers.has(tenant, id)) this.#options.onCancelAsked(tenant, id)
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
    this.#workers.cancelAsked(tenant, id)
    this.#beginnings.cancelAsked(tenant, id)
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
    await this.#workers.abandon(error)
    await this.#overseer.stop()
    await this.#ledger.stop()
    await this.#upkeep.settled()
    this.#places.stop()
    this.#echo.stop()
  }

  // How it is done

  async #attempt(
    tenant: string,
    id: string,
    options: AttemptOptions,
  ): Promise<{ readonly writer: Writer; readonly record: OperationRecord }> {
    checkTaking(options)
    const { force = false, entry, worker } = options
    const named = { ...(entry !== undefined && { entry }), ...(worker !== undefined && { worker }) }
    const word: Word = { do: 'attempt', force, ...named }
    await this.#upkeep.dueSoonIfIdle(tenant, id)
    const { writer, record } = await asked(this.#ledger.say(tenant, id, word, { isStored: true }))
    await asked(this.#register.due(writer.stored))
    // As it was written with this word: meanwhile there may be another attempt.
    return { writer, record }
  }

  async #say(tenant: string, id: string, word: Word, isStored: boolean): Promise<OperationSnapshot> {
    const told = isStored ? undefined : this.#ledger.sayAtOnce(tenant, id, word)
    if (told !== undefined) return told.snapshot
    if (this.#ledger.here(tenant, id)?.record.work.idleSince !== undefined) await this.#upkeep.dueSoonIfIdle(tenant, id)
    const { writer, record } = await asked(this.#ledger.say(tenant, id, word, { isStored }))
    return isStored ? record.snapshot : writer.snapshot
  }
}
