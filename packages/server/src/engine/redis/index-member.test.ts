import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMember, encodeMember } from './index-member.js'

/** Any code units, halves of pairs among them. */
const anyKey = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'b', '\u0000', 'é', '\ud7ff', '\ud800', '\udbff', '\udc00', '\udfff', '\ue000', '\uffff'),
    fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
  ),
  maxLength: 6,
})

describe('a member of a sorted set', () => {
  it('is read back as the key that it was, also from UTF-8', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(decodeMember(Buffer.from(encodeMember(key)).toString())).toBe(key)
      }),
      { numRuns: 2_000 },
    )
  })

  it('has its bytes in the order of the code units of its key', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (one, other) => {
        const order = Buffer.compare(Buffer.from(encodeMember(one)), Buffer.from(encodeMember(other)))
        expect(order).toBe(one === other ? 0 : one < other ? -1 : 1)
      }),
      { numRuns: 5_000 },
    )
  })

  it('is its key where that is in ASCII', () => {
    expect(encodeMember('import-42.v1')).toBe('import-42.v1')
  })
})
