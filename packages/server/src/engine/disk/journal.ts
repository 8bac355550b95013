import type { DiskStats } from '../engine.js'
import { fileName, numbersOf } from './heading.js'
import type { Recovered } from './recovery.js'
import { scanSegment, Segment } from './segment.js'
import { writeSnapshot } from './snapshot.js'
import { ignore, type Storage } from './storage.js'
import type { Tables } from './tables.js'
import { Watermark } from './watermark.js'

/** How the name of a file ends that was found damaged: it is kept for people, and never read again. */
const DAMAGED_ENDING = '.damaged'

/** Segments since the last snapshot that are worth a new one, whatever their size. */
const SEGMENTS_MAX = 16

/** Sizes, in bytes. */
export interface JournalLimits {
  /** A segment that reached this is followed by another. */
  readonly segmentBytesMax: number
  /** A snapshot is made once the segments since the last one hold this much, and more than that one does. */
  readonly compactBytesMin: number
}

/** The files of the engine while it runs: the segment that is written, the watermark, and what a start would read. */
export class Journal {
  readonly #storage: Storage
  readonly #limits: JournalLimits
  #watermark: Watermark | undefined
  #segment: Segment | undefined
  #sequence: number
  /** The number of the first record of the segment. */
  #first = 1
  /** The number of the file written last, and of the first that is needed. */
  #number: number
  #base: number
  #snapshotBytes: number
  /** Bytes of the segments since the last snapshot, without the one that is written. */
  #closedBytes: number

  /** Goes on where a recovery ended. Nothing is written before `open`. */
  constructor(storage: Storage, limits: JournalLimits, found: Recovered) {
    this.#storage = storage
    this.#limits = limits
    this.#sequence = found.sequence
    this.#number = found.last
    this.#base = found.base
    this.#snapshotBytes = found.snapshotBytes
    this.#closedBytes = found.journalBytes
  }

  /** The number of the last record that is on the disk and may be acknowledged. */
  get sequence(): number {
    return this.#sequence
  }

  /** Bytes of the segments since the last snapshot, how many there are, and bytes of that snapshot. */
  get sizes(): Pick<DiskStats, 'journalBytes' | 'segments' | 'snapshotBytes'> {
    return {
      journalBytes: this.#closedBytes + (this.#segment?.length ?? 0),
      segments: this.#number - this.#base + 1,
      snapshotBytes: this.#snapshotBytes,
    }
  }

  /** Begins to write, in a segment of its own, with what has to be written again. */
  async open({ tail }: Pick<Recovered, 'tail'>): Promise<void> {
    await this.close()
    // The watermark comes first: a journal without one counts as damaged.
    this.#watermark = await Watermark.create(this.#storage, tail.first - 1)
    await this.#nextSegment(tail.first, tail.frames)
    await this.#watermark.write(this.#sequence)
  }

