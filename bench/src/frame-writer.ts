import { OPCODE } from './frame-reader.js'

/** Any mask obeys the standard for a reader that trusts its peer, and one that is not zero makes the server do its work. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** One masked frame of a client, as text unless another opcode is named. */
export function clientFrame(text: string, opcode: number = OPCODE.text): Buffer {
  const payload = Buffer.from(text)
  const header = clientHeader(payload.length, opcode)
  for (let index = 0; index < payload.length; index++) {
    payload[index] = (payload[index] ?? 0) ^ (MASK[index & 3] ?? 0)
  }
  return Buffer.concat([header, MASK, payload])
}

function clientHeader(length: number, opcode: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.from([first, 0x80 | length])
  if (length > 0xffff) throw new RangeError(`a frame of the bench must hold at most 65535 bytes, received ${length}`)
  return Buffer.from([first, 0x80 | 126, length >> 8, length & 0xff])
}
