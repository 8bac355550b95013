import { ByteReader, ByteWriter } from './bytes.js'
import { crc32c } from './crc32c.js'
import type { StoredFile } from './storage.js'

/** Checksum (4), length (4), sequence number (8), all little-endian; then as many bytes as the length says. The checksum covers all that follows it. */
const HEADER_BYTES = 16

/** How much of a file is read at a time. */
const CHUNK_BYTES = 1_048_576

const TWO_TO_32 = 2 ** 32

/** Gathers frames, one after the other, to be written at once. */
export class FrameWriter {
  readonly #writer = new ByteWriter()

  /** Bytes gathered. */
  get length(): number {
    return this.#writer.length
  }

  /** The frames gathered since the last `clear`; not a copy. */
  get bytes(): Buffer {
    return this.#writer.bytes
  }

  clear(): void {
    this.#writer.clear()
  }

  /** Adds a frame whose payload `fill` writes: at least one byte. */
  add(sequence: number, fill: (payload: ByteWriter) => void): void {
    const at = this.#writer.reserve(HEADER_BYTES)
    fill(this.#writer)
    const { bytes } = this.#writer
    bytes.writeUInt32LE(bytes.length - at - HEADER_BYTES, at + 4)
    bytes.writeUInt32LE(sequence % TWO_TO_32, at + 8)
    bytes.writeUInt32LE(Math.floor(sequence / TWO_TO_32), at + 12)
    bytes.writeUInt32LE(crc32c(bytes, at + 4), at)
  }
}

/** A frame that was read. */
export interface Frame {
  readonly sequence: number
  readonly payload: ByteReader
  /** A copy of the whole of it. */
  copy(): Buffer
}

/** How far a file is valid. */
export interface Scan {
  /** The sequence number of the last valid frame that was visited; one before the first when there is none. */
  readonly last: number
  /** Where it ends. */
  readonly end: number
  /** Whether anything follows it in the file that was not asked for or is not valid. */
  readonly rest: boolean
}

/**
 * Visits the frames of a file from `start` on, whose sequence numbers are `first`, `first + 1` and so on, but stay below `before`. Stops for good at the first that
 * is not valid: nothing damaged is ever stepped over.
 */
export async function scanFrames(
  file: StoredFile,
  range: { readonly start: number; readonly first: number; readonly before?: number },
  visit: (frame: Frame) => void,
): Promise<Scan> {
  const { first, before = Infinity } = range
  const size = await file.size()
  let [at, sequence, from] = [range.start, first, range.start]
  let chunk: Buffer = Buffer.alloc(0)
  while (sequence < before) {
    const end = endOfValidFrame(chunk, at - from, sequence)
    if (end !== undefined) {
      visit(new ReadFrame(chunk, at - from, end, sequence))
      at = from + end
      sequence += 1
      continue
    }
    const needed = bytesNeeded(chunk, at - from)
    // What is there in full and not valid does not become so by reading on; nor does what claims to end behind the end of the file.
    if (at + needed > size || at + needed <= from + chunk.length) break
    from = at
    chunk = await file.read(from, Math.max(CHUNK_BYTES, needed))
    if (chunk.length < needed) break
  }
  return { last: sequence - 1, end: at, rest: at < size }
}

/** A million of them make a start: each is one small object. */
class ReadFrame implements Frame {
  readonly sequence: number
  readonly payload: ByteReader
  readonly #chunk: Buffer
  readonly #start: number
  readonly #end: number

  constructor(chunk: Buffer, start: number, end: number, sequence: number) {
    this.sequence = sequence
    this.payload = new ByteReader(chunk, start + HEADER_BYTES, end)
    this.#chunk = chunk
    this.#start = start
    this.#end = end
  }

  copy(): Buffer {
    return Buffer.from(this.#chunk.subarray(this.#start, this.#end))
  }
}

/** Where the frame at `at` ends, when all of it is there and it is valid. */
function endOfValidFrame(chunk: Buffer, at: number, sequence: number): number | undefined {
  if (at + HEADER_BYTES > chunk.length) return undefined
  const length = chunk.readUInt32LE(at + 4)
  const end = at + HEADER_BYTES + length
  if (length === 0 || end > chunk.length) return undefined
  if (chunk.readUInt32LE(at + 8) + chunk.readUInt32LE(at + 12) * TWO_TO_32 !== sequence) return undefined
  return crc32c(chunk, at + 4, end) === chunk.readUInt32LE(at) ? end : undefined
}

/** How many bytes from `at` on have to be there to tell whether a frame is. */
function bytesNeeded(chunk: Buffer, at: number): number {
  return at + HEADER_BYTES > chunk.length ? HEADER_BYTES : HEADER_BYTES + Math.max(1, chunk.readUInt32LE(at + 4))
}
