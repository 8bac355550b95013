import type { FrameEncoder } from './transport.js'

/** First bytes of unfragmented server frames: FIN and the opcode (RFC 6455 5.2). */
const TEXT = 0x81
const PING = 0x89

/** The payload of our pings. A pong with anything else does not prove that the peer heard us. */
export const PING_PAYLOAD = 'holdfast'

/** Makes unmasked WebSocket frames, header included. */
export const webSocketFrames: FrameEncoder = {
  text: (content) => encodeFrame(TEXT, content),
  ping: () => encodeFrame(PING, PING_PAYLOAD),
}

function encodeFrame(first: number, content: string): Buffer {
  const length = Buffer.byteLength(content)
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = first
  if (header === 2) {
    frame[1] = length
  } else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(content, header)
  return frame
}
