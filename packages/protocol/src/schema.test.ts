import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  array,
  describeIssue,
  either,
  flag,
  integer,
  json,
  literal,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  type Schema,
  text,
} from '@holdfast/protocol'

const holds = (schema: Schema<unknown>, value: unknown): boolean => schema.check(value, '') === undefined

describe('a leaf', () => {
  it.each([
    [text({ min: 1, max: 3 }), ['a', 'abc'], ['', 'abcd', 1, null, undefined, ['a']]],
    [text({ pattern: /^a+$/ }), ['a', 'aa'], ['b', '', 'a\n']],
    [integer(), [0, 1, Number.MAX_SAFE_INTEGER], [-1, 1.5, Number.MAX_SAFE_INTEGER + 1, NaN, Infinity, '1', null, 1n]],
    [integer(2, 4), [2, 4], [1, 5]],
    [number(), [-1.5, 0, 1e308], [NaN, Infinity, '1', null]],
    [number(0), [0, 0.5], [-0.1]],
    [flag(), [true, false], [0, 'true', null, undefined]],
    [literal('a'), ['a'], ['b', undefined]],
    [oneOf(['a', 'b']), ['a', 'b'], ['c', 'toString', undefined]],
    [json(), [null, 0, '', false, [], {}], [undefined]],
    [nullable(flag()), [true, null], [undefined, 0]],
    [either(integer(), text()), [1, 'a'], [1.5, null]],
  ])('%# takes what it describes and nothing else', (schema, good, bad) => {
    for (const value of good) expect(holds(schema, value), inspect(value)).toBe(true)
    for (const value of bad) expect(holds(schema, value), inspect(value)).toBe(false)
  })
})

describe('an object', () => {
  const person = object({ name: text({ min: 1 }), age: optional(integer()) })

  it('needs its members, lets optional ones be absent, ignores others', () => {
    expect(holds(person, { name: 'a' })).toBe(true)
    expect(holds(person, { name: 'a', age: 3, more: true })).toBe(true)
    expect(person.check({ age: 3 }, '')).toMatchObject({ path: 'name', received: undefined })
    expect(person.check({ name: 'a', age: null }, '')).toMatchObject({ path: 'age', received: null })
  })

  it('takes no array, no null and nothing inherited for its members', () => {
    expect(holds(person, [])).toBe(false)
    expect(holds(person, null)).toBe(false)
    expect(holds(person, Object.create({ name: 'inherited' }))).toBe(false)
    expect(holds(object({ toString: json() }), {})).toBe(false)
  })

  it('names the path of what is wrong inside', () => {
    const schema = object({ list: array(object({ at: integer() }), 2) })
    expect(schema.check({ list: [{ at: 1 }, { at: 'x' }] }, '')?.path).toBe('list[1].at')
    expect(schema.check({ list: [1, 2, 3] }, '')?.path).toBe('list')
  })
})

describe('a record', () => {
  const scores = record(integer(), 2, text({ pattern: /^[a-z]+$/ }))

  it('bounds its members and checks their names and values', () => {
    expect(holds(scores, { a: 1, b: 2 })).toBe(true)
    expect(holds(scores, { a: 1, b: 2, c: 3 })).toBe(false)
    expect(holds(scores, { A: 1 })).toBe(false)
    expect(scores.check({ a: 'x' }, 'scores')?.path).toBe('scores.a')
  })

  it('treats __proto__ as a name like any other', () => {
    const parsed: unknown = JSON.parse('{"__proto__": 1}')
    expect(holds(scores, parsed)).toBe(false)
    expect(holds(record(integer(), 2), parsed)).toBe(true)
  })
})

describe('describeIssue', () => {
  it('names the field, the expectation and what was received', () => {
    const issue = object({ limit: integer(1, 9) }).check({ limit: '64k' }, '')
    expect(issue && describeIssue(issue)).toBe('limit must be an integer from 1 to 9, received "64k"')
  })

  it('shortens long text and never prints what an object holds', () => {
    const said = (received: unknown): string => describeIssue({ path: '', expected: 'x', received })
    expect(said('y'.repeat(100))).toBe(`message must be x, received ${JSON.stringify(`${'y'.repeat(64)}…`)}`)
    expect(said({ token: 'abc' })).toBe('message must be x, received an object')
    expect(said([1])).toBe('message must be x, received an array')
    expect(said(undefined)).toBe('message must be x, received nothing')
    expect(said(null)).toBe('message must be x, received null')
  })

  it('never repeats a secret', () => {
    const issue = object({ token: text({ max: 4, secret: true }) }).check({ token: 'topsecret' }, '')
    expect(issue && describeIssue(issue)).toBe('token must be text of 0 to 4 characters, received "(9 characters)"')
  })
})

describe('toJsonSchema', () => {
  it('says what the check does', () => {
    const schema = object({ id: text({ min: 1, max: 4 }), n: optional(integer(1)), tags: array(text(), 3) })
    expect(schema.toJsonSchema()).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string', minLength: 1, maxLength: 4 },
        n: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
        tags: { type: 'array', items: { type: 'string', minLength: 0, maxLength: 65536 }, maxItems: 3 },
      },
      required: ['id', 'tags'],
    })
  })

  it('covers choices, records and null', () => {
    expect(nullable(flag()).toJsonSchema()).toEqual({ anyOf: [{ type: 'boolean' }, { type: 'null' }] })
    expect(either(literal(1), oneOf(['a'])).toJsonSchema()).toEqual({ anyOf: [{ const: 1 }, { enum: ['a'] }] })
    expect(record(number(0), 2, text({ max: 1 })).toJsonSchema()).toEqual({
      type: 'object',
      additionalProperties: { type: 'number', minimum: 0 },
      maxProperties: 2,
      propertyNames: { type: 'string', minLength: 0, maxLength: 1 },
    })
  })
})
