/** What bounds a frame and the commands in it. Every member is checked before the work it bounds. */
export interface FrameLimits {
  /** Bytes of one frame, and of the encoded data of one message. */
  readonly messageBytesMax: number
  /** Bytes of a frame before authentication. */
  readonly handshakeBytesMax: number
  /** Commands in one frame. */
  readonly commandsPerFrameMax: number
  /** Nesting of arrays and objects in one command. */
  readonly jsonDepthMax: number
  /** Members of one object. */
  readonly objectKeysMax: number
}

/** The defaults of the protocol. */
export const DEFAULT_FRAME_LIMITS: FrameLimits = {
  messageBytesMax: 65_536,
  handshakeBytesMax: 16_384,
  commandsPerFrameMax: 64,
  jsonDepthMax: 32,
  objectKeysMax: 256,
}
