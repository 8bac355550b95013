import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHANNEL_NAME_PATTERN, channelSegment, isChannelName, localNameOf, namespaceOf } from '@holdfast/protocol'

describe('isChannelName', () => {
  it.each(['room:42', 'a:b', 'user:~40x', 'operation:import-42', 'x-1:a.b_c:d@e~f+g=h', `r:${'a'.repeat(220)}`])(
    'takes %j',
    (name) => expect(isChannelName(name)).toBe(true),
  )

  it.each([
    '',
    'room',
    ':42',
    'room:',
    'Room:42',
    '1room:42',
    'room:a b',
    'room:a\n',
    'room:42\n',
    'room:a/b',
    'room:%41',
    'room:é',
    'rооm:1',
    'room:\u0000',
    'room:\u202e1',
    `r:${'a'.repeat(221)}`,
    `${'r'.repeat(33)}:1`,
    ' room:1',
  ])('refuses %j', (name) => expect(isChannelName(name)).toBe(false))

  it.each([undefined, null, 1, {}, ['room:42'], new String('room:42')])('refuses %j, which is not text', (value) =>
    expect(isChannelName(value)).toBe(false),
  )
})

describe('namespaceOf and localNameOf', () => {
  it('split at the first colon and lose nothing', () => {
    fc.assert(
      fc.property(fc.stringMatching(CHANNEL_NAME_PATTERN), (name) => {
        expect(`${namespaceOf(name)}:${localNameOf(name)}`).toBe(name)
        expect(namespaceOf(name)).not.toContain(':')
      }),
    )
    expect(localNameOf('room:a:b')).toBe('a:b')
  })
})

describe('channelSegment', () => {
  /** Text that a naive encoding confuses: escapes, separators, halves of surrogate pairs, the replacement character. */
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom('~', ':', '%', '/', ' ', 'a', 'A', '4', '0', '~7E', '\ufffd', '\ud800', '\udc00', '\u0301', 'é'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 12,
  })

  it('gives different texts different segments', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        expect(channelSegment(one) === channelSegment(other)).toBe(one === other)
      }),
      { numRuns: 2000 },
    )
    expect(channelSegment('\ud800')).not.toBe(channelSegment('\ufffd'))
    expect(channelSegment('\ud800')).not.toBe(channelSegment('\udc00'))
  })

  it('gives a segment without separators that a channel name can hold', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const segment = channelSegment(value)
        expect(segment).not.toContain(':')
        if (segment.length >= 1 && segment.length <= 220) expect(isChannelName(`user:${segment}`)).toBe(true)
      }),
    )
  })

  it('leaves ordinary names as they are and writes the rest as UTF-8 bytes', () => {
    expect(channelSegment('ada.lovelace@example.com')).toBe('ada.lovelace@example.com')
    expect(channelSegment('a:b~c')).toBe('a~3Ab~7Ec')
    expect(channelSegment('é😀')).toBe('~C3~A9~F0~9F~98~80')
  })
})
