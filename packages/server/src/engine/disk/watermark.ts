import { crc32c } from './crc32c.js'
import { createWhole, ignore, type Storage, type StoredFile } from './storage.js'

const NAME = 'watermark'

/** Two slots in sectors of their own are written in turn: one that is torn leaves the other. */
const SLOT_DISTANCE = 512

/** Magic (4), sequence number (8), checksum of both (4). */
const SLOT_BYTES = 16

const MAGIC = 'HFDW'

/**
 * The number of the last record that was acknowledged. It stands in a file of its own, so that a journal that became shorter is noticed: what is cut off an
 * append-only file leaves no trace in it. It is not synchronised: after a crash of the machine it may be behind, and is never ahead.
 */
export class Watermark {
  readonly #file: StoredFile
  /** Where the next one goes: never where the only sound one stands. */
  #slot = 1

  private constructor(file: StoredFile) {
    this.#file = file
  }

  /** Puts a new watermark in the place of whatever is there. */
  static async create(storage: Storage, sequence: number): Promise<Watermark> {
    const file = await createWhole(storage, NAME, async (draft) => {
      const bytes = Buffer.alloc(SLOT_DISTANCE + SLOT_BYTES)
      encodeSlot(sequence).copy(bytes)
      await draft.write(bytes, 0)
    })
    return new Watermark(file)
  }

  /** The watermark that is there. */
  static async open(storage: Storage): Promise<Watermark | undefined> {
    const file = await storage.open(NAME)
    return file && new Watermark(file)
  }

  /** What it says; undefined when neither slot is sound. */
  async read(): Promise<number | undefined> {
    const bytes = await this.#file.read(0, SLOT_DISTANCE + SLOT_BYTES)
    const slots = [decodeSlot(bytes, 0), decodeSlot(bytes, SLOT_DISTANCE)]
    const newest = Math.max(...slots.map((sequence) => sequence ?? -1))
    // The next write goes to the slot that does not hold the newest.
    this.#slot = slots.indexOf(newest) === 0 ? 1 : 0
    return newest < 0 ? undefined : newest
  }

  async write(sequence: number): Promise<void> {
    await this.#file.write(encodeSlot(sequence), this.#slot * SLOT_DISTANCE)
    this.#slot = 1 - this.#slot
  }

  async close(): Promise<void> {
    await this.#file.sync().catch(ignore)
    await this.#file.close().catch(ignore)
  }
}

function encodeSlot(sequence: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES)
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeBigUInt64LE(BigInt(sequence), 4)
  bytes.writeUInt32LE(crc32c(bytes, 0, 12), 12)
  return bytes
}

function decodeSlot(bytes: Buffer, at: number): number | undefined {
  if (at + SLOT_BYTES > bytes.length || bytes.toString('latin1', at, at + 4) !== MAGIC) return undefined
  if (crc32c(bytes, at, at + 12) !== bytes.readUInt32LE(at + 12)) return undefined
  return Number(bytes.readBigUInt64LE(at + 4))
}
