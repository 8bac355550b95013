import { randomBytes } from 'node:crypto'

/** The port through which chance comes in. */
export interface Random {
  /** An unguessable name made of `bytes` random bytes, in the letters A-Z a-z 0-9 - _. */
  id(bytes: number): string
  /** A number from 0 up to but not including 1. */
  fraction(): number
}

/** Random bytes are fetched in blocks: one call to the system for many ids. */
const BLOCK_BYTES = 4096

/** The randomness of the machine, fit for secrets. */
export const systemRandom: Random = createSystemRandom()

function createSystemRandom(): Random {
  let block = Buffer.alloc(0)
  let used = 0
  function take(count: number): Buffer {
    if (used + count > block.length) {
      block = randomBytes(Math.max(BLOCK_BYTES, count))
      used = 0
    }
    used += count
    return block.subarray(used - count, used)
  }
  return {
    id: (bytes) => take(bytes).toString('base64url'),
    fraction: () => take(4).readUInt32LE() / 0x1_0000_0000,
  }
}
