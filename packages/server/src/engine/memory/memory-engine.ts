import { type Cancel, type Clock, systemClock } from '../../clock.js'
import { type Random, systemRandom } from '../../random.js'
import {
  type Engine,
  type LogPage,
  type LogTop,
  type PublishOutcome,
  type PublishRequest,
  type ReadRange,
  type Receiver,
  type Retention,
  type Signal,
  type Stream,
  type StreamMessage,
  type StreamState,
  streamKey,
} from '../engine.js'
import { sizeWith } from '../settled.js'
import { MemoryControl } from './control.js'
import { MemoryCounters } from './counters.js'
import { IdempotencyTable, type Remembered } from './idempotency.js'
import { MemoryIndexes } from './indexes.js'
import { MemoryLeases } from './leases.js'
import { MemoryLog } from './log.js'
import { MemoryMembers } from './members.js'
import { MemoryNodes } from './nodes.js'
import { MemoryRates } from './rates.js'
import { MemoryRecords } from './records.js'
import { MemoryRegisters } from './registers.js'

/** What the memory engine may be told. */
export interface MemoryEngineOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Streams kept at most (default 100,000). Beyond it the oldest without a listener is forgotten: its epoch ends. */
  readonly streamsMax?: number
}

/** How often what has expired is looked for. Correctness does not depend on it: every access checks for itself. */
const SWEEP_INTERVAL_MS = 5_000

/** How long the epoch and the top of a log outlive its messages, so that a reader learns `expired` rather than `epoch_changed`. */
const TOP_OUTLIVES_LOG = 2

interface StreamEntry {
  log: MemoryLog | undefined
  /** When the messages expire, and when the epoch does. */
  messagesUntil: number
  epochUntil: number
  state: StreamState | undefined
  stateUntil: number
  receivers: readonly Receiver[]
}

/** How much each table of an embedded engine holds. */
export type TableSizes = Readonly<
  Record<
    | 'streams'
    | 'records'
    | 'members'
    | 'counters'
    | 'rates'
    | 'registers'
    | 'indexes'
    | 'leases'
    | 'nodes'
    | 'idempotencyKeys',
    number
  >
>

/** The embedded engine: everything in the memory of one process, under the whole contract. Its streams end with the process. */
export class MemoryEngine implements Engine {
  readonly name = 'memory'
  readonly canDiverge = false
  readonly records: MemoryRecords
  readonly leases: MemoryLeases
  readonly counters: MemoryCounters
  readonly members: MemoryMembers
  readonly rates: MemoryRates
  readonly registers: MemoryRegisters
  readonly indexes: MemoryIndexes
  readonly nodes: MemoryNodes
  readonly control: MemoryControl
  readonly #clock: Clock
  readonly #random: Random
  readonly #streamsMax: number
  readonly #streams = new Map<string, StreamEntry>()
  readonly #idempotency: IdempotencyTable
  #stopSweep: Cancel | undefined

