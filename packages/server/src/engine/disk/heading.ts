import { crc32c } from './crc32c.js'
import type { StoredFile } from './storage.js'

/** Bytes of a heading; frames begin behind it. */
export const HEADING_BYTES = 32

/** The version of everything that is written: a file of another version is refused, not guessed at. */
const FORMAT_VERSION = 1

const MAGIC = { segment: 'HFDJ', snapshot: 'HFDS' } as const

/** What a file of the engine is: a segment of the journal, or a snapshot. */
export type FileKind = keyof typeof MAGIC

/** How a file of the engine begins. */
export interface Heading {
  readonly kind: FileKind
  /** Its place among the segments; that of a snapshot is the number of the first segment that follows it. */
  readonly number: number
  /** Of a segment, the sequence number of its first record: whatever the segments before it hold from there on is void. Of a snapshot, of the last record it covers. */
  readonly sequence: number
}

/** Magic (4), version (4), number (8), sequence (8), zero (4), checksum of all before (4). */
export function encodeHeading(heading: Heading): Buffer {
  const bytes = Buffer.alloc(HEADING_BYTES)
  bytes.write(MAGIC[heading.kind], 0, 'latin1')
  bytes.writeUInt32LE(FORMAT_VERSION, 4)
  bytes.writeBigUInt64LE(BigInt(heading.number), 8)
  bytes.writeBigUInt64LE(BigInt(heading.sequence), 16)
  bytes.writeUInt32LE(crc32c(bytes, 0, HEADING_BYTES - 4), HEADING_BYTES - 4)
  return bytes
}

/**
 * The heading of a file; undefined when it is damaged or of another kind.
 *
 * @throws Error when it is sound and of a version that this program does not know.
 */
export async function readHeading(file: StoredFile, kind: FileKind): Promise<Heading | undefined> {
  const bytes = await file.read(0, HEADING_BYTES)
  if (bytes.length < HEADING_BYTES || crc32c(bytes, 0, HEADING_BYTES - 4) !== bytes.readUInt32LE(HEADING_BYTES - 4))
    return undefined
  if (bytes.toString('latin1', 0, 4) !== MAGIC[kind]) return undefined
  const version = bytes.readUInt32LE(4)
  if (version !== FORMAT_VERSION)
    throw new Error(`the ${kind} has format version ${version}, and this program knows ${FORMAT_VERSION} only`)
  return { kind, number: Number(bytes.readBigUInt64LE(8)), sequence: Number(bytes.readBigUInt64LE(16)) }
}

const NAMES = { segment: ['journal-', '.log'], snapshot: ['snapshot-', '.state'] } as const

/** The name of a file: `journal-000001.log`, `snapshot-000002.state`. */
export function fileName(kind: FileKind, number: number): string {
  return NAMES[kind].join(String(number).padStart(6, '0'))
}

/** The numbers of all files of a kind, rising. */
export function numbersOf(kind: FileKind, names: readonly string[]): number[] {
  const [beginning, ending] = NAMES[kind]
  const numbers = names.map((name) => Number(name.slice(beginning.length, -ending.length)))
  return numbers.filter((number, at) => fileName(kind, number) === names[at]).toSorted((one, other) => one - other)
}