  /** Resolves when the frames, which end with record `last`, are on the disk. After an error nothing works but `reopen`, `beginAnew` and `close`. */
  async append(frames: Buffer, last: number): Promise<void> {
    if (this.#segment === undefined || this.#watermark === undefined) throw new Error('the journal is not open')
    await this.#segment.append(frames)
    await this.#watermark.write(last)
    this.#sequence = last
  }

  /** Goes on in another segment when this one is large enough. */
  async roll(): Promise<void> {
    const isFull = (this.#segment?.length ?? 0) >= this.#limits.segmentBytesMax
    if (isFull) await this.#nextSegment(this.#sequence + 1)
  }

  /**
   * After an error: what was acknowledged is read back from the disk, and a new segment takes the place of the one that failed. What that one holds beyond the last
   * acknowledged record is void from then on, whatever became of it. False when what was acknowledged cannot be read back: then only `beginAnew` helps.
   */
  async reopen(): Promise<boolean> {
    await this.close()
    const names = await this.#storage.list()
    await this.#storage.claim()
    if (!(await this.#isThere(names))) return false
    // What the failed segment holds is not counted, nor is it missed.
    this.#watermark = await Watermark.create(this.#storage, this.#sequence)
    await this.#nextSegment(this.#sequence + 1)
    return true
  }

  /** Writes the state as a whole, and goes on from there under numbers above `sequence`. What was there before is set aside. */
  async beginAnew(tables: Tables, sequence: number = this.#sequence): Promise<void> {
    await this.close()
    const before = await this.#storage.list()
    await this.#storage.claim()
    this.#sequence = sequence
    this.#watermark = await Watermark.create(this.#storage, sequence)
    const number = this.#number + 1
    this.#snapshotBytes = await writeSnapshot(this.#storage, { number, sequence }, tables, () => sequence)
    await this.#nextSegment(sequence + 1)
    this.#base = number
    await this.#setAside(filesBelow(number, before))
  }

  /** Whether a snapshot would make the directory much smaller and a start much faster. */
  isCompactionDue(): boolean {
    const bytes = this.#closedBytes + (this.#segment?.length ?? 0)
    const isLong = bytes > Math.max(this.#limits.compactBytesMin, this.#snapshotBytes)
    return isLong || this.#number - this.#base >= SEGMENTS_MAX
  }

  /** Begins a segment for a snapshot to end at. Answers what writes the snapshot and removes what it covers, while the journal goes on. */
  async compact(tables: Tables, applied: () => number): Promise<(signal: AbortSignal) => Promise<void>> {
    const sequence = this.#sequence
    await this.#nextSegment(sequence + 1)
    this.#closedBytes = 0
    const number = this.#number
    return async (signal) => {
      this.#snapshotBytes = await writeSnapshot(this.#storage, { number, sequence }, tables, applied, signal)
      this.#base = number
      await this.#removeBelow(number)
    }
  }

  async close(): Promise<void> {
    await this.#segment?.close()
    await this.#watermark?.close()
    this.#segment = undefined
    this.#watermark = undefined
  }

  async #nextSegment(first: number, frames: Buffer = Buffer.alloc(0)): Promise<void> {
    const next = await Segment.create(this.#storage, this.#number + 1, first, frames)
    await this.#segment?.close()
    this.#closedBytes += this.#segment?.length ?? 0
    this.#segment = next
    this.#first = first
    this.#number += 1
  }

  /** Whether every file that a start would read is in the directory, and the last of them can be read up to the last acknowledged record. */
  async #isThere(names: readonly string[]): Promise<boolean> {
    const needed = Array.from({ length: this.#number - this.#base + 1 }, (_, at) =>
      fileName('segment', this.#base + at),
    )
    if (this.#snapshotBytes > 0) needed.push(fileName('snapshot', this.#base))
    if (needed.some((name) => !names.includes(name))) return false
    return this.#isReadable()
  }

  async #isReadable(): Promise<boolean> {
    const file = await this.#storage.open(fileName('segment', this.#number))
    if (file === undefined) return false
    try {
      const scan = await scanSegment(file, this.#first, this.#sequence + 1, () => undefined)
      return scan.last === this.#sequence
    } finally {
      await file.close().catch(ignore)
    }
  }

  async #setAside(names: readonly string[]): Promise<void> {
    const earlier = (await this.#storage.list()).filter((name) => name.endsWith(DAMAGED_ENDING))
    for (const name of earlier) await this.#storage.remove(name).catch(ignore)
    for (const name of names) await this.#storage.rename(name, `${name}${DAMAGED_ENDING}`).catch(ignore)
  }

  /** What cannot be removed does no harm: a start begins at the newest snapshot. */
  async #removeBelow(number: number): Promise<void> {
    for (const name of filesBelow(number, await this.#storage.list())) await this.#storage.remove(name).catch(ignore)
  }
}

/** The segments and snapshots with a number below `number`. */
function filesBelow(number: number, names: readonly string[]): string[] {
  return (['segment', 'snapshot'] as const).flatMap((kind) =>
    numbersOf(kind, names)
      .filter((other) => other < number)
      .map((other) => fileName(kind, other)),
  )
}
