import { describe, expect, it } from 'vitest'
import { findForeign, hasTwins, readIdentityFields } from './identity-guard.js'

const FIELDS = readIdentityFields(['user', 'author.id'])
const find = (data: unknown): string | undefined => findForeign(FIELDS, data, 'ada')

describe('fields of identity', () => {
  it.each<[string, unknown]>([
    ['their own name', { user: 'ada', author: { id: 'ada' } }],
    ['nobody', { text: 'hello' }],
    ['nobody on the way', { author: {} }],
    ['nothing at all', undefined],
    ['nothing that has fields', 'eve'],
    ['a list', [{ user: 'eve' }]],
    ['nobody but in what they inherit', JSON.parse('{"__proto__":{"user":"eve"}}')],
  ])('name %s, and are let through', (_, data) => expect(find(data)).toBeUndefined())

  it.each<[string, unknown, string]>([
    ['another', { user: 'eve' }, 'user'],
    ['another further in', { user: 'ada', author: { id: 'eve' } }, 'author.id'],
    ['a number', { user: 7 }, 'user'],
    ['null', { user: null }, 'user'],
    ['a list with the sender', { user: ['ada'] }, 'user'],
    ['an object', { author: { id: { is: 'ada' } } }, 'author.id'],
    ['the name in another case', { user: 'Ada' }, 'user'],
    ['the name with a space', { user: 'ada ' }, 'user'],
    ['the name with a mark that is not seen', { user: 'ada\u200b' }, 'user'],
    ['text where an object was declared', { author: 'eve' }, 'author.id'],
    ['a list where an object was declared', { author: [{ id: 'eve' }] }, 'author.id'],
    ['null where an object was declared', { author: null }, 'author.id'],
  ])('name %s, and are refused', (_, data, field) => expect(find(data)).toBe(field))

  it('are one to eight, in words with points between them', () => {
    expect(readIdentityFields(Array.from({ length: 8 }, (_, n) => `a${n}.b.c`))).toHaveLength(8)
    for (const wrong of [[], Array.from({ length: 9 }, () => 'a'), [''], ['.a'], ['a..b'], ['a.'], ['a\n']])
      expect(() => readIdentityFields(wrong)).toThrow('must be 1 to 8 fields of data such as user or author.id')
  })
})

describe('a member named twice', () => {
  it.each([
    '{"user":"ada","user":"eve"}',
    '{"a":[1,{"user":"ada","x":{"user":1},"user":"eve"}]}',
    '{"user":"ada","us\\u0065r":"eve"}',
    '{"a":{},"b":[],"a":1}',
    '[{"a":1},{"b":{"c":1,"c":2}}]',
    '{"\\"":1,"\\"":2}',
    '{ "user" : "ada" , "user" : "eve" }',
  ])('is found in %s', (text) => expect(hasTwins(text)).toBe(true))

  it.each([
    'null',
    '"user"',
    '{}',
    '{"user":"user","author":{"user":"user"}}',
    '[{"a":1},{"a":1},{"a":[{"a":1}]}]',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":":a:","b":"{}","c":"[\\\\"}',
    '{"a":{"b":1},"b":{"b":1}}',
    '{"\\\\":1,"\\"":2}',
  ])('is not found in %s', (text) => expect(hasTwins(text)).toBe(false))

  it('is looked for without recursion', () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    expect(hasTwins(deep)).toBe(false)
    expect(hasTwins(`{"b":${deep},"b":1}`)).toBe(true)
  })
})
