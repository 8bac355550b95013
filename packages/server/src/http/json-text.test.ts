import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJsonText } from './json-text.js'

const LIMITS = { jsonDepthMax: 32, objectKeysMax: 256 }
const read = (text: string): ReturnType<typeof readJsonText> => readJsonText(text, LIMITS)

describe('the text of a body', () => {
  it('says where each data stands, as it was written', () => {
    const { value, data } = read(
      ' {"data" : [1.0, {"data":2}] ,"messages":[{"data":"\\u0061\\"}"},{},{"x":{"data":1e3}}]} ',
    )
    expect(value).toEqual({ data: [1, { data: 2 }], messages: [{ data: 'a"}' }, {}, { x: { data: 1_000 } }] })
    expect([...data]).toEqual([
      ['data', '[1.0, {"data":2}]'],
      ['messages[0].data', '"\\u0061\\"}"'],
    ])
  })

  it('is read as JSON.parse reads it, whatever stands in it and however it is laid out', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.json()),
        fc.json(),
        fc.constantFrom(undefined, 1, '\t'),
        (more, sent, space) => {
          const members = { ...more, data: JSON.parse(sent) as unknown }
          const text = JSON.stringify(members, undefined, space)
          fc.pre(isRead(text))
          const { value, data } = read(text)
          expect(value).toEqual(JSON.parse(text))
          expect(JSON.parse(data.get('data') ?? '')).toEqual(JSON.parse(sent))
        },
      ),
    )
  })

  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{"c":1,"c":2}}', 'b.c'],
    ['{"a":[{},{"b":1,"b":1}]}', 'a[1].b'],
    ['{"a":1,"b":{"d\\u0061":1,"da":2}}', 'b.da'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"data":1,"data":2}', 'data'],
  ])('is refused where a member stands twice: %s', (text, field) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'bad_request', options: { field } }) as Error)
  })

  it('may name a member twice in what applications send: that is theirs', () => {
    expect(read('{"data":{"a":1,"a":2}}').data.get('data')).toBe('{"a":1,"a":2}')
  })

  it('is never an unforeseen error, whatever it is', () => {
    const hostile = fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[{}[\]",:\\ua0-9 -]*$/))
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          read(text)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ApiRefusal', code: 'bad_request' })
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Lone surrogates and the like are refused, which is tested elsewhere. */
function isRead(text: string): boolean {
  try {
    read(text)
    return true
  } catch {
    return false
  }
}
