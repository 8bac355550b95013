/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78

/** Eight tables of 256 entries, one after the other: table k holds what a byte does to the sum k bytes later. */
const TABLES: Uint32Array = buildTables()

/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4) of `bytes` from `start` up to `end`, as an unsigned number. Eight bytes at a time: Kounavis and Berry,
 * "A systematic approach to building high performance software-based CRC generators", 2005.
 */
export function crc32c(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  let sum = 0xffffffff
  let at = start
  for (; at + 8 <= end; at += 8) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    sum =
      TABLES[1792 + (sum & 255)]! ^
      TABLES[1536 + ((sum >>> 8) & 255)]! ^
      TABLES[1280 + ((sum >>> 16) & 255)]! ^
      TABLES[1024 + (sum >>> 24)]! ^
      TABLES[768 + bytes[at + 4]!]! ^
      TABLES[512 + bytes[at + 5]!]! ^
      TABLES[256 + bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!
  }
  for (; at < end; at += 1) sum = (sum >>> 8) ^ TABLES[(sum ^ bytes[at]!) & 255]!
  return ~sum >>> 0
}

function buildTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1
    tables[byte] = sum
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256]!
    tables[at] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}
