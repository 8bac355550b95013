import { type Socket, connect } from 'node:net'
import { SUBPROTOCOL } from '@holdfast/protocol'

/** Where a text frame begins in what was read, how long it is, and what of it is at hand. */
export type OnFrame = (head: string, reader: LightReader) => void

/** Characters of a frame that are looked at: more than enough for what stands before the padding. */
const HEAD_BYTES = 320

/** One buffer for all: a read is handed on before the next one begins. */
const shared = Buffer.allocUnsafe(262_144)

const CLOSE = 8
const FINAL_TEXT = 0x81

/**
 * A WebSocket reader that costs next to nothing: it reads into a buffer shared by all readers and looks at the beginning of each frame
 * only. A thousand of them in one process leave the server as the thing that is measured.
 */
export class LightReader {
  /** Code and reason of the close frame, when one came. */
  closed: { readonly code: number; readonly reason: string } | undefined
  /** Whether the socket has ended. */
  gone = false
  readonly #socket: Socket
  readonly #onFrame: OnFrame
  #upgraded = false
  /** What of the frame's beginning was read, where a read ended in the middle of it. */
  #head: Buffer = Buffer.alloc(0)
  #skip = 0

  constructor(port: number, onFrame: OnFrame) {
    this.#onFrame = onFrame
    const onread = { buffer: shared, callback: (bytes: number) => this.#read(shared.subarray(0, bytes)) }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => (this.gone = true))
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
    )
  }

  /** Whether the upgrade was answered. */
  get isUpgraded(): boolean {
    return this.#upgraded
  }

  /** Sends a text frame. May be called before the upgrade was answered. */
  send(text: string): void {
    this.write(maskedFrame(FINAL_TEXT, Buffer.from(text)))
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Sends nothing more; the server reads all that was sent before it learns of this. */
  finishWriting(): void {
    this.#socket.end()
  }

  /** Stops reading: what comes waits in the kernel, and then at the server. */
  stopReading(): void {
    this.#socket.pause()
  }

  /** Reads on. */
  readOn(): void {
    this.#socket.resume()
  }

  /** Ends the socket. */
  end(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): boolean {
    let rest = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    this.#head = Buffer.alloc(0)
    if (!this.#upgraded) rest = this.#afterUpgrade(rest)
    while (rest.length > 0) {
      const skipped = Math.min(this.#skip, rest.length)
      this.#skip -= skipped
      rest = rest.subarray(skipped)
      if (this.#skip > 0 || rest.length === 0) break
      const taken = this.#frame(rest)
      // Copied, because the next read writes over the buffer.
      if (taken === 0) this.#head = Buffer.from(rest)
      if (taken === 0) break
      rest = rest.subarray(taken)
    }
    return true
  }

  #afterUpgrade(rest: Buffer): Buffer {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#head = Buffer.from(rest)
      return Buffer.alloc(0)
    }
    this.#upgraded = true
    return rest.subarray(end + 4)
  }

  /** Takes the frame at the beginning of `rest`; answers the bytes of it that were taken, 0 when too little is there. */
  #frame(rest: Buffer): number {
    if (rest.length < 2) return 0
    const [first = 0, second = 0] = rest
    const headerBytes = second === 127 ? 10 : second === 126 ? 4 : 2
    if (rest.length < headerBytes) return 0
    const length = second === 127 ? Number(rest.readBigUInt64BE(2)) : second === 126 ? rest.readUInt16BE(2) : second
    const wanted = Math.min(length, HEAD_BYTES)
    if (rest.length < headerBytes + wanted) return 0
    const payload = rest.subarray(headerBytes, headerBytes + wanted)
    this.#skip = length - wanted
    if (first === FINAL_TEXT) this.#onFrame(payload.toString('latin1'), this)
    else if ((first & 0x0f) === CLOSE)
      this.closed = { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) }
    return headerBytes + wanted
  }
}

/** A frame as a client sends it: masked, though with a mask that changes nothing (RFC 6455 5.3). */
export function maskedFrame(first: number, payload: Buffer): Buffer {
  const { length } = payload
  const header = length < 126 ? [first, 0x80 | length] : [first, 0x80 | 126, length >> 8, length & 0xff]
  if (length > 65_535) throw new RangeError('a frame of a test must be at most 65535 bytes')
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload])
}
