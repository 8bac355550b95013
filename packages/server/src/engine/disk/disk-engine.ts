import { type Clock, systemClock } from '../../clock.js'
import { type Random, systemRandom } from '../../random.js'
import { type Logger, silentLogger } from '../../telemetry/log.js'
import {
  type DiskStats,
  type Engine,
  type IndexEntry,
  type IndexRange,
  type Indexes,
  type LogPage,
  type LogTop,
  type PublishOutcome,
  type PublishRequest,
  type ReadRange,
  type Receiver,
  type Records,
  type RegisterEntry,
  type RegisterRequest,
  type RegisterTotals,
  type Registers,
  type Retention,
  type Signal,
  type StoredRecord,
  type Stream,
  type StreamState,
  streamKey,
} from '../engine.js'
import type { TableSizes } from '../memory/memory-engine.js'
import { MemoryControl } from '../memory/control.js'
import { MemoryCounters } from '../memory/counters.js'
import { MemoryLeases } from '../memory/leases.js'
import { MemoryMembers } from '../memory/members.js'
import { MemoryNodes } from '../memory/nodes.js'
import { MemoryRates } from '../memory/rates.js'
import { DirectoryStorage } from './directory-storage.js'
import { IdempotencyTable } from '../memory/idempotency.js'
import { Listeners } from './listeners.js'
import type { Storage } from './storage.js'
import { Store } from './store.js'
import { EngineUnavailableError } from '../unavailable.js'

/** What the disk engine may be told. */
export interface DiskEngineOptions {
  /** The directory of its files: made when there is none, and for one process at a time. */
  readonly dir: string
  /** Streams kept at most (default 100,000). Beyond it the oldest without a listener is forgotten: its epoch ends. */
  readonly streamsMax?: number
  /** Bytes after which the journal goes on in another file (default 64 MiB). */
  readonly segmentBytesMax?: number
  /** Bytes of journal worth a snapshot, once they are also more than the last one has (default 64 MiB). */
  readonly compactBytesMin?: number
}

/** What the disk engine works with. */
export interface DiskEngineParts {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Logger
  /** Where the files are; default: the directory `dir`. */
  readonly storage?: Storage
}

const MEBIBYTE = 1_048_576

/**
 * The embedded engine that survives restarts: logs, epochs, states, idempotency keys, records, registers and indexes are in a journal on the disk before anything is acknowledged.
 * Members, leases, counters, rates, nodes and control texts belong to connections, and live as long as the process. What the clock of the machine says is what ages it,
 * also while the process is not running.
 */
export class DiskEngine implements Engine {
  readonly name = 'disk'
  readonly canDiverge = false
  readonly records: Records
  readonly leases: MemoryLeases
  readonly counters: MemoryCounters
  readonly members: MemoryMembers
  readonly rates: MemoryRates
  readonly registers: Registers
  readonly indexes: Indexes
  readonly nodes: MemoryNodes
  readonly control: MemoryControl
  readonly #clock: Clock
  readonly #random: Random
  readonly #listeners = new Listeners()
  readonly #store: Store
  /** Keys of publishes that are stored nowhere: there is nothing of them to survive a restart. */
  readonly #passing: IdempotencyTable

