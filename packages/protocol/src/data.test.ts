import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DATA_DEPTH_MAX,
  DEFAULT_FRAME_LIMITS,
  decodeFrame,
  encodeData,
  isRefusal,
  UnserialisableError,
} from '@holdfast/protocol'

function refusal(value: unknown): UnserialisableError {
  try {
    encodeData(value)
  } catch (error) {
    if (error instanceof UnserialisableError) return error
    throw error
  }
  throw new Error('the value was encoded')
}

class Point {
  readonly x = 1
  readonly y = 2
  get norm(): number {
    return Math.hypot(this.x, this.y)
  }
}

const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)])
const date = new Date('2026-01-02T03:04:05.678Z')

describe('encodeData', () => {
  it.each<[string, unknown, string]>([
    ['a JSON value as JSON.stringify does', { a: [1, 'x', null, true, { b: {} }] }, '{"a":[1,"x",null,true,{"b":{}}]}'],
    ['toJSON before anything else', { toJSON: () => ({ a: 1 }), b: 2 }, '{"a":1}'],
    ['what toJSON returns by the same rule', { toJSON: () => new Set([1n]) }, '["1"]'],
    ['toJSON of an array', Object.assign([1], { toJSON: () => new Set([2]) }), '[2]'],
    ['a function as nothing, though it has a toJSON', [Object.assign(() => 1, { toJSON: () => 2 })], '[null]'],
    ['toJSON of an error', Object.assign(new Error('x'), { toJSON: () => 'mine' }), '"mine"'],
    ['toJSON that returns the object itself', selfReturning(), '{"a":1}'],
    ['a member named toJSON that is no function', { toJSON: 1 }, '{"toJSON":1}'],
    ['a date as ISO text', { at: date }, '{"at":"2026-01-02T03:04:05.678Z"}'],
    ['a Map with text keys as an object', new Map([['a', 1]]), '{"a":1}'],
    ['an empty Map as an object', new Map(), '{}'],
    [
      'any other Map as pairs',
      new Map<unknown, unknown>([
        [1, 'a'],
        ['b', 2],
      ]),
      '[[1,"a"],["b",2]]',
    ],
    ['a Set as an array', new Set(['a', 1, new Set()]), '["a",1,[]]'],
    ['a bigint as text', { n: 12345678901234567890n }, '{"n":"12345678901234567890"}'],
    ['an Error as name and message', new TypeError('bad'), '{"name":"TypeError","message":"bad"}'],
    [
      'an Error with its code',
      Object.assign(new Error('x'), { code: 'E1' }),
      '{"name":"Error","message":"x","code":"E1"}',
    ],
    ['members without undefined, functions and symbols', { a: undefined, b: () => 1, c: Symbol('s'), d: 1 }, '{"d":1}'],
    ['null for them inside arrays', [undefined, () => 1, Symbol('s'), 1], '[null,null,null,1]'],
    ['null for them inside a Set and pairs', [new Set([undefined]), new Map([[1, undefined]])], '[[null],[[1,null]]]'],
    ['null for a hole', Object.assign([], { length: 2 }), '[null,null]'],
    ['null for undefined itself', undefined, 'null'],
    ['null for a function', () => 1, 'null'],
    ['null for a symbol', Symbol('s'), 'null'],
    ['boxed values as what they hold', [Object('x'), Object(1), Object(true), Object(1n)], '["x",1,true,"1"]'],
    ['an instance by its own members', new Point(), '{"x":1,"y":2}'],
    ['an object that calls itself a String', { [Symbol.toStringTag]: 'String', a: 1 }, '{"a":1}'],
    ['an object without prototype', Object.assign(Object.create(null) as object, { a: 1 }), '{"a":1}'],
    ['a member named __proto__', JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
    ['a Map key named __proto__', new Map([['__proto__', 1]]), '{"__proto__":1}'],
    ['text that looks like an escape', ['\\ud800', '😀', '\u2028\u0000'], '["\\\\ud800","😀","\u2028\\u0000"]'],
    ['minus zero as zero', -0, '0'],
    ['bytes by their index', new Uint8Array([7]), '{"0":7}'],
  ])('writes %s', (_rule, value, expected) => {
    expect(encodeData(value)).toBe(expected)
  })

  it('writes shared references each time, because they are not circular', () => {
    const shared = { a: 1 }
    expect(encodeData([shared, shared, new Set([shared])])).toBe('[{"a":1},{"a":1},[{"a":1}]]')
  })

  it('agrees with JSON.stringify on every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(encodeData(value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('gives the same text by the short way and by the long one', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        // A Set is beyond JSON.stringify, so everything beside it goes the long way.
        expect(encodeData([value, new Set()])).toBe(`[${encodeData(value)},[]]`)
      }),
    )
  })

  it('writes text that parses, or refuses with a path, for any value whatever', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      withBoxedValues: true,
      stringUnit: 'binary',
    })
    fc.assert(
      fc.property(anything, (value) => {
        try {
          JSON.parse(encodeData(value))
        } catch (error) {
          expect(error).toBeInstanceOf(UnserialisableError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('encodeData refuses', () => {
  const circular: Record<string, unknown> = { a: [] }
  circular['a'] = [circular, circular]
  const throwing = {
    get bad(): never {
      throw new Error('no')
    },
  }

  it.each<[string, unknown, string, string]>([
    ['a circular object', circular, 'data.a[0]', 'must not contain itself'],
    ['a circular Map', circularMap(), 'data.self', 'must not contain itself'],
    ['NaN', { a: [1, NaN] }, 'data.a[1]', 'must be a finite number'],
    ['Infinity', -Infinity, 'data', 'must be a finite number'],
    ['a boxed NaN', [Object(NaN)], 'data[0]', 'must be a finite number'],
    ['a lone surrogate', { a: { b: 'x\ud800' } }, 'data.a.b', 'must not hold a lone surrogate'],
    ['a lone surrogate in a name', { a: { 'x\udc00': 1 } }, 'data.a', 'must not hold a lone surrogate'],
    ['a date that is none', { at: new Date(NaN) }, 'data.at', 'must be a valid date'],
    ['an accessor that throws', { a: throwing }, 'data.a', 'could not be read: Error: no'],
    ['a toJSON that throws', [{ toJSON: () => throwing.bad }], 'data[0]', 'could not be read: Error: no'],
    ['a toJSON without end', endless(), 'data', `must not be nested deeper than ${DATA_DEPTH_MAX}`],
    ['a name that is no identifier, by its quoted path', { 'a b': NaN }, 'data["a b"]', 'must be a finite number'],
  ])('%s', (_what, value, path, problem) => {
    const error = refusal(value)
    expect(error.code).toBe('unserialisable')
    expect(error.path).toBe(path)
    expect(error.message).toBe(`${path} ${problem}`)
  })

  it('nesting over the limit, and takes what is at it', () => {
    expect(encodeData(nested(DATA_DEPTH_MAX))).toBe(`${'['.repeat(DATA_DEPTH_MAX)}0${']'.repeat(DATA_DEPTH_MAX)}`)
    expect(refusal(nested(DATA_DEPTH_MAX + 1)).message).toContain('must not be nested deeper than')
    expect(refusal([new Set([nested(DATA_DEPTH_MAX - 1)])]).message).toContain('must not be nested deeper than')
  })

  it('a wide circular value in no time', () => {
    const wide: Record<string, unknown> = {}
    for (let at = 0; at < 50; at += 1) wide[`m${at}`] = wide
    const before = process.cpuUsage()
    expect(refusal(wide).path).toBe('data.m0')
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500)
  })
})

describe('what encodeData writes', () => {
  it('fits a command at the depth limit', () => {
    const data = encodeData(nested(DATA_DEPTH_MAX))
    const [decoded] = decodeFrame(`{"type":"publish","channel":"room:1","data":${data}}`, DEFAULT_FRAME_LIMITS)
    expect(decoded && isRefusal(decoded)).toBe(false)
  })
})

function selfReturning(): unknown {
  const value = { a: 1, toJSON: (): unknown => value }
  return value
}

function circularMap(): unknown {
  const map = new Map<string, unknown>()
  return map.set('self', map)
}

function endless(): unknown {
  return { toJSON: endless }
}
