import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanCommand } from '@holdfast/protocol'

const limits = { jsonDepthMax: 8, objectKeysMax: 6 }
const roomy = { jsonDepthMax: 1000, objectKeysMax: 100_000 }

/** What the scan must agree with, written the slow and obvious way over the parsed value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function widestObject(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Math.max(own, ...Object.values(value).map(widestObject))
}

const texts = fc.string({
  unit: fc.oneof(fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', 'e', '😀'), fc.string()),
})
const value = fc.jsonValue({ maxDepth: 10 }).map((json) => json as unknown)
const command = fc.dictionary(fc.oneof(texts, fc.constantFrom('data', 'type', '__proto__')), fc.oneof(value, texts), {
  maxKeys: 10,
  noNullPrototype: true,
})

function problemOf(text: string, within: typeof limits = limits): string | undefined {
  const result = scanCommand(text, within)
  return 'problem' in result ? result.problem : undefined
}

describe('scanCommand', () => {
  it('agrees with a naive reading on nesting and members of any command', () => {
    fc.assert(
      fc.property(command, (object) => {
        const text = JSON.stringify(object)
        const parsed: unknown = JSON.parse(text)
        const problem = problemOf(text)
        if (problem?.includes('escapes')) return void expect(Object.keys(object).join()).toMatch(/["\\\p{Cc}\p{Cs}]/u)
        if (problem?.includes('surrogate')) return void expect(text).toContain('\\ud')
        const tooDeep = depthOf(parsed) > limits.jsonDepthMax
        const tooWide = widestObject(parsed) > limits.objectKeysMax
        return void expect(problem !== undefined).toBe(tooDeep || tooWide)
      }),
      { numRuns: 1500 },
    )
  })

  it('finds the text of data, exactly, however the command is spaced', () => {
    const space = fc.constantFrom('', ' ', '\t', '  ')
    fc.assert(
      fc.property(fc.json(), fc.json(), space, space, fc.boolean(), (data, other, before, after, first) => {
        fc.pre(!/\\u[dD]/.test(data + other))
        const members = [`"data"${before}:${after}${data}${before}`, `"more"${after}:${other}${after}`]
        const text = `${before}{${(first ? members : members.reverse()).join(',')}}${after}`
        const result = scanCommand(text, roomy)
        expect('data' in result && result.data && text.slice(result.data.start, result.data.end).trim()).toBe(data)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['{"a":{"data":1}}', undefined],
    ['{"a":"data"}', undefined],
    ['{"a":["data"]}', undefined],
    ['{"a":"\\"data\\":1"}', undefined],
    ['{"data":{"data":[1,{"data":2}]}}', '{"data":[1,{"data":2}]}'],
    ['{"data":"a,b}\\"]"}', '"a,b}\\"]"'],
    ['{"data":1.50e+1,"x":true}', '1.50e+1'],
    ['{"x":"data","data" : null }', 'null'],
  ])('looks for data only at the top of %s', (text, expected) => {
    const result = scanCommand(text, roomy)
    const span = 'data' in result ? result.data : undefined
    expect(span && text.slice(span.start, span.end).trim()).toBe(expected)
  })

  it.each(['true', 'false', 'null', '-0', '1e5', '1E-5', '1.5e+308', '123456789012345678901234567890', '0.1', '-1'])(
    'takes %s as a value',
    (literal) => {
      expect(problemOf(`{"data":${literal}}`)).toBeUndefined()
      expect(problemOf(`{"data":[${literal},{"a":${literal}}]}`)).toBeUndefined()
    },
  )

  it.each(['1e400', '-1e400', '1E400', '1e+309', `1${'0'.repeat(309)}`, `1.0e${'9'.repeat(40)}`])(
    'refuses %s wherever it stands',
    (number) => {
      for (const text of [`{"a":${number}}`, `{"a":[1,${number}]}`, `{"data":{"x":${number}}}`]) {
        expect(problemOf(text)).toBe('holds a number that is not finite')
      }
      expect(problemOf(`{"a":"${number}"}`)).toBeUndefined()
    },
  )

  it.each([
    '\\ud800',
    '\\uDC00',
    '\\ud800x',
    '\\ud800\\ud800',
    '\\udc00\\ud800',
    '\\udc00\\udc00',
    '\ud800',
    '\udc00',
    '\ud800\\udc00',
  ])('refuses the lone surrogate in %j', (half) => {
    expect(problemOf(`{"a":"x${half}"}`)).toBe('holds a lone surrogate')
    expect(problemOf(`{"x${half}":1}`)).toBe('holds a lone surrogate')
  })

  it.each(['\\ud83d\\ude00', '\\uD83D\\uDE00', '😀', '\\\\ud800', '\\u0041'])('takes the well-formed text %j', (text) =>
    expect(problemOf(`{"a":"${text}"}`)).toBeUndefined(),
  )

  it.each(['{"data":1,"data":2}', '{"data":1,"x":0,"data":1}'])('refuses %s, which names data twice', (text) =>
    expect(problemOf(text)).toBe('names data twice'),
  )

  it.each(['{"d\\u0061ta":1}', '{"data":1,"\\u0064ata":2}', '{"\\u0074ype":"ping"}'])(
    'refuses %s, whose member name another reader could understand differently',
    (text) => expect(problemOf(text)).toBe('writes a member name with escapes'),
  )

  it('takes escapes in the names inside data', () => {
    expect(problemOf('{"data":{"d\\u0061ta":1}}')).toBeUndefined()
  })

  it('stops at the limits and not before', () => {
    const nested = (depth: number): string => '['.repeat(depth - 1) + ']'.repeat(depth - 1)
    expect(problemOf(`{"data":${nested(8)}}`)).toBeUndefined()
    expect(problemOf(`{"data":${nested(9)}}`)).toBe('is nested deeper than 8')
    const wide = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":0`).join(',')}}`
    expect(problemOf(`{"data":[${wide(6)},${wide(6)}]}`)).toBeUndefined()
    expect(problemOf(`{"data":${wide(7)}}`)).toBe('has an object with more than 6 members')
  })

  it('counts a member that is named again, because a parser pays for it again', () => {
    expect(problemOf(`{"data":{${Array.from({ length: 7 }, () => '"a":0').join(',')}}}`)).toContain(
      'more than 6 members',
    )
  })

  it('returns for any text whatever', () => {
    const soup = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', 'u', 'd', '8', ':', ',', '-', 'e', 'é'),
    })
    fc.assert(
      fc.property(soup, (text) => void scanCommand(text, limits)),
      { numRuns: 2000 },
    )
    expect(problemOf(']]]]')).toBe('closes what it did not open')
  })
})
