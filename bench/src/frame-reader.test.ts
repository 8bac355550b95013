import { describe, expect, it } from 'vitest'
import { FrameReader, OPCODE } from './frame-reader.js'

function serverFrame(opcode: number, payload: string): Buffer {
  const body = Buffer.from(payload)
  return Buffer.concat([serverHeader(opcode, body.length), body])
}

function serverHeader(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.from([first, length])
  if (length <= 0xffff) return Buffer.from([first, 126, length >> 8, length & 0xff])
  const header = Buffer.alloc(10)
  header.set([first, 127])
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}

function collectingReader(): { reader: FrameReader; frames: [number, string][] } {
  const frames: [number, string][] = []
  const reader = new FrameReader((opcode, buffer, start, end) => {
    frames.push([opcode, buffer.toString('utf8', start, end)])
  })
  return { reader, frames }
}

const LONG = 'l'.repeat(300)
const STREAM = Buffer.concat([
  serverFrame(OPCODE.text, 'first'),
  serverFrame(OPCODE.ping, ''),
  serverFrame(OPCODE.text, LONG),
  serverFrame(OPCODE.text, 'grüße'),
])
const FRAMES = [
  [OPCODE.text, 'first'],
  [OPCODE.ping, ''],
  [OPCODE.text, LONG],
  [OPCODE.text, 'grüße'],
]

describe('the frame reader', () => {
  it('finds every frame of one read', () => {
    const { reader, frames } = collectingReader()
    reader.push(STREAM)
    expect(frames).toEqual(FRAMES)
  })

  it('finds the same frames wherever a read ends', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const { reader, frames } = collectingReader()
      reader.push(STREAM.subarray(0, cut))
      reader.push(STREAM.subarray(cut))
      expect(frames, `cut at byte ${cut}`).toEqual(FRAMES)
    }
  })

  it('finds the same frames in reads of one byte out of a buffer that is used again', () => {
    const { reader, frames } = collectingReader()
    const shared = Buffer.alloc(64)
    for (const byte of STREAM) {
      shared[0] = byte
      reader.push(shared, 1)
      shared.fill(0xff)
    }
    expect(frames).toEqual(FRAMES)
  })

  it('reads a length of eight bytes', () => {
    const { reader, frames } = collectingReader()
    const huge = 'h'.repeat(70_000)
    const bytes = serverFrame(OPCODE.text, huge)
    reader.push(bytes.subarray(0, 5))
    reader.push(bytes.subarray(5))
    expect(frames).toEqual([[OPCODE.text, huge]])
  })

  it('refuses fragments, masks and sizes that no candidate sends', () => {
    const push = (...bytes: number[]) => collectingReader().reader.push(Buffer.from(bytes))
    expect(() => push(0x01, 1, 0x61)).toThrow('fragmented')
    expect(() => push(0x81, 0x81, 0, 0, 0, 0, 0x61)).toThrow('masked')
    expect(() => push(0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0)).toThrow('at most')
  })
})
