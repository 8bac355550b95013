import { type UnserialisableError, encodeData } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode } from './encode.js'

/** What either encoder makes of a value: the text, or the place of what cannot travel. */
function outcome(encoder: (value: unknown) => string, value: unknown): string {
  try {
    return encoder(value)
  } catch (error) {
    expect((error as UnserialisableError).code).toBe('unserialisable')
    return 'refused'
  }
}

describe('encode', () => {
  it('makes of any value what the protocol makes of it', () => {
    const leaf = fc.oneof(
      fc.jsonValue(),
      fc.double(),
      fc.bigInt(),
      fc.date(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        undefined,
        () => 1,
        Symbol('s'),
        new Error('e'),
        Object(1n),
        new String('s'),
        new Number(1),
        '\ud800',
      ),
    )
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('any')),
        fc.dictionary(fc.string(), tie('any')),
        fc.array(tie('any')).map((items) => new Set(items)),
        fc.array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie('any'))).map((entries) => new Map(entries)),
        tie('any').map((inner) => ({ toJSON: () => inner })),
      ),
    }))
    fc.assert(
      fc.property(any, (value) => {
        expect(outcome(encode, value)).toBe(outcome(encodeData, value))
      }),
      { numRuns: 2000 },
    )
  })

  it('names the path to what cannot travel', () => {
    const circular: { list: unknown[] } = { list: [1] }
    circular.list.push(circular)
    const messageOf = (value: unknown): string => {
      try {
        return encode(value)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(messageOf(circular)).toBe('data.list[1] must not contain itself')
    expect(messageOf({ a: [1, { b: NaN }] })).toBe('data.a[1].b must be a finite number')
    expect(messageOf({ at: new Date(NaN) })).toBe('data.at must be a valid date')
    expect(messageOf(new Map([['k', '\udc00']]))).toBe('data.k must not hold a lone surrogate')
    let deep: unknown = 1
    for (let depth = 0; depth < 32; depth += 1) deep = [deep]
    expect(messageOf(deep)).toMatch(/^data(\[0\]){31} must not be nested deeper than 31$/)
  })

  it('refuses what throws while it is read', () => {
    const trap = {
      get boom() {
        throw new Error('boom')
      },
    }
    expect(() => encode(trap)).toThrow(/could not be read.*boom/)
  })
})
