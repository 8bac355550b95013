import { decodeEntry } from './entry.js'
import { fileName, type Heading, HEADING_BYTES, numbersOf, readHeading } from './heading.js'
import { scanSegment } from './segment.js'
import { loadSnapshot, type LoadedSnapshot } from './snapshot.js'
import { DRAFT_ENDING, ignore, type Storage, type StoredFile } from './storage.js'
import type { Tables } from './tables.js'
import { Watermark } from './watermark.js'

/** What was found in a directory. */
export interface Recovered {
  /** What every valid entry comes to, up to the first that is missing or damaged. */
  readonly tables: Tables
  /** The number of the last entry applied. */
  readonly sequence: number
  /** Entries that were written and may not have been acknowledged, nor be on the disk: to be written again. They end with `sequence`. */
  readonly tail: { readonly first: number; readonly frames: Buffer }
  /** What is missing of that which was acknowledged, for people; undefined when nothing is. */
  readonly loss: string | undefined
  /** The number of the first file that is still needed. */
  readonly base: number
  /** The number of the last file there is, a last segment without records left out; 0 when there is none. */
  readonly last: number
  /** No sequence number above it was ever given. */
  readonly sequenceBound: number
  /** Bytes of the snapshot, and of the segments that follow it. */
  readonly snapshotBytes: number
  readonly journalBytes: number
}

/**
 * Reads what is in the directory, changing nothing but the drafts that were never finished. `createTables` makes empty ones.
 *
 * @throws Error when the directory or a file cannot be read, or was written by a later version of this program.
 */
export async function recover(storage: Storage, createTables: () => Tables): Promise<Recovered> {
  // What a file that may still go with the power makes void would be there again.
  await storage.syncDirectory()
  const names = await storage.list()
  for (const name of names) if (name.endsWith(DRAFT_ENDING)) await storage.remove(name).catch(ignore)
  const opened = new OpenFiles(storage)
  try {
    return await new Recovery(names, opened, createTables).run(await readWatermark(storage))
  } finally {
    await opened.close()
  }
}

async function readWatermark(storage: Storage): Promise<number | undefined> {
  const watermark = await Watermark.open(storage)
  const sequence = await watermark?.read()
  await watermark?.close()
  return sequence
}

class OpenFiles {
  readonly #storage: Storage
  readonly #files: StoredFile[] = []

  constructor(storage: Storage) {
    this.#storage = storage
  }

  async open(name: string): Promise<StoredFile> {
    const file = await this.#storage.open(name)
    if (file === undefined) throw new Error(`${name} went away while it was read`)
    this.#files.push(file)
    return file
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close().catch(ignore)
  }
}

interface FoundSegment {
  readonly name: string
  readonly file: StoredFile
  /** Undefined: damaged. */
  readonly heading: Heading | undefined
}

class Recovery {
  readonly #names: readonly string[]
  readonly #files: OpenFiles
  readonly #createTables: () => Tables
  readonly #tail: Buffer[] = []
  #sequence = 0
  #journalBytes = 0
  #damage: string | undefined

  constructor(names: readonly string[], files: OpenFiles, createTables: () => Tables) {
    this.#names = names
    this.#files = files
    this.#createTables = createTables
  }

  async run(watermark: number | undefined): Promise<Recovered> {
    const { tables, snapshot } = await this.#load()
    const segments = await this.#segments(snapshot?.number ?? 0)
    this.#sequence = snapshot?.sequence ?? 0
    // A journal goes on from a snapshot that is whole, and from nothing else.
    if (this.#damage === undefined) await this.#replay(segments, tables, snapshot, watermark ?? Infinity)
    const headings = segments.map(({ heading }) => heading?.sequence ?? 0)
    return {
      tables,
      sequence: this.#sequence,
      tail: { first: this.#sequence - this.#tail.length + 1, frames: Buffer.concat(this.#tail) },
      loss: this.#loss(watermark),
      base: snapshot?.number ?? 1,
      last: await this.#last(segments.at(-1)),
      sequenceBound: Math.max(this.#sequence, watermark ?? 0, ...headings),
      snapshotBytes: snapshot?.bytes ?? 0,
      journalBytes: this.#journalBytes,
    }
  }

  /** A segment that nothing was written to may be replaced: so starts alone do not fill the directory. */
  async #last(segment: FoundSegment | undefined): Promise<number> {
    const last = Math.max(0, ...numbersOf('segment', this.#names), ...numbersOf('snapshot', this.#names))
    const isEmpty = segment?.heading?.number === last && (await segment.file.size()) === HEADING_BYTES
    return isEmpty ? last - 1 : last
  }

  /** The newest snapshot that is whole; where none is, none if the journal is there from its beginning, else what can be read of the newest. */
  async #load(): Promise<{ tables: Tables; snapshot: LoadedSnapshot | undefined }> {
    const numbers = numbersOf('snapshot', this.#names).toReversed()
    let partial: { tables: Tables; snapshot: LoadedSnapshot | undefined } | undefined
    for (const number of numbers) {
      const tables = this.#createTables()
      const snapshot = await loadSnapshot(await this.#files.open(fileName('snapshot', number)), tables)
      if (snapshot?.isWhole) return { tables, snapshot }
      partial ??= { tables, snapshot }
    }
    // What a damaged snapshot covers may not have been removed yet.
    const isCovering = numbersOf('segment', this.#names)[0] !== 1
    if (partial && !isCovering) return { tables: this.#createTables(), snapshot: undefined }
    if (partial) this.#damage = `${fileName('snapshot', numbers[0] ?? 0)} is damaged`
    return partial ?? { tables: this.#createTables(), snapshot: undefined }
  }

  async #segments(from: number): Promise<FoundSegment[]> {
    const found: FoundSegment[] = []
    for (const number of numbersOf('segment', this.#names).filter((other) => other >= from)) {
      const name = fileName('segment', number)
      const file = await this.#files.open(name)
      found.push({ name, file, heading: await readHeading(file, 'segment') })
    }
    return found
  }

  async #replay(
    segments: readonly FoundSegment[],
    tables: Tables,
    snapshot: LoadedSnapshot | undefined,
    watermark: number,
  ): Promise<void> {
    for (const [at, { name, file, heading }] of segments.entries()) {
      // What a segment holds from where a later one begins was never acknowledged there: it was given up, or written again.
      const before = Math.min(...segments.slice(at + 1).map((later) => later.heading?.sequence ?? Infinity))
      if (heading !== undefined && heading.sequence >= before) continue
      const first = this.#sequence + 1
      if (heading?.sequence !== first) return this.#stop(name, `does not begin with record ${first}`)
      const scan = await scanSegment(file, first, before, (frame) => {
        tables.apply(decodeEntry(frame.payload), snapshot?.isCovered(frame.sequence))
        if (frame.sequence > watermark) this.#tail.push(frame.copy())
      })
      this.#sequence = scan.last
      this.#journalBytes += scan.end
      if (before !== Infinity && scan.last + 1 !== before)
        return this.#stop(name, `is damaged after record ${scan.last}`)
    }
  }

  #stop(name: string, what: string): void {
    this.#damage = `${name} ${what}`
  }

  #loss(watermark: number | undefined): string | undefined {
    if (this.#damage !== undefined) return this.#damage
    const isEmpty = this.#sequence === 0 && numbersOf('segment', this.#names).length === 0
    if (watermark === undefined) return isEmpty ? undefined : 'the watermark is missing or damaged'
    if (this.#sequence >= watermark) return undefined
    return `the journal ends with record ${this.#sequence}, and ${watermark} were acknowledged`
  }
}
