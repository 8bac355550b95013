import type { Clock } from '../../clock.js'
import { IdempotencyTable } from '../memory/idempotency.js'
import { MemoryIndexes } from '../memory/indexes.js'
import { MemoryRecords } from '../memory/records.js'
import { MemoryRegisters } from '../memory/registers.js'
import type { EnterEntry, Entry, PlaceEntry, PublishEntry, PutEntry } from './entry.js'
import { StreamTable } from './streams.js'

/** What the tables are made with. */
export interface TableOptions {
  readonly clock: Clock
  /** Whether somebody listens to a stream, or something is being written to it: then its epoch does not end. */
  isInUse(stream: string): boolean
}

/** Asked during a replay on a snapshot: whether the entry's effect on this key is in the snapshot already. */
export type IsCovered = (table: 'streams' | 'remembered' | 'records' | 'registers' | 'indexes', key: string) => boolean

/** The name of an entry of a register among those of all registers, or of an index among those of all indexes. */
export function entryKey(table: string, key: string): string {
  return `${table.length}:${table}${key}`
}

/** The durable state: what all entries of the journal come to, one after the other. Nothing else changes it but time. */
export class Tables {
  readonly streams: StreamTable
  readonly remembered: IdempotencyTable
  readonly records: MemoryRecords
  readonly registers: MemoryRegisters
  readonly indexes: MemoryIndexes
  readonly #clock: Clock

  constructor(options: TableOptions) {
    this.#clock = options.clock
    this.streams = new StreamTable((stream) => options.isInUse(stream))
    this.remembered = new IdempotencyTable(options.clock)
    this.records = new MemoryRecords(options.clock)
    this.registers = new MemoryRegisters(options.clock)
    this.indexes = new MemoryIndexes(options.clock)
  }

  apply(entry: Entry, isCovered: IsCovered = () => false): void {
    switch (entry.kind) {
      case 'publish':
        if (!isCovered('streams', entry.stream)) this.streams.publish(entry)
        if (entry.remembered && !isCovered('remembered', entry.remembered.key)) this.#remember(entry, entry.remembered)
        return
      case 'begin':
        if (!isCovered('streams', entry.stream)) this.streams.begin(entry)
        return
      case 'put':
        if (!isCovered('records', entry.key)) this.#hold(entry)
        return
      case 'take':
        if (!isCovered('records', entry.key)) this.records.drop(entry.key)
        return
      case 'enter':
        if (!isCovered('registers', entryKey(entry.register, entry.key))) this.#enter(entry)
        return
      case 'remove':
        if (!isCovered('registers', entryKey(entry.register, entry.key))) this.registers.drop(entry.register, entry.key)
        return
      case 'place':
        if (!isCovered('indexes', entryKey(entry.index, entry.key))) this.#place(entry)
        return
      case 'displace':
        if (!isCovered('indexes', entryKey(entry.index, entry.key))) this.indexes.drop(entry.index, entry.key)
    }
  }

  /** After a loss: every log goes on under a new epoch, so that whoever had read of it learns that something is missing. */
  renewEpochs(newEpoch: () => string): void {
    const renewed = this.streams.renew(newEpoch)
    this.remembered.renameEpochs(renewed)
  }

  sweep(): void {
    this.streams.sweep(this.#clock.now())
    this.remembered.sweep()
    this.records.sweep()
    this.registers.sweep()
    this.indexes.sweep()
  }

  #hold({ key, value, version, until }: PutEntry): void {
    // A replay meets much that has ended since.
    if (until <= this.#clock.now()) this.records.drop(key)
    else this.records.hold(key, { value, version }, until)
  }

  #enter({ register, key, value, amount, rank, until }: EnterEntry): void {
    if (until <= this.#clock.now()) this.registers.drop(register, key)
    else this.registers.hold(register, key, { value, amount, rank, until })
  }

  #place({ index, key, score, until }: PlaceEntry): void {
    if (until <= this.#clock.now()) this.indexes.drop(index, key)
    else this.indexes.hold(index, key, { score, until })
  }

  #remember({ id, logged }: PublishEntry, remembered: NonNullable<PublishEntry['remembered']>): void {
    const { key, fingerprint, until } = remembered
    if (until <= this.#clock.now()) return
    const { epoch, message } = logged ?? { epoch: '', message: { offset: 0 } }
    const outcome = { kind: 'published', epoch, offset: message.offset, id, duplicate: false } as const
    this.remembered.set(key, { until, fingerprint, outcome })
  }
}
