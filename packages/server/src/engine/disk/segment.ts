import { type Frame, type Scan, scanFrames } from './frame.js'
import { encodeHeading, fileName, HEADING_BYTES } from './heading.js'
import { createWhole, ignore, type Storage, type StoredFile } from './storage.js'

/** One file of the journal while it is written. After the first error it is not to be used again: nobody knows what it holds then. */
export class Segment {
  readonly #file: StoredFile
  #length: number

  private constructor(file: StoredFile, length: number) {
    this.#file = file
    this.#length = length
  }

  /** A new segment that begins with `frames`, the first of which has the number `first`. It is there as a whole or not at all. */
  static async create(storage: Storage, number: number, first: number, frames: Buffer): Promise<Segment> {
    const heading = encodeHeading({ kind: 'segment', number, sequence: first })
    const beginning = Buffer.concat([heading, frames])
    const file = await createWhole(storage, fileName('segment', number), (draft) => draft.write(beginning, 0))
    return new Segment(file, beginning.length)
  }

  /** Bytes written. */
  get length(): number {
    return this.#length
  }

  /** Resolves when the frames are on the disk. */
  async append(frames: Buffer): Promise<void> {
    await this.#file.write(frames, this.#length)
    await this.#file.sync()
    this.#length += frames.length
  }

  async close(): Promise<void> {
    await this.#file.close().catch(ignore)
  }
}

/** Visits the records of a segment from number `first` up to, not including, `before`. */
export function scanSegment(
  file: StoredFile,
  first: number,
  before: number,
  visit: (frame: Frame) => void,
): Promise<Scan> {
  return scanFrames(file, { start: HEADING_BYTES, first, before }, visit)
}