  constructor(options: DiskEngineOptions, parts: DiskEngineParts = {}) {
    const { clock = systemClock, random = systemRandom, log = silentLogger } = parts
    this.#clock = clock
    this.#random = random
    this.#store = new Store({
      clock,
      random,
      log,
      storage: parts.storage ?? new DirectoryStorage(options.dir, { clock, random }),
      limits: {
        segmentBytesMax: options.segmentBytesMax ?? 64 * MEBIBYTE,
        compactBytesMin: options.compactBytesMin ?? 64 * MEBIBYTE,
      },
      streamsMax: options.streamsMax ?? 100_000,
      isListened: (stream) => this.#listeners.has(stream),
      sweep: () => this.#sweep(),
    })
    this.records = new DiskRecords(this.#store)
    this.leases = new MemoryLeases(clock)
    this.counters = new MemoryCounters()
    this.rates = new MemoryRates(clock)
    this.registers = new DiskRegisters(this.#store)
    this.indexes = new DiskIndexes(this.#store)
    this.members = new MemoryMembers((key, change) => this.#tell(key, (receiver) => receiver.members(change)))
    this.nodes = new MemoryNodes(clock, (node) => {
      this.members.forget(node)
      this.counters.forget(node)
    })
    this.control = new MemoryControl()
    this.#passing = new IdempotencyTable(clock)
  }

  /** @throws Error when the directory cannot be read or written, belongs to another process, or was written by a later version. */
  async start(): Promise<void> {
    await this.#store.start()
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  problem(): string | undefined {
    return this.#store.problem
  }

  watch(listener: (problem: string | undefined) => void): () => void {
    return this.#store.watch(listener)
  }

  diskStats(): DiskStats {
    return this.#store.stats()
  }

  async publish(request: PublishRequest): Promise<PublishOutcome> {
    if (request.retention === undefined && request.state === undefined) return this.#pass(request)
    const outcome = await this.#store.submit(
      (draft) => {
        const decision = draft.publish(request)
        const { answer } = decision
        if (answer.kind !== 'published' || answer.duplicate) return decision
        return { ...decision, announce: () => this.#announce(request, answer) }
      },
      request.data.length + (request.state?.value.length ?? 0),
    )
    if (!request.weigh || outcome.kind !== 'published' || outcome.duplicate) return outcome
    return { ...outcome, kept: this.#store.tables.streams.weigh(streamKey(request.stream), this.#clock.now()) }
  }

  async announce(stream: Stream, signal: Signal): Promise<void> {
    this.#tell(streamKey(stream), (receiver) => receiver.signal(signal))
  }

  async listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>> {
    const undo = this.#listeners.add(stream, receiver)
    return async () => undo()
  }

  async read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    const [key, now] = [streamKey(stream), this.#clock.now()]
    const page = this.#store.tables.streams.read(key, range, now)
    if (page !== undefined) return page
    await this.#store.submit((draft) => draft.begin([{ stream, retention }]))
    return this.#store.tables.streams.read(key, range, now) ?? forgotten()
  }

  async tops(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Promise<readonly LogTop[]> {
    const now = this.#clock.now()
    const touch = ({ stream, retention }: (typeof logs)[number]): LogTop | undefined =>
      this.#store.tables.streams.touch(streamKey(stream), retention.ttlMs, now)
    const missing = logs.filter((log) => touch(log) === undefined)
    if (missing.length > 0) await this.#store.submit((draft) => draft.begin(missing))
    return logs.map((log) => touch(log) ?? forgotten())
  }

  async state(stream: Stream): Promise<StreamState | undefined> {
    return this.#store.tables.streams.state(streamKey(stream), this.#clock.now())
  }

  async rotate(stream: Stream, epoch: string): Promise<string> {
    return this.#store.submit((draft) => {
      const decision = draft.rotate(stream, epoch)
      if (decision.entries.length === 0) return decision
      const announce = (): void => this.#tell(streamKey(stream), (receiver) => receiver.rotated(decision.answer))
      return { ...decision, announce }
    })
  }

  /** How much each table holds. */
  sizes(): TableSizes {
    const { streams, records, registers, indexes, remembered } = this.#store.tables
    return {
      streams: streams.size,
      records: records.size,
      members: this.members.size,
      counters: this.counters.size,
      rates: this.rates.size,
      registers: registers.size,
      indexes: indexes.size,
      leases: this.leases.size,
      nodes: this.nodes.size,
      idempotencyKeys: remembered.size + this.#passing.size,
    }
  }

  /** A publish that leaves nothing behind: it needs no disk, and does not wait for one. */
  #pass(request: PublishRequest): PublishOutcome {
    const key = streamKey(request.stream)
    const earlier = this.#passing.find(key, request)
    if (earlier) return earlier
    const id = request.id ?? this.#random.id(8)
    const outcome = { kind: 'published', epoch: '', offset: 0, id, duplicate: false } as const
    this.#passing.remember(key, request, outcome)
    this.#announce(request, outcome)
    return outcome
  }

  #announce(request: PublishRequest, { epoch, offset, id }: Published): void {
    const { event, data, from, at, final } = request
    const message = { id, offset: epoch === '' ? undefined : offset, event, data, from, at, ...(final && { final }) }
    this.#tell(streamKey(request.stream), (receiver) => receiver.message(epoch, message))
  }

  #tell(key: string, tell: (receiver: Receiver) => void): void {
    for (const receiver of this.#listeners.of(key)) tell(receiver)
  }

  #sweep(): void {
    this.#passing.sweep()
    this.leases.sweep()
    this.rates.sweep()
  }
}

type Published = Extract<PublishOutcome, { kind: 'published' }>

/** Records, each change of which is on the disk before it is answered. */
class DiskRecords implements Records {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return this.#store.tables.records.peek(key)
  }

  async put(key: string, value: string, options: { ttlMs: number; ifVersion?: number }): Promise<number | undefined> {
    return this.#store.submit((draft) => draft.put(key, value, options), value.length)
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    return this.#store.submit((draft) => draft.take(key))
  }
}

/** Registers, each change of which is on the disk before it is answered. */
class DiskRegisters implements Registers {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async put(
    name: string,
    request: RegisterRequest,
  ): Promise<(RegisterTotals & { readonly added: boolean }) | undefined> {
    return this.#store.submit((draft) => draft.registers.put(name, request), request.value?.length ?? 0)
  }

  async remove(name: string, key: string): Promise<RegisterTotals & { readonly removed: boolean }> {
    return this.#store.submit((draft) => draft.registers.remove(name, key))
  }

  async totals(name: string): Promise<RegisterTotals> {
    return this.#store.tables.registers.sum(name)
  }

  async list(name: string, limit: number): Promise<readonly RegisterEntry[]> {
    return this.#store.tables.registers.list(name, limit)
  }
}

/** Indexes, each change of which is on the disk before it is answered. */
class DiskIndexes implements Indexes {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async put(name: string, entry: IndexEntry & { readonly ttlMs: number }): Promise<void> {
    await this.#store.submit((draft) => draft.indexes.put(name, entry))
  }

  async remove(name: string, key: string): Promise<boolean> {
    return this.#store.submit((draft) => draft.indexes.remove(name, key))
  }

  async range(name: string, range: IndexRange): Promise<readonly IndexEntry[]> {
    return this.#store.tables.indexes.range(name, range)
  }
}

/** More streams were begun at once than may be kept. */
function forgotten(): never {
  throw new EngineUnavailableError('the stream was forgotten while it began: too many are in use')
}
