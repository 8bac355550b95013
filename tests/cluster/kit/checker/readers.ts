import type { Range, Stamped, Who } from '../facts.js'
import { canaryOf } from '../payload.js'
import { type Logs, logKey } from './logs.js'
import type { Violations } from './violation.js'

interface Reader extends Who {
  epoch: string | undefined
  /** Everything up to here was received, or announced as missing. */
  offset: number
  /** A gap without an end was told: what comes next may be of another epoch. */
  isOpenEnded: boolean
  /** The verdict spoke of a gap; the application has not been told yet. */
  owed: Range | undefined
  status: string | undefined
  readonly seen: Set<string>
  readonly skipped: { readonly epoch: string; readonly from: number; readonly to: number }[]
}

type FactOf<T extends Stamped['t']> = Extract<Stamped, { t: T }>

/** I1, I2, I3, I9, I11: what each reader was told, one thing after the other, against what was acknowledged. */
export class Readers {
  readonly #violations: Violations
  readonly #logs: Logs
  readonly #readers = new Map<string, Reader>()
  readonly #gone = new Set<string>()
  deliveries = 0
  duplicated = 0
  misordered = 0
  silentGaps = 0
  signalledGaps = 0
  lost = 0

  constructor(violations: Violations, logs: Logs) {
    this.#violations = violations
    this.#logs = logs
  }

  /** Readers that there were. */
  get size(): number {
    return this.#readers.size
  }

  take(fact: Stamped): void {
    switch (fact.t) {
      case 'subscribed':
        return this.#subscribed(fact)
      case 'deliver':
        return this.#deliver(fact)
      case 'gap':
        return this.#gap(fact)
      case 'moved':
        return this.#moved(fact)
      case 'rest':
        this.#reader(fact).status = fact.status
        return
      case 'gone':
        this.#gone.add(fact.client)
        break
      default:
    }
  }

  /** Judges where everybody has come to rest. */
  end(): void {
    for (const reader of this.#readers.values()) {
      this.#judgeSkipped(reader)
      if (!this.#gone.has(reader.client)) this.#judgeRest(reader)
    }
  }

  #subscribed(fact: FactOf<'subscribed'>): void {
    const reader = this.#reader(fact)
    const before = fact.offset - fact.messages
    if (reader.epoch === undefined) {
      reader.epoch = fact.epoch
      reader.offset = before
    }
    this.#settleOwed(reader, 'a new verdict')
    reader.owed = fact.gap
    if (fact.epoch === reader.epoch) return
    if (fact.gap === undefined && !reader.isOpenEnded)
      this.#silent(reader, `${reader.epoch} became ${fact.epoch} without a gap`)
    if (fact.gap !== undefined) this.#checkBeginning(reader, fact.gap)
    this.#enter(reader, fact.epoch, before)
  }

