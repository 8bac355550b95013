/** The opcodes of RFC 6455, section 5.2, that a server sends to this bench. */
export const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const

/** Receives one whole frame. The payload stands in `buffer` from `start` to `end` and is valid during the call only. */
export type OnFrame = (opcode: number, buffer: Buffer, start: number, end: number) => void

const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024

/**
 * Cuts the bytes of a server into frames, wherever a read happens to end. As light as a reader can be, because a thousand of
 * them share one core: no copy unless a read ends inside a frame, and nothing is decoded.
 */
export class FrameReader {
  readonly #onFrame: OnFrame
  #rest: Buffer | undefined

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  /**
   * Takes the bytes of `chunk` before `length`; the caller may reuse `chunk` afterwards.
   *
   * @throws Error for a masked, fragmented or oversized frame: no candidate sends one.
   */
  push(chunk: Buffer, length: number = chunk.length): void {
    const rest = this.#rest
    const buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk.subarray(0, length)])
    const end = rest === undefined ? length : buffer.length
    const consumed = this.#readFrames(buffer, end)
    this.#rest = consumed === end ? undefined : Buffer.from(buffer.subarray(consumed, end))
  }

  #readFrames(buffer: Buffer, end: number): number {
    let at = 0
    while (at + 2 <= end) {
      const start = payloadStart(buffer, at)
      if (start > end) break
      const next = start + payloadLength(buffer, at)
      if (next > end) break
      this.#onFrame((buffer[at] ?? 0) & 0x0f, buffer, start, next)
      at = next
    }
    return at
  }
}

function payloadStart(buffer: Buffer, at: number): number {
  const first = buffer[at] ?? 0
  const second = buffer[at + 1] ?? 0
  if ((first & 0x80) === 0) throw new Error('a frame must not be fragmented')
  if (second > 127) throw new Error('a frame of a server must not be masked')
  if (second < 126) return at + 2
  return second === 126 ? at + 4 : at + 10
}

function payloadLength(buffer: Buffer, at: number): number {
  const second = buffer[at + 1] ?? 0
  if (second < 126) return second
  if (second === 126) return buffer.readUInt16BE(at + 2)
  const length = Number(buffer.readBigUInt64BE(at + 2))
  if (length > PAYLOAD_BYTES_MAX)
    throw new Error(`a frame must hold at most ${PAYLOAD_BYTES_MAX} bytes, received ${length}`)
  return length
}