  constructor(options: MemoryEngineOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#streamsMax = options.streamsMax ?? 100_000
    this.#idempotency = new IdempotencyTable(this.#clock)
    this.records = new MemoryRecords(this.#clock)
    this.leases = new MemoryLeases(this.#clock)
    this.counters = new MemoryCounters()
    this.rates = new MemoryRates(this.#clock)
    this.registers = new MemoryRegisters(this.#clock)
    this.indexes = new MemoryIndexes(this.#clock)
    this.members = new MemoryMembers((key, change) => {
      for (const receiver of this.#streams.get(key)?.receivers ?? []) receiver.members(change)
    })
    this.nodes = new MemoryNodes(this.#clock, (node) => {
      this.members.forget(node)
      this.counters.forget(node)
    })
    this.control = new MemoryControl()
  }

  async start(): Promise<void> {
    this.#stopSweep ??= this.#clock.every(SWEEP_INTERVAL_MS, () => this.#sweep())
  }

  async close(): Promise<void> {
    this.#stopSweep?.()
    this.#stopSweep = undefined
  }

  problem(): string | undefined {
    return undefined
  }

  /** Memory is always there. */
  watch(): () => void {
    return () => undefined
  }

  /** How much each table holds. */
  sizes(): TableSizes {
    return {
      streams: this.#streams.size,
      records: this.records.size,
      members: this.members.size,
      counters: this.counters.size,
      rates: this.rates.size,
      registers: this.registers.size,
      indexes: this.indexes.size,
      leases: this.leases.size,
      nodes: this.nodes.size,
      idempotencyKeys: this.#idempotency.size,
    }
  }

  // No await stands between the first check and the announcement: that is what makes a publish one atomic step here.
  async publish(request: PublishRequest): Promise<PublishOutcome> {
    const key = streamKey(request.stream)
    const earlier = this.#idempotency.find(key, request)
    if (earlier) return earlier
    const entry = this.#entry(key)
    const held = this.#liveState(entry)
    if (request.state && request.state.ifVersion !== (held?.version ?? 0)) return { kind: 'state_conflict' }
    const outcome = this.#append(entry, request)
    if (request.state) this.#setState(entry, request.state)
    this.#idempotency.remember(key, request, outcome)
    return request.weigh && request.retention ? { ...outcome, kept: entry.log?.characters ?? 0 } : outcome
  }

  async announce(stream: Stream, signal: Signal): Promise<void> {
    for (const receiver of this.#streams.get(streamKey(stream))?.receivers ?? []) receiver.signal(signal)
  }

  async listen(stream: Stream, receiver: Receiver): Promise<() => Promise<void>> {
    const entry = this.#entry(streamKey(stream))
    entry.receivers = [...entry.receivers, receiver]
    return async () => {
      entry.receivers = entry.receivers.filter((other) => other !== receiver)
    }
  }

  async read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    const entry = this.#entry(streamKey(stream))
    return this.#log(entry, retention).read(range, this.#liveState(entry))
  }

  async tops(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Promise<readonly LogTop[]> {
    return logs.map(({ stream, retention }) => {
      const entry = this.#entry(streamKey(stream))
      const { epoch, top } = this.#log(entry, retention)
      entry.epochUntil = Math.max(entry.epochUntil, this.#clock.now() + retention.ttlMs * TOP_OUTLIVES_LOG)
      return { epoch, top }
    })
  }

  async state(stream: Stream): Promise<StreamState | undefined> {
    const entry = this.#streams.get(streamKey(stream))
    return entry && this.#liveState(entry)
  }

  async rotate(stream: Stream, epoch: string): Promise<string> {
    const entry = this.#entry(streamKey(stream))
    if (entry.log?.epoch !== epoch) return entry.log?.epoch ?? ''
    entry.log = new MemoryLog(this.#random.id(8))
    for (const receiver of entry.receivers) receiver.rotated(entry.log.epoch)
    return entry.log.epoch
  }

  #append(entry: StreamEntry, request: PublishRequest): Remembered['outcome'] {
    const { event, data, from, at, retention, settled, final } = request
    const id = request.id ?? this.#random.id(8)
    const draft = { id, event, data, from, at, ...(final && { final }) }
    const { epoch, offset } = retention
      ? this.#store(entry, retention, draft, settled)
      : { epoch: '', offset: undefined }
    for (const receiver of entry.receivers) receiver.message(epoch, { ...draft, offset })
    return { kind: 'published', epoch, offset: offset ?? 0, id, duplicate: false }
  }

  #store(
    entry: StreamEntry,
    retention: Retention,
    draft: Omit<StreamMessage, 'offset'>,
    settled: PublishRequest['settled'],
  ): { epoch: string; offset: number } {
    const log = this.#log(entry, retention)
    const offset = log.top.offset + 1
    log.append({ ...draft, offset }, sizeWith(retention.size, settled, { epoch: log.epoch, offset }))
    this.#extend(entry, retention)
    return { epoch: log.epoch, offset }
  }

  #setState(entry: StreamEntry, state: NonNullable<PublishRequest['state']>): void {
    entry.state = { value: state.value, version: state.ifVersion + 1 }
    entry.stateUntil = this.#clock.now() + state.ttlMs
  }

  /** The entry of a stream, made when there is none. */
  #entry(key: string): StreamEntry {
    const known = this.#streams.get(key)
    if (known !== undefined) return known
    if (this.#streams.size >= this.#streamsMax) this.#forgetOne()
    const entry: StreamEntry = {
      log: undefined,
      messagesUntil: 0,
      epochUntil: 0,
      state: undefined,
      stateUntil: 0,
      receivers: [],
    }
    this.#streams.set(key, entry)
    return entry
  }

  /** The log in force: what has expired goes first, and where there is none one begins. */
  #log(entry: StreamEntry, retention: Retention): MemoryLog {
    this.#expire(entry)
    if (entry.log === undefined) {
      entry.log = new MemoryLog(this.#random.id(8))
      this.#extend(entry, retention)
    }
    return entry.log
  }

  #extend(entry: StreamEntry, retention: Retention): void {
    const now = this.#clock.now()
    entry.messagesUntil = now + retention.ttlMs
    entry.epochUntil = now + retention.ttlMs * TOP_OUTLIVES_LOG
  }

  #expire(entry: StreamEntry): void {
    const now = this.#clock.now()
    if (entry.log === undefined) return
    if (now >= entry.messagesUntil) entry.log.expire()
    // While somebody listens the epoch stays: ending it would announce a gap to readers who missed nothing.
    if (now >= entry.epochUntil && entry.receivers.length === 0) entry.log = undefined
  }

  #liveState(entry: StreamEntry): StreamState | undefined {
    if (entry.state !== undefined && this.#clock.now() >= entry.stateUntil) entry.state = undefined
    return entry.state
  }

  #sweep(): void {
    for (const [key, entry] of this.#streams) {
      this.#expire(entry)
      if (entry.receivers.length === 0 && entry.log === undefined && this.#liveState(entry) === undefined)
        this.#streams.delete(key)
    }
    this.#idempotency.sweep()
    this.records.sweep()
    this.leases.sweep()
    this.rates.sweep()
    this.registers.sweep()
    this.indexes.sweep()
  }

  #forgetOne(): void {
    for (const [key, entry] of this.#streams) {
      if (entry.receivers.length === 0) {
        this.#streams.delete(key)
        return
      }
    }
  }
}
