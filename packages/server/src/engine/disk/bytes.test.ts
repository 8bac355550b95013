import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.js'

describe('the bytes of a record', () => {
  it('are read back as they were written', () => {
    // Characters of one to four bytes, in texts around the length from which on it takes two bytes to tell.
    const unit = fc.constantFrom('a', '\u0000', 'ä', '€', '😀')
    const anyText = fc.oneof(fc.string({ unit, maxLength: 60 }), fc.string({ unit, maxLength: 300 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, fc.maxSafeNat(), fc.nat(255), fc.double()), { maxLength: 10 }), (rows) => {
        const writer = new ByteWriter()
        for (const [text, number, byte, double] of rows) {
          writer.text(text)
          writer.number(number)
          writer.byte(byte)
          writer.double(double)
        }
        const reader = new ByteReader(writer.bytes)
        for (const row of rows) expect([reader.text(), reader.number(), reader.byte(), reader.double()]).toEqual(row)
        expect(() => reader.byte()).toThrow(RangeError)
        expect(() => reader.double()).toThrow(RangeError)
      }),
    )
  })

  it('may be many: the buffer grows, and shrinks when it is cleared', () => {
    const writer = new ByteWriter()
    const long = 'ä'.repeat(4_000_000)
    writer.number(7)
    writer.text(long)
    const reader = new ByteReader(writer.bytes)
    expect([reader.number(), reader.text() === long]).toEqual([7, true])
    writer.clear()
    writer.text('short')
    expect(new ByteReader(writer.bytes).text()).toBe('short')
  })

  it('of a text that claims to be longer than what there is are refused', () => {
    expect(() => new ByteReader(Buffer.from([200, 1, 65])).text()).toThrow(RangeError)
  })
})
