/** One frame of those that `FrameEncoder` makes. */
export interface ServerFrame {
  /** False: a ping. */
  readonly isText: boolean
  readonly payload: Uint8Array
}

const OPCODE = 0x0f
const TEXT = 0x01

/** The frames in bytes that were written to a socket: whole, unmasked, in one piece (RFC 6455, 5.2). */
export function* framesIn(bytes: Uint8Array): Generator<ServerFrame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length;) {
    const short = view.getUint8(at + 1)
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2))
    const end = at + header + length
    yield { isText: (view.getUint8(at) & OPCODE) === TEXT, payload: bytes.subarray(at + header, end) }
    at = end
  }
}