  #deliver(fact: FactOf<'deliver'>): void {
    const reader = this.#reader(fact)
    const { epoch, offset, id } = fact
    this.deliveries += 1
    if (fact.canary !== canaryOf(reader.tenant))
      this.#violations.add('I9', `${nameOf(reader)} of ${reader.tenant} received ${fact.canary} (${fact.publish})`)
    this.#settleOwed(reader, `the message at ${offset}`)
    if (reader.seen.has(id)) return this.#duplicate(reader, fact)
    reader.seen.add(id)
    if (offset === undefined) return
    if (reader.epoch === undefined)
      return this.#silent(reader, `a message at ${epoch}:${offset} before the subscription had begun`)
    if (epoch !== reader.epoch) this.#changeSilently(reader, epoch, offset)
    if (offset <= reader.offset) {
      this.misordered += 1
      return this.#violations.add('I3', `${nameOf(reader)} received ${epoch}:${offset} after ${reader.offset}`)
    }
    if (offset > reader.offset + 1) this.#skip(reader, reader.offset + 1, offset - 1)
    reader.offset = offset
    reader.isOpenEnded = false
  }

  #gap(fact: FactOf<'gap'>): void {
    const reader = this.#reader(fact)
    this.signalledGaps += 1
    const isOfVerdict = reader.owed !== undefined
    const changedEpoch = isOfVerdict && fact.to === null
    reader.owed = undefined
    // That of a verdict on another epoch was compared with where the reader was when the verdict came.
    if (changedEpoch) return
    this.#checkBeginning(reader, fact)
    reader.offset = Math.max(reader.offset, fact.to ?? 0)
    reader.isOpenEnded = fact.to === null || fact.reason === 'diverged' || fact.reason === 'ahead'
  }

  #moved({ epoch, offset, ...who }: FactOf<'moved'>): void {
    const reader = this.#reader(who)
    if (epoch === reader.epoch) {
      // An open end within the epoch reaches as far as the place that was named with it.
      if (reader.isOpenEnded) reader.offset = Math.max(reader.offset, offset)
      return
    }
    if (!reader.isOpenEnded) this.#silent(reader, `${reader.epoch} became ${epoch} without a gap`)
    this.#enter(reader, epoch, offset)
  }

  #enter(reader: Reader, epoch: string, offset: number): void {
    reader.epoch = epoch
    reader.offset = offset
    reader.isOpenEnded = false
  }

  #changeSilently(reader: Reader, epoch: string, offset: number): void {
    this.#silent(reader, `${reader.epoch} became ${epoch} without a word`)
    this.#enter(reader, epoch, offset - 1)
  }

  #duplicate(reader: Reader, { epoch, offset, publish }: FactOf<'deliver'>): void {
    this.duplicated += 1
    this.#violations.add('I2', `${nameOf(reader)} received ${publish} at ${epoch}:${offset} twice`)
  }

  #checkBeginning(reader: Reader, { from, to }: Range): void {
    if (from > reader.offset + 1) this.#skip(reader, reader.offset + 1, from - 1)
    if (to !== null && to < from)
      this.#violations.add('I1', `${nameOf(reader)} was told of a gap from ${from} to ${to}`)
  }

  #settleOwed(reader: Reader, before: string): void {
    if (reader.owed === undefined) return
    this.#silent(reader, `the gap of a verdict was not told before ${before}`)
    reader.owed = undefined
  }

  #skip(reader: Reader, from: number, to: number): void {
    reader.skipped.push({ epoch: reader.epoch ?? '', from, to })
  }

  #silent(reader: Reader, what: string): void {
    this.silentGaps += 1
    this.#violations.add('I1', `${nameOf(reader)}: ${what}`)
  }

  /** What was skipped may have been delivered before it was stored, without an offset; that is known by its id. */
  #judgeSkipped(reader: Reader): void {
    for (const { epoch, from, to } of reader.skipped) {
      const missing = this.#logs.entries(reader, epoch, from, to).filter(({ id }) => !reader.seen.has(id))
      // A place that nobody knows anything of may have held something all the same.
      if (missing.length === 0 && this.#logs.entries(reader, epoch, from, to).length === to - from + 1) continue
      this.lost += missing.filter(({ isAcknowledged }) => isAcknowledged).length
      this.#silent(reader, `${epoch}:${from} to ${to} were skipped`)
    }
  }

  #judgeRest(reader: Reader): void {
    if (reader.status !== 'subscribed')
      return this.#violations.add('I11', `${nameOf(reader)} ended ${reader.status ?? 'without a word'}`)
    const current = this.#logs.epochOf(reader)
    const { epoch = '' } = reader
    if (current !== undefined && current !== epoch)
      this.#silent(reader, `rests in ${epoch} while ${current} is in force`)
    for (const { offset, publish, id, isAcknowledged } of this.#logs.entries(reader, epoch, reader.offset + 1)) {
      if (!isAcknowledged || reader.seen.has(id)) continue
      this.lost += 1
      this.#violations.add('I1', `${nameOf(reader)} never received ${epoch}:${offset} (${publish})`)
    }
  }

  #reader({ client, tenant, channel }: Who): Reader {
    const key = `${client} ${logKey({ tenant, channel })}`
    const reader = this.#readers.get(key) ?? newReader({ client, tenant, channel })
    this.#readers.set(key, reader)
    return reader
  }
}

function newReader(who: Who): Reader {
  return {
    ...who,
    epoch: undefined,
    offset: 0,
    isOpenEnded: false,
    owed: undefined,
    status: undefined,
    seen: new Set(),
    skipped: [],
  }
}

function nameOf({ client, channel }: Who): string {
  return `${client} in ${channel}`
}
