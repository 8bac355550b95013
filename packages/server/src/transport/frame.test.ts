import { describe, expect, it } from 'vitest'
import { PING_PAYLOAD, webSocketFrames } from './frame.js'

const text = (content: string): Buffer => Buffer.from(webSocketFrames.text(content))

describe('a frame', () => {
  it.each([
    [0, '8100'],
    [1, '8101'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('of %d bytes has the header %s', (length, header) => {
    const frame = text('x'.repeat(length))
    expect(frame.subarray(0, header.length / 2).toString('hex')).toBe(header)
    expect(frame.subarray(header.length / 2).toString()).toBe('x'.repeat(length))
  })

  it('counts bytes, not characters', () => expect(text('é'.repeat(63)).subarray(0, 4).toString('hex')).toBe('817e007e'))

  it('that pings carries our word, so that a pong proves that the peer heard us', () =>
    expect(Buffer.from(webSocketFrames.ping()).toString('latin1')).toBe(`\u0089\b${PING_PAYLOAD}`))
})
